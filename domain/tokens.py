"""The token in a webhook address: it names run, step and attempt, and nobody else can make one.

So no table maps a provider's jobs to runs, and a webhook that comes before the submit's own answer is no special case.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

_MAC_BYTES = 16


@dataclass(frozen=True)
class AttemptToken:
    run_id: str
    step: str
    attempt: int


def derive(secret: str, purpose: str) -> bytes:
    """A key for one purpose, so that no two uses of the server's secret can be played against each other."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()


def seal(key: bytes, token: AttemptToken) -> str:
    body = UUID(token.run_id).bytes + token.attempt.to_bytes(2, "big") + token.step.encode()
    return base64.urlsafe_b64encode(body + _mac(key, body)).rstrip(b"=").decode()


def unseal(key: bytes, text: str) -> AttemptToken | None:
    """None for anything that this key did not seal; malformed and forged look the same."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raw = b""
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, body)) or len(body) < 19:
        return None
    return AttemptToken(
        run_id=str(UUID(bytes=body[:16])), step=body[18:].decode(), attempt=int.from_bytes(body[16:18], "big")
    )


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()[:_MAC_BYTES]
