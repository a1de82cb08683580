"""Ark's one error shape, and who may call at all."""

import secrets
import time
from typing import NoReturn

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.world import account_of

NAME = "byteplus"
_TYPES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    429: "TooManyRequests",
}
_CODES = {
    400: "InvalidParameter",
    401: "AuthenticationError",
    403: "AccessDenied",
    404: "ResourceNotFound",
    409: "Conflict",
    429: "RateLimitExceeded.EndpointRPMExceeded",
}


class ArkError(Exception):
    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param

    def answer(self) -> Response:
        return _answer(self.status, self.code, self.message, self.param)


def invalid(param: str, why: str) -> ArkError:
    return ArkError(
        400, "InvalidParameter", f"The parameter `{param}` specified in the request is not valid: {why}.", param
    )


def unsupported(param: str, model: str) -> ArkError:
    code = "InvalidParameter.UnsupportedParameter"
    return ArkError(400, code, f"The parameter `{param}` is not supported by the model {model}.", param)


def raise_first(error: ValidationError) -> NoReturn:
    """Ark names one problem at a time."""
    problem = error.errors(include_url=False)[0]
    param = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        raise ArkError(400, "MissingParameter", f"The request is missing the parameter `{param}`.", param) from error
    raise invalid(param, problem["msg"]) from error


def error(status: int, message: str) -> Response:
    """An error nobody in particular caused, as a fault rule asks for."""
    return _answer(status, _CODES.get(status, "InternalServiceError"), message, "")


def key_of(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def account_or_401(request: Request) -> str:
    account = account_of(key_of(request))
    if account is None:
        raise ArkError(401, "AuthenticationError", "The API key in the request is missing or invalid.")
    return account


def request_id() -> str:
    return f"021{time.time_ns() // 1_000_000}{secrets.token_hex(10)}"


def _answer(status: int, code: str, message: str, param: str) -> Response:
    request = request_id()
    kind = _TYPES.get(status, "InternalServerError")
    body = {"error": {"code": code, "message": f"{message} Request id: {request}", "param": param, "type": kind}}
    return JSONResponse(body, status, headers={"X-Request-Id": request})
