"""Errors in DashScope's shape, or in one of the two others that gateways of this family have; and who may call."""

import uuid
from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox.config import BailianErrors
from sandbox.world import account_of

NAME = "bailian"
_CODES = {
    400: "InvalidParameter",
    401: "InvalidApiKey",
    403: "AccessDenied",
    404: "ModelNotFound",
    429: "Throttling.RateQuota",
}

ErrorShape = Callable[[str, str], dict[str, Any]]


class WanError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def answer(self, shape: BailianErrors) -> Response:
        return JSONResponse(_SHAPES[shape](self.code, self.message), self.status)


def invalid(message: str) -> WanError:
    return WanError(400, "InvalidParameter", message)


def error(shape: BailianErrors) -> Callable[[int, str], Response]:
    """Errors nobody in particular caused, as a fault rule asks for."""
    return lambda status, message: WanError(status, _CODES.get(status, "InternalError"), message).answer(shape)


def _native(code: str, message: str) -> dict[str, Any]:
    return {"request_id": request_id(), "code": code, "message": message}


def _openai(code: str, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "gateway_error", "param": "", "code": code}}


def _task(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "data": None}


_SHAPES: dict[BailianErrors, ErrorShape] = {"native": _native, "openai": _openai, "task": _task}


def request_id() -> str:
    return str(uuid.uuid4())


def key_of(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""


def account_or_401(request: Request) -> str:
    account = account_of(key_of(request))
    if account is None:
        raise WanError(401, "InvalidApiKey", "Invalid API-key provided.")
    return account
