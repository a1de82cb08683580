"""Idempotency keys: the first answer again, for 24 hours."""

import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.providers.babysea.errors import Refusal, invalid

_FORM = re.compile(r"[A-Za-z0-9_\-:.]{1,255}")


@dataclass
class _Entry:
    digest: str
    expires: float
    answer: dict[str, Any] | None = None


class Keys:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._entries: dict[tuple[str, str], _Entry] = {}

    async def once(
        self, account: str, key: str | None, request: bytes, act: Callable[[], Awaitable[dict[str, Any]]]
    ) -> Response:
        """Inferred: an error leaves the key free, since nothing was started under it."""
        if key is None:
            return JSONResponse(await act())
        if not _FORM.fullmatch(key):
            raise invalid("Idempotency-Key", "must be 1 to 255 characters out of A-Z a-z 0-9 _ - : .")
        place, digest = (account, key), hashlib.sha256(request).hexdigest()
        entry = self._entries.get(place)
        if entry is not None and entry.expires > time.time():
            return _replayed(entry, digest)
        entry = self._entries[place] = _Entry(digest, time.time() + self._seconds)
        try:
            entry.answer = await act()
        finally:
            if entry.answer is None:
                del self._entries[place]
        return JSONResponse(entry.answer)


def _replayed(entry: _Entry, digest: str) -> Response:
    # The names of both types are inferred: no page gives them.
    if entry.digest != digest:
        raise Refusal(
            409,
            "The idempotency key was used with another body.",
            code="BSE2015",
            type="idempotency_conflict",
            retryable=False,
        )
    if entry.answer is None:
        raise Refusal(409, "The first request with this idempotency key is still being processed.")
    return JSONResponse(entry.answer, headers={"Idempotency-Replayed": "true"})
