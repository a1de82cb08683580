"""At the edge of every request: its id, headers that keep browsers careful, and no NUL in an address.

Plain ASGI: it wraps streams too.
"""

import structlog
import uuid_utils
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import body_of
from api.requests import read_request_id
from domain.errors import RequestError

_CAREFUL = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}


class RequestIdMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = read_request_id(Headers(scope=scope).get("x-request-id"))
        request_id = given or str(uuid_utils.uuid7())
        state = scope.setdefault("state", {})
        state["request_id"], state["client_request_id"] = request_id, given

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in _CAREFUL.items():
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_named)


class NulMiddleware:
    """PostgreSQL takes no NUL in any text, so none gets as far as a look-up."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _holds_nul(scope["path"], scope["query_string"]):
            await self._app(scope, receive, send)
            return
        error = RequestError("The address holds a NUL (%00): leave it out.")
        body = body_of(error, scope.get("state", {}).get("request_id"))
        await JSONResponse(body, 400, {"cache-control": "no-store"})(scope, receive, send)


def _holds_nul(path: str, query: bytes) -> bool:
    """Only in the callers' routes. A chain's name and a run's id are checked by themselves, with codes of their own."""
    if not path.startswith("/api/v1/"):
        return False
    return b"%00" in query or ("\0" in path and not path.startswith("/api/v1/chains/"))
