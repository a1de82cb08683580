"""What a run would cost and do, before anything is started."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api import examples
from api.bodies import read_object
from api.requests import read_envelope
from api.services import Estimator, Held, Template

router = APIRouter(tags=["money"])


@router.post(
    "/api/v1/chains/{slug}/estimate",
    summary="Estimate a run",
    responses=examples.responses(200, 400, 401, 404, 413, 429, 503),
    openapi_extra=examples.CREATE_BODY,
)
async def estimate_run(request: Request, template: Template, caller: Estimator, held: Held) -> JSONResponse:
    """Takes the body of a create. Every check of a create is made; nothing is stored, started or sent.

    Shows each step's candidates, their cost, and the very request that a provider would get.
    """
    envelope = read_envelope(await read_object(request))
    plan = await held.runs.settle(held.runs.plan(template, caller, envelope))
    return JSONResponse(await held.estimates.of(plan), headers={"cache-control": "no-store"})
