"""BabySea's envelope of every answer, and its refusals: a code, a type, and whether to try again."""

import secrets
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

NAME = "babysea"

_BY_STATUS = {
    400: ("BSE2001", "invalid_input"),
    401: ("BSE1002", "authentication_failed"),
    402: ("BSE1004", "insufficient_credits"),
    403: ("BSE1003", "insufficient_permissions"),
    404: ("BSE4001", "generation_not_found"),
    409: ("BSE2016", "idempotency_in_progress"),
    413: ("BSE2010", "payload_too_large"),
    422: ("BSE2005", "file_load_error"),
    429: ("BSE1005", "rate_limit_exceeded"),
    502: ("BSE3001", "provider_error"),
    504: ("BSE3002", "provider_timeout"),
}
_RETRYABLE = frozenset({409, 429, 500, 502, 503, 504})


class Refusal(Exception):
    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        type: str | None = None,
        retryable: bool | None = None,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        usual = _BY_STATUS.get(status, ("BSE5000", "internal_error"))
        self.status, self.headers = status, headers
        self.error: dict[str, Any] = {
            "code": code or usual[0],
            "type": type or usual[1],
            "message": message,
            "retryable": status in _RETRYABLE if retryable is None else retryable,
        }
        if details is not None:
            self.error["details"] = details

    def answer(self) -> Response:
        body = {"status": "error", "request_id": request_id(), "error": self.error}
        return JSONResponse(body, self.status, self.headers)


def error(status: int, message: str) -> Response:
    return Refusal(status, message).answer()


def invalid(field: str, message: str) -> Refusal:
    return Refusal(400, f"{field}: {message}", details={"field": field})


def firewall() -> Response:
    """Before anybody looks at keys: a path, method or query that the published OpenAPI does not have."""
    return PlainTextResponse("Forbidden", 403)


def success(data: Any, message: str = "ok", **beside: Any) -> dict[str, Any]:
    """What a list counts stands beside `data`, not in it."""
    return {
        "status": "success",
        "request_id": request_id(),
        "message": message,
        "timestamp": moment(),
        "data": data,
        **beside,
    }


def request_id() -> str:
    return f"req_{secrets.token_hex(8)}"


def moment(seconds: float | None = None) -> str:
    at = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
