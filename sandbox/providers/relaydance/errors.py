"""RelayDance's one error shape, and who may call at all."""

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox.world import account_of

NAME = "relaydance"
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
}


class Refusal(Exception):
    def __init__(self, status: int, message: str, type: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.type = status, message, type

    def answer(self) -> Response:
        return error(self.status, self.message, self.type)


def error(status: int, message: str, type: str | None = None) -> Response:
    """Only `authentication_error` is a documented type; the others are inferred from the APIs that New API imitates."""
    return JSONResponse({"error": {"message": message, "type": type or _TYPES.get(status, "server_error")}}, status)


def key_of(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def account_or_401(request: Request) -> str:
    account = account_of(key_of(request))
    if account is None:
        raise Refusal(401, "Invalid token: the API key is missing, wrong or revoked.")
    return account
