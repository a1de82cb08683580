"""Is this process alive, and can it serve?"""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from temporalio.client import Client
from temporalio.service import RPCError

from api import examples
from api.envelopes import envelope
from api.services import Held
from storage.reachable import is_reachable
from temporal.connection import is_serving, missing_search_attributes
from temporal.pollers import is_polled

router = APIRouter(tags=["health"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> dict[str, str]:
    """Asks nobody else, so it answers while everything else is away."""
    return {"status": "ok"}


@router.head("/api/health", include_in_schema=False)
@router.get("/api/health", summary="Is the database there?", responses=examples.responses(503))
async def health(held: Held) -> JSONResponse:
    """For monitors written for the original: 200 while the database answers, 503 while it does not."""
    if await is_reachable(held.database):
        return envelope({"service": "babychain", "database": "ok"})
    return envelope({"service": "babychain", "database": "unreachable"}, 503)


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", summary="Can runs be created, and is somebody working on them?")
async def readyz(held: Held) -> JSONResponse:
    """200 when Temporal answers and the search attributes exist. Without a worker runs are accepted and wait."""
    try:
        ready = await _readiness(held.client, held.runs.task_queue)
    except RPCError as error:
        ready = {"status": "unavailable", "temporal": "unreachable", "reason": error.status.name.lower()}
    return JSONResponse(ready, 200 if ready["status"] == "ok" else 503, {"cache-control": "no-store"})


async def _readiness(client: Client, task_queue: str) -> dict[str, Any]:
    if not await is_serving(client):
        return {"status": "unavailable", "temporal": "unreachable"}
    if missing := await missing_search_attributes(client):
        return {
            "status": "unavailable",
            "temporal": "ok",
            "missing_search_attributes": missing,
            "remedy": "Run 'babychain setup'.",
        }
    return {"status": "ok", "temporal": "ok", "worker": "polling" if await is_polled(client, task_queue) else "absent"}
