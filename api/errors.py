"""Our errors -> HTTP: a table from class and code to status, and the contract's one body."""

from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import (
    AuthError,
    BabyChainError,
    ConflictError,
    Fault,
    LimitError,
    RequestError,
    SetupError,
    UnavailableError,
)
from domain.guidance import guidance_for

log = structlog.get_logger("babychain.api")

STATUS_BY_CLASS: dict[type[BabyChainError], int] = {
    RequestError: 400,
    AuthError: 401,
    ConflictError: 409,
    LimitError: 429,
    SetupError: 500,
    UnavailableError: 503,
}
STATUS_BY_CODE = {
    "insufficient_scope": 403,
    "chain_not_found": 404,
    "run_not_found": 404,
    "model_not_found": 404,
    "asset_not_found": 404,
    "not_found": 404,
    "link_expired": 403,
    "link_invalid": 403,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "invalid_webhook_signature": 400,
    "missing_webhook_signature": 400,
    "range_not_satisfiable": 416,
}
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_UNREACHABLE = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
    }
)


def status_of(error: BabyChainError) -> int:
    by_class = next((status for kind, status in STATUS_BY_CLASS.items() if isinstance(error, kind)), 500)
    return STATUS_BY_CODE.get(error.reason, by_class)


def body_of(error: BabyChainError, request_id: str | None) -> dict[str, Any]:
    status = status_of(error)
    kind = "idempotency_error" if error.reason == "idempotency_conflict" else _TYPES.get(status)
    shown: dict[str, Any] = {
        "type": kind or ("api_error" if status >= 500 else "invalid_request_error"),
        "code": error.reason,
        "message": error.message,
    }
    if details := _details(error):
        shown["details"] = details
    if guidance := guidance_for(error.reason):
        shown["guidance"] = guidance
    if isinstance(error, RequestError) and error.faults:
        shown["errors"] = [{"path": list(fault.path), "message": fault.message} for fault in error.faults]
    if request_id:
        shown["request_id"] = request_id
    return {"error": shown}


def _details(error: BabyChainError) -> dict[str, Any]:
    if isinstance(error, RequestError) and error.faults:
        fields: dict[str, list[str]] = {}
        for fault in error.faults:
            fields.setdefault(_top_field(error.reason, fault), []).append(f"{_where(fault)} {fault.message}".strip())
        shown: dict[str, Any] = {"formErrors": [], "fieldErrors": fields}
        if error.reason == "invalid_chain_input":
            shown["path"] = _place(error.faults[0])
        return shown
    if error.reason == "invalid_run_id":
        return {"formErrors": [error.message], "fieldErrors": {}}
    return error.facts


def _place(fault: Fault) -> list[str | int]:
    """Where a rule of the chain is broken, from `input` on; a model stands under its own name, wherever it was said."""
    path = fault.path[1:] if fault.path[:1] == ("input",) else fault.path
    return list(path[1:] if path[:1] == ("chain_models",) and len(path) > 1 else path)


def _top_field(code: str, fault: Fault) -> str:
    """Envelope faults stand under `input`, `metadata`, `webhook_url`; a chain's own under its input field."""
    inside = code != "invalid_request" and len(fault.path) > 1 and fault.path[0] == "input"
    return str(fault.path[1] if inside else fault.path[0]) if fault.path else "body"


def _where(fault: Fault) -> str:
    return ".".join(str(part) for part in fault.path)


def install(app: FastAPI) -> None:
    app.add_exception_handler(BabyChainError, _ours)
    app.add_exception_handler(RPCError, _temporal)
    app.add_exception_handler(RuntimeError, _never_connected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


def _answer(error: BabyChainError, request: Request) -> JSONResponse:
    headers = {"cache-control": "no-store"}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    status = status_of(error)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if status == 408:
        # Nobody waits for the rest of the body.
        headers["connection"] = "close"
    request_id = getattr(request.state, "request_id", None)
    if request_id:
        # A crash is answered outside the middleware that sets it elsewhere.
        headers["x-request-id"] = request_id
    return JSONResponse(body_of(error, request_id), status, headers)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BabyChainError)  # noqa: S101  # the handler is registered for this class
    if status_of(error) >= 500:
        log.error("request_failed", code=error.reason, error=error.message)
    return _answer(error, request)


async def _temporal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RPCError)  # noqa: S101  # the handler is registered for this class
    if error.status in _UNREACHABLE:
        log.warning("temporal_unreachable", status=error.status.name)
        return _answer(UnavailableError("The workflow server does not answer.", retry_after=2.0), request)
    return await _unknown(request, error)


async def _never_connected(request: Request, error: Exception) -> JSONResponse:
    """A lazy client that has never reached its server raises this instead of an RPC error."""
    if str(error).startswith("Failed client connect"):
        return await _temporal(request, RPCError("never connected", RPCStatusCode.UNAVAILABLE, b""))
    return await _unknown(request, error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """What FastAPI itself checks: parameters of path, query and header."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # the handler is registered for this class
    faults = [
        Fault(tuple(problem["loc"][1:]), problem["msg"][0].lower() + problem["msg"][1:]) for problem in error.errors()
    ]
    return _answer(RequestError("Request validation failed.", faults=faults), request)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # the handler is registered for this class
    codes = {
        404: "not_found",
        405: "method_not_allowed",
        413: "payload_too_large",
        416: "range_not_satisfiable",
    }
    code = codes.get(error.status_code, "invalid_request")
    said = {404: "No such route.", 405: "This route does not take this method."}.get(error.status_code)
    answer = _answer(RequestError(said or str(error.detail), code=code), request)
    answer.headers.update(error.headers or {})
    if error.status_code == 405:
        # Starlette names the methods of the first route alone, and a path may have several.
        answer.headers["allow"] = ", ".join(sorted(_methods(request)))
    return answer


def _methods(request: Request) -> set[str]:
    fitting = (route for route in _routes(request.app.routes) if route.matches(request.scope)[0] is not Match.NONE)
    return {method for route in fitting for method in getattr(route, "methods", None) or ()}


def _routes(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """FastAPI keeps a router that was included as one route, which says nothing of methods."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from (route,) if inner is None else _routes(inner.routes)


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    log.error("request_crashed", path=request.url.path, exc_info=error)
    return _answer(BabyChainError("Something went wrong on our side.", code="internal_error"), request)
