"""Refuse early what this process could not serve in time. Plain ASGI, before anybody is asked for a key."""

import random
from collections.abc import Callable

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

    What counts is work, so a request counts until its answer begins, and not while it waits for its caller: for a body
    that comes slowly, or, with `Prefer: wait`, for the caller to leave. Whoever sends half a body takes nobody's place.
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
        elif self._is_full(scope):
            await self._refuse(scope, receive, send)
        else:
            await self._work(scope, receive, send)

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        working = answering = False

        def count(now: bool) -> None:
            nonlocal working
            self._working += now - working
            working = now

        async def receive_uncounted() -> Message:
            count(False)
            try:
                message = await receive()
                whole = message["type"] == "http.request" and not message.get("more_body")
                if whole and scope["method"] not in _READING and self._is_full(scope):
                    # Many slow bodies may become whole together, and only so many are let in then.
                    raise self._overloaded()
                return message
            finally:
                count(not answering)

        async def send_told(message: Message) -> None:
            nonlocal answering
            answering = True
            count(False)
            await send(message)

        count(True)
        try:
            await self._app(scope, receive_uncounted, send_told)
        finally:
            count(False)

    def _is_full(self, scope: Scope) -> bool:
        reads = scope["method"] in _READING
        return self._working >= (self._reads_refused_at if reads else self._creates_refused_at)

    def _overloaded(self) -> UnavailableError:
        # Spread, so that those who were refused together do not come back together.
        seconds = 1 + round(2 * self._jitter())
        said = "The API has too much to do; try again later."
        return UnavailableError(said, code="overloaded", retry_after=float(seconds))

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._overloaded()
        headers = {"cache-control": "no-store", "retry-after": f"{error.retry_after:g}"}
        body = body_of(error, scope.get("state", {}).get("request_id"))
        await JSONResponse(body, 503, headers)(scope, receive, send)


def _is_shed(method: str, path: str) -> bool:
    """Only the callers' routes, and of those not the cancels: they end work."""
    cancels = path.startswith("/api/v1/chains/cancel/") or path == "/api/v1/chains/runs/cancel"
    return path.startswith("/api/v1/") and not (method == "POST" and cancels)
