"""Where a page of the list of runs ends: opaque to callers, sealed, and good only for the filters it was made for."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import Fault, RequestError
from storage.archive import Place

_MAC_BYTES = 16
_ID_BYTES = 6
_MOST_SEEN = 200


class Cursor(BaseModel):
    """`until` is when the first page was made: what ended later is listed as it was then, under way."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    until: datetime
    active: bytes | None = None
    """The server's own token for the next runs under way."""
    after: Place | None = None
    """The last ended run shown. With neither this nor `active` the list is at its beginning."""
    seen: bytes = b""
    """The ends of the ids of the last 200 runs shown as under way: they may end while the list is paged."""

    def has_shown(self, run_id: str) -> bool:
        return _tail(run_id) in {self.seen[at : at + _ID_BYTES] for at in range(0, len(self.seen), _ID_BYTES)}

    def showing(self, run_ids: list[str]) -> bytes:
        return (self.seen + b"".join(map(_tail, run_ids)))[-_MOST_SEEN * _ID_BYTES :]


class Cursors:
    """A cursor that was changed would reach the workflow server, which repeats at length what it cannot read."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, cursor: Cursor, scope: str) -> str:
        body = cursor.model_dump_json(exclude_defaults=True).encode()
        return base64.urlsafe_b64encode(self._mac(scope, body) + body).rstrip(b"=").decode()

    def unseal(self, text: str, scope: str) -> Cursor:
        try:
            raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
            mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if hmac.compare_digest(mac, self._mac(scope, body)):
                return Cursor.model_validate_json(body)
        except (binascii.Error, UnicodeEncodeError, ValidationError):
            pass
        fault = Fault(("cursor",), "is not a next_cursor of this list: send the same filters with it, or start anew")
        raise RequestError("The cursor cannot be used.", code="invalid_cursor", faults=[fault])

    def _mac(self, scope: str, body: bytes) -> bytes:
        return hmac.new(self._key, scope.encode() + b"\0" + body, hashlib.sha256).digest()[:_MAC_BYTES]


def _tail(run_id: str) -> bytes:
    return bytes.fromhex(run_id[-2 * _ID_BYTES :])
