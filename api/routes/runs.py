"""Create, read, list, watch and cancel runs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api import examples
from api.bodies import read_object
from api.events import last_seen
from api.listing import URL, RunQuery
from api.requests import read_envelope
from api.services import Held, IdempotencyKey, Reader, RunId, Runner, Stopper, Template
from api.waiting import wait_asked, while_connected
from temporal.reading import StoredRun

router = APIRouter(tags=["runs"])

_NO_STORE = {"cache-control": "no-store"}

Prefer = Annotated[
    list[str] | None, Header(description="`wait=N`: answer at the run's end, or after N seconds (at most 60).")
]


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
    idempotency_key: IdempotencyKey,
    prefer: Prefer = None,
    dry_run: Annotated[
        bool, Query(description="Only show the plan, as the estimate does: nothing is started.")
    ] = False,
) -> JSONResponse:
    """Start the chain and answer at once. The same Idempotency-Key and body give the same run, however often.

    With `Prefer: wait=N` the answer comes with the run's end. It is still 202: `status` says whether the run has ended.
    """
    envelope = read_envelope(await read_object(request))
    if dry_run:
        plan = await held.runs.settle(held.runs.plan(template, caller, envelope))
        return JSONResponse(await held.estimates.of(plan), headers=_NO_STORE)
    run = await held.runs.create(template, caller, envelope, idempotency_key, request.state.client_request_id)
    headers = _NO_STORE | {"location": f"/api/v1/chains/get/{run['id']}"}
    if (seconds := wait_asked(prefer)) is not None:
        later = await while_connected(request, held.runs.get_later(run["id"], caller, seconds))
        if later is not None:
            return JSONResponse(later, 202, headers | _applied(seconds))
    return JSONResponse(run, 202, headers)


@router.get(
    "/api/v1/chains/get/{run_id}",
    summary="Read a run",
    responses=examples.responses(200, 400, 401, 404, 503),
)
async def get_run(request: Request, run_id: RunId, caller: Reader, held: Held, prefer: Prefer = None) -> JSONResponse:
    """The run as it is now, from creation to long after its end. `Prefer: wait=N` waits for that end."""
    if (seconds := wait_asked(prefer)) is not None:
        later = await while_connected(request, held.runs.get_later(run_id, caller, seconds))
        if later is not None:
            return JSONResponse(later, headers=_NO_STORE | _applied(seconds))
    return _run(await held.runs.get(run_id, caller))


@router.get(URL, summary="List runs", responses=examples.responses(400, 401, 503) | examples.LIST)
async def list_runs(caller: Reader, held: Held, query: Annotated[RunQuery, Query()]) -> JSONResponse:
    """Your runs: those under way first, the newest on top, then the ended ones, the latest end first.

    A row is the run without `input` and `metadata`. A run appears within a second or so of its creation. A page may
    hold fewer rows than `limit` while `has_more` is true.
    """
    return JSONResponse(await held.runs.listing.page(caller.id, query), headers=_NO_STORE)


@dataclass(frozen=True)
class Listener:
    run: StoredRun
    seen: int | None


async def listener(
    run_id: RunId,
    caller: Reader,
    held: Held,
    response: Response,
    last_event_id: Annotated[
        str | None, Header(description="The last id you have seen: nothing before it comes.")
    ] = None,
) -> AsyncIterator[Listener]:
    """Everything that may refuse a stream, before its first byte; and its place among the caller's listeners."""
    seen = last_seen(last_event_id)
    run = await held.runs.own(run_id, caller)
    response.headers["cache-control"] = "no-store"
    if seen is None:
        # A browser comes again whenever a stream ends, unless it is told that nothing follows.
        response.status_code = 204
    with held.runs.listeners.one_more(caller.id):
        yield Listener(run, seen)


@router.get(
    "/api/v1/chains/runs/{run_id}/events",
    summary="Watch a run",
    response_class=EventSourceResponse,
    responses=examples.responses(400, 401, 404, 429, 503) | examples.EVENTS,
)
async def run_events(listening: Annotated[Listener, Depends(listener)], held: Held) -> AsyncIterator[ServerSentEvent]:
    """Each state the run has had, then each new one as it comes, as Server-Sent Events.

    `run` carries the run as the list shows it, and an id for `Last-Event-ID`: with it nothing is missed and nothing
    comes twice, also after the run's end. `waiting` says what a live run waits for, and has no id. `end` is the last.
    """
    async for event in held.runs.events.of(listening.run, listening.seen):
        yield event


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


def _applied(seconds: int) -> dict[str, str]:
    return {"preference-applied": f"wait={seconds}"}
