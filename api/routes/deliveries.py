"""Callbacks as their receivers met them: the log, sending again, and a test."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api import examples
from api.bodies import has_body, read_object
from api.requests import read_idempotency_key, read_webhook_url
from api.services import Held, IdempotencyKey, Reader, RunId, Runner
from domain.errors import Fault, RequestError

router = APIRouter(tags=["deliveries"])

_NO_STORE = {"cache-control": "no-store"}


def _takes(properties: dict[str, Any], example: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": required, "content": content}}


@router.get(
    "/api/v1/chains/runs/{run_id}/deliveries",
    summary="List a run's callbacks",
    responses=examples.responses(400, 401, 404, 503),
)
async def list_deliveries(run_id: RunId, caller: Reader, held: Held) -> JSONResponse:
    """Every delivery with its attempts: when, how long, what the receiver answered, and when the next one comes."""
    url = f"/api/v1/chains/runs/{run_id}/deliveries"
    found = await held.endings.deliveries(run_id, caller)
    return JSONResponse({"object": "list", "data": found, "has_more": False, "url": url}, headers=_NO_STORE)


@router.post(
    "/api/v1/chains/runs/{run_id}/deliveries",
    status_code=202,
    summary="Send a callback again",
    responses=examples.responses(400, 401, 404, 409, 503),
    openapi_extra=_takes(
        {"step_key": {"type": ["string", "null"], "description": "A step's event; without it, the run's own."}}, {}
    ),
)
async def resend(
    run_id: RunId, request: Request, caller: Runner, held: Held, idempotency_key: IdempotencyKey
) -> JSONResponse:
    """The same bytes under the same event id, freshly signed, on a fresh schedule."""
    step = (await read_object(request)).get("step_key") if has_body(request) else None
    if step is not None and not isinstance(step, str):
        raise RequestError("Request validation failed.", faults=[Fault(("step_key",), "must be a string")])
    key = read_idempotency_key(idempotency_key)
    return JSONResponse(await held.endings.resend(run_id, caller, step, key), 202, _NO_STORE)


@router.post(
    "/api/v1/callbacks/test",
    summary="Send a test callback",
    responses=examples.responses(400, 401, 409, 503),
    openapi_extra=_takes(
        {"webhook_url": {"type": "string", "description": "Where to."}},
        {"webhook_url": "https://shop.example.com/hooks/babychain"},
        required=True,
    ),
)
async def send_test(request: Request, caller: Runner, held: Held, idempotency_key: IdempotencyKey) -> JSONResponse:
    """One signed event of the kind webhook.test, sent once. The answer says what the receiver answered."""
    url = read_webhook_url(await read_object(request))
    key = read_idempotency_key(idempotency_key)
    return JSONResponse(await held.endings.test(url, caller, key), headers=_NO_STORE)
