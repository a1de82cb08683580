"""For whoever keeps the service: search, stopping many runs, workers, and callbacks that do not arrive."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from api import examples
from api.bodies import read_storable
from api.key_orders import read_order
from api.operations import CancelMany
from api.services import Admin, Held, Reader, Stopper

router = APIRouter(tags=["operations"])

_NO_STORE = {"cache-control": "no-store"}
_CANCEL_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": CancelMany.model_json_schema()}}}
}


@router.get("/api/v1/chains/runs/search", summary="Search prompts", responses=examples.responses(400, 401, 503))
async def search_runs(
    caller: Reader,
    held: Held,
    words: Annotated[str, Query(min_length=2, max_length=200, description="What stands in the input.")],
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> JSONResponse:
    """Your ended runs in whose input these words stand, the newest end first. A row is as in the list of runs."""
    rows = await held.operations.search(caller, words, limit)
    answer = {"object": "list", "data": rows, "has_more": False, "url": "/api/v1/chains/runs/search"}
    return JSONResponse(answer, headers=_NO_STORE)


@router.post(
    "/api/v1/chains/runs/cancel",
    status_code=202,
    summary="Cancel many runs",
    responses=examples.responses(400, 401, 429, 503),
    openapi_extra=_CANCEL_BODY,
)
async def cancel_runs(request: Request, caller: Stopper, held: Held) -> JSONResponse:
    """Stops your live runs of which everything named is true. The server works through them, whatever becomes of us."""
    order = read_order(CancelMany, await read_storable(request))
    return JSONResponse(await held.operations.cancel_many(caller, order), 202, _NO_STORE)


@router.get("/api/v1/admin/workers", summary="List workers", responses=examples.responses(401, 503))
async def list_workers(_admin: Admin, held: Held) -> JSONResponse:
    """Who asked for work lately, and how many tasks wait for somebody to take them."""
    return JSONResponse(await held.operations.workers(), headers=_NO_STORE)


@router.get("/api/v1/admin/deliveries", summary="List failing callbacks", responses=examples.responses(401, 503))
async def list_failing(_admin: Admin, held: Held) -> JSONResponse:
    """Of all callers: what has not arrived within the last seven days, the latest attempt first."""
    rows = await held.operations.failing_deliveries()
    answer = {"object": "list", "data": rows, "has_more": False, "url": "/api/v1/admin/deliveries"}
    return JSONResponse(answer, headers=_NO_STORE)
