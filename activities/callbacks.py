"""The headers of a callback: BabyChain's own signature, and those of Standard Webhooks, over the same bytes."""

import base64
import hashlib
import hmac
from datetime import datetime

from standardwebhooks import Webhook

from domain.tokens import derive

EVENT = "chain_run.completed"
"""The contract's one event name, for failed and canceled runs alike."""


def signed_headers(secret: str, run_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The id is stable over redeliveries; the time is fresh."""
    event_id = f"evt_{run_id}"
    return {
        "content-type": "application/json",
        "user-agent": "BabyChain/0.1",
        "x-babychain-event": EVENT,
        "x-babychain-signature": babychain_signature(secret, body, now),
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(standard_secret(secret)).sign(event_id, now, body.decode()),
    }


def babychain_signature(secret: str, body: bytes, now: datetime) -> str:
    moment = str(int(now.timestamp()))
    mac = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={mac}"


def standard_secret(secret: str) -> str:
    """The `whsec_...` form that Standard Webhooks libraries take, made from the callback secret."""
    if secret.startswith("whsec_"):
        return secret
    return "whsec_" + base64.b64encode(derive(secret, "standard-webhooks")).decode()
