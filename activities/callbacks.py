"""The headers of a callback: BabyChain's own signature, and those of Standard Webhooks, over the same bytes."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

from domain.callbacks import Event
from domain.tokens import derive


def signed_headers(secrets: Sequence[str], event: Event, body: bytes, now: datetime) -> dict[str, str]:
    """The id is stable over redeliveries; the time is fresh. While a secret is being changed, each signs."""
    standard = [Webhook(standard_secret(secret)).sign(event.id, now, body.decode()) for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": "BabyChain/0.1",
        "x-babychain-event": event.kind,
        "x-babychain-signature": babychain_signature(secrets, body, now),
        "webhook-id": event.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(standard),
    }


def babychain_signature(secrets: Sequence[str], body: bytes, now: datetime) -> str:
    """`t=<unix>,v1=<hex>`, to the byte as the contract has it; every further secret adds one more `v1`."""
    moment = str(int(now.timestamp()))
    signed = moment.encode() + b"." + body
    macs = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={moment}", *(f"v1={mac}" for mac in macs)])


def standard_secret(secret: str) -> str:
    """The `whsec_...` form that Standard Webhooks libraries take, made from the callback secret."""
    if secret.startswith("whsec_"):
        return secret
    return "whsec_" + base64.b64encode(derive(secret, "standard-webhooks")).decode()
