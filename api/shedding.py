"""Refuse early what this process could not serve in time. Plain ASGI, before anybody is asked for a key."""

import random
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import body_of
from domain.errors import UnavailableError

CREATES_REFUSED_AT = 64
READS_REFUSED_AT = 128
"""Requests in work. A process does some hundred creates and several hundred reads a second, so whoever is let in
waits for some tenths of a second at most, and fifty runs may still be looked at all at once."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class SheddingMiddleware:
    """Creates are refused before reads, and cancels, webhooks, health and files never.

    What counts is work, so a request counts until its answer begins: an event stream does not count while it is
    open, nor does a read that asked to wait (`Prefer: wait`), since both mostly sleep.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        creates_refused_at: int = CREATES_REFUSED_AT,
        reads_refused_at: int = READS_REFUSED_AT,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._app = app
        self._creates_refused_at = creates_refused_at
        self._reads_refused_at = reads_refused_at
        self._jitter = jitter
        self._working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_shed(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        reads = scope["method"] in _READING
        if self._working >= (self._reads_refused_at if reads else self._creates_refused_at):
            await self._refuse(scope, receive, send)
            return
        if reads and "wait" in Headers(scope=scope).get("prefer", ""):
            await self._app(scope, receive, send)
            return
        await self._work(scope, receive, send)

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        working = True
        self._working += 1

        def done() -> None:
            nonlocal working
            self._working -= working
            working = False

        async def send_told(message: Message) -> None:
            done()
            await send(message)

        try:
            await self._app(scope, receive, send_told)
        finally:
            done()

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Spread, so that those who were refused together do not come back together.
        seconds = 1 + round(2 * self._jitter())
        error = UnavailableError("The API has too much to do; try again later.", code="overloaded")
        headers = {"cache-control": "no-store", "retry-after": str(seconds)}
        body = body_of(error, scope.get("state", {}).get("request_id"))
        await JSONResponse(body, 503, headers)(scope, receive, send)


def _is_shed(method: str, path: str) -> bool:
    """Only the callers' routes, and of those not the cancels: they end work."""
    cancels = path.startswith("/api/v1/chains/cancel/") or path == "/api/v1/chains/runs/cancel"
    return path.startswith("/api/v1/") and not (method == "POST" and cancels)
