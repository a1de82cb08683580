"""Create, read and cancel runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from api import examples
from api.bodies import read_object
from api.requests import read_envelope
from api.services import Held, Reader, RunId, Runner, Stopper, Template

router = APIRouter(tags=["runs"])

_NO_STORE = {"cache-control": "no-store"}


@router.post(
    "/api/v1/chains/{slug}/runs",
    status_code=202,
    summary="Create a run",
    responses=examples.responses(202, 400, 401, 404, 409, 413, 503),
    openapi_extra=examples.CREATE_BODY,
)
async def create_run(
    request: Request,
    template: Template,
    caller: Runner,
    held: Held,
    idempotency_key: Annotated[str | None, Header(description="Repeat a create safely: one key, one run.")] = None,
) -> JSONResponse:
    """Start the chain and answer at once. The same Idempotency-Key and body give the same run, however often."""
    envelope = read_envelope(await read_object(request))
    run = await held.runs.create(template, caller, envelope, idempotency_key, request.state.client_request_id)
    return JSONResponse(run, 202, _NO_STORE | {"location": f"/api/v1/chains/get/{run['id']}"})


@router.get(
    "/api/v1/chains/get/{run_id}",
    summary="Read a run",
    responses=examples.responses(200, 400, 401, 404, 503),
)
async def get_run(run_id: RunId, caller: Reader, held: Held) -> JSONResponse:
    """The run as it is now, from creation to long after its end."""
    return _run(await held.runs.get(run_id, caller))


@router.post(
    "/api/v1/chains/cancel/{run_id}",
    summary="Cancel a run",
    responses=examples.responses(200, 400, 401, 404, 503),
)
async def cancel_run(run_id: RunId, caller: Stopper, held: Held) -> JSONResponse:
    """Stop the run. A run that has ended is answered as it is; each step says what became of its job."""
    return _run(await held.runs.cancel(run_id, caller))


def _run(run: dict[str, Any]) -> JSONResponse:
    return JSONResponse(run, headers=_NO_STORE)
