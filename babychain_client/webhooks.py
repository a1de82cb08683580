"""Is this callback BabyChain's, whole and fresh? Checked over the bytes as they came, before anything is parsed."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from babychain_client.errors import WebhookInvalid
from babychain_client.states import RunState

_DIGITS = 12
"""Of a moment, in seconds. More would not fit into a float."""

TOLERANCE = 300.0
"""Seconds that sender's and receiver's clocks, and the way between them, may differ by."""


@dataclass(frozen=True)
class WebhookEvent:
    """`id` is the same over every attempt and resend of the event: remember it to tell repeats."""

    id: str
    kind: str
    data: dict[str, Any]

    @property
    def run(self) -> RunState | None:
        """None for events of steps, and for tests."""
        return RunState.read(self.data) if self.data.get("object") == "chain_run" else None


def verify_webhook(
    body: bytes, headers: Mapping[str, str], secret: str, *, tolerance: float = TOLERANCE, now: float | None = None
) -> WebhookEvent:
    """The event, or WebhookInvalid. `secret` is the caller's callback secret, `body` the request's raw bytes.

    Goes by the headers of Standard Webhooks, which cover the event's id. The event's kind is a header that no
    signature covers: decide by what the body says.
    """
    given = {name.lower(): value for name, value in headers.items()}
    event_id, moment = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (moment.isascii() and moment.isdecimal() and len(moment) <= _DIGITS):
        raise WebhookInvalid("The header webhook-timestamp is missing or no number: this is no callback of BabyChain.")
    if abs((time.time() if now is None else now) - int(moment)) > tolerance:
        raise WebhookInvalid("The callback is too old, or a clock is wrong.")
    signed = f"{event_id}.{moment}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()
    # Several signatures stand there while a secret is being changed.
    if not any(
        hmac.compare_digest(expected.encode(), one.encode()) for one in given.get("webhook-signature", "").split()
    ):
        raise WebhookInvalid("The callback's signature does not hold: another secret, or the body was changed.")
    try:
        data = json.loads(body)
    except ValueError as error:
        raise WebhookInvalid("The callback's body is no JSON.") from error
    return WebhookEvent(event_id, given.get("x-babychain-event", ""), data)


def _key(secret: str) -> bytes:
    """`whsec_...` is the key in base64; of any other secret BabyChain derives one."""
    if not secret.startswith("whsec_"):
        return hmac.new(secret.encode(), b"standard-webhooks", hashlib.sha256).digest()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"))
    except ValueError as error:
        raise WebhookInvalid("The secret is no whsec_ secret: it should be base64 behind that prefix.") from error
