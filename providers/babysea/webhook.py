"""BabySea's account webhooks: verified over the raw bytes first, and only then read."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.errors import AuthError, RequestError
from domain.provider import Notice
from providers._answers import short_text, webhook_object
from providers._signatures import same
from providers.babysea.wire import ENDED

_TOLERANCE = 300

# Header and body carry the same three facts.
_COPIES = {
    "x-babysea-event": "webhook_event",
    "x-babysea-timestamp": "webhook_timestamp",
    "x-babysea-delivery-id": "webhook_delivery_id",
}


def read_notice(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
    """A notice without a job is an event that concerns no generation."""
    _verify(secrets, headers.get("x-babysea-signature"), body, now)
    try:
        payload = webhook_object(body)
    except RequestError as error:
        raise _invalid("its body is not a JSON object") from error
    for header, field in _COPIES.items():
        # Inferred: whoever changes a header in between has no business here.
        if (sent := headers.get(header)) is not None and sent != payload.get(field):
            raise _invalid(f"its {header} and its body disagree")
    if not str(payload.get("webhook_event", "")).startswith("generation."):
        return Notice(ended=False)
    return _read_generation(payload.get("webhook_data"))


def _read_generation(data: Any) -> Notice:
    found = data if isinstance(data, dict) else {}
    job_id, status = short_text(found.get("generation_id")), short_text(found.get("generation_status"))
    return Notice(job_id, status, ended=status in ENDED)


def _verify(secrets: Sequence[str], header: str | None, body: bytes, now: datetime) -> None:
    if header is None:
        raise AuthError("The webhook carries no X-BabySea-Signature.", code="missing_webhook_signature")
    parts = {name: value for name, _, value in (part.partition("=") for part in header.split(","))}
    moment, signature = parts.get("t", ""), parts.get("v1", "")
    if not (moment.isascii() and moment.isdecimal() and len(moment) <= 12) or not signature:
        raise _invalid("its signature is not t=<seconds>,v1=<hex>")
    if abs(now.timestamp() - int(moment)) > _TOLERANCE:
        raise _invalid(f"its time is more than {_TOLERANCE} seconds off")
    # During a rotation both secrets hold.
    if not any(same(sign(secret, moment, body), signature) for secret in secrets):
        raise _invalid("its signature does not fit")


def sign(secret: str, moment: str, body: bytes) -> str:
    """The key is the whole secret with its `whsec_`, as text."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def _invalid(reason: str) -> AuthError:
    return AuthError(f"The webhook was refused: {reason}.", code="invalid_webhook_signature")
