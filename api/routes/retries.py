"""Retry an ended run without paying again for what it has made."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from api import examples
from api.bodies import read_object
from api.requests import read_envelope
from api.retries import RetryRequest
from api.services import Held, IdempotencyKey, RunId, Runner
from domain.callbacks import CHOICES
from domain.errors import Fault, RequestError
from domain.request_schemas import DOLLARS

router = APIRouter(tags=["runs"])

_NO_STORE = {"cache-control": "no-store"}
_EXAMPLE = {
    "from_step": "image_to_video",
    "input": {"chain_models": {"image_to_video_model": "relaydance/seedance-1-5-pro-no-audio"}},
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "from_step": {
                            "type": ["string", "null"],
                            "description": "The step to do again, with those after it; by default the first that did "
                            "not succeed.",
                        },
                        "input": {
                            "type": "object",
                            "description": "Changes to the earlier input, parameter by parameter; null takes one away.",
                        },
                        "metadata": {"type": "object", "description": "The earlier run's where none is given."},
                        "webhook_url": {
                            "type": ["string", "null"],
                            "description": "The earlier run's where none is given; null for no callback.",
                        },
                        "webhook_events": {
                            "type": ["array", "null"],
                            "items": {"enum": list(CHOICES)},
                            "minItems": 1,
                            "description": f"The earlier run's where none are given; null for {CHOICES[0]}.",
                        },
                        "fallbacks": {
                            "type": ["boolean", "null"],
                            "description": "The earlier run's where it is not given; null for true.",
                        },
                        "max_cost": DOLLARS
                        | {
                            "description": "US dollars, for the new run alone. The earlier run's where none is given; "
                            "null for no limit.",
                        },
                        "resubmit_unknown": {
                            "type": ["boolean", "null"],
                            "description": "Never the earlier run's: whoever takes the risk of paying twice again says "
                            "so again.",
                        },
                    },
                },
                "example": _EXAMPLE,
            }
        },
    }
}


@router.post(
    "/api/v1/chains/runs/{run_id}/retry",
    status_code=202,
    summary="Retry a run from a step on",
    responses=examples.responses(202, 400, 401, 404, 409, 413, 429, 503),
    openapi_extra=_BODY,
)
async def retry_run(
    request: Request,
    run_id: RunId,
    caller: Runner,
    held: Held,
    idempotency_key: IdempotencyKey,
    dry_run: Annotated[bool, Query(description="Show the plan, as the estimate does, and start nothing.")] = False,
) -> JSONResponse:
    """Start a new run that reuses the stored outputs of the steps before `from_step`: they are not paid for again."""
    body = await read_object(request)
    from_step = body.get("from_step")
    if from_step is not None and not isinstance(from_step, str):
        raise RequestError("from_step must be a text.", faults=[Fault(("from_step",), "must be the key of a step")])
    retry = RetryRequest(read_envelope(body), from_step, frozenset(body))
    if dry_run:
        plan = await held.runs.settle(await held.retries.plan(run_id, caller, retry))
        return JSONResponse(await held.estimates.of(plan), headers=_NO_STORE)
    run = await held.retries.retry(run_id, caller, retry, idempotency_key, request.state.client_request_id)
    return JSONResponse(run, 202, _NO_STORE | {"location": f"/api/v1/chains/get/{run['id']}"})
