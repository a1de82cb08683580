"""Is this process alive, and can it serve?"""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from api import examples
from api.envelopes import envelope
from api.services import Held
from storage.reachable import is_reachable
from temporal.connection import is_serving, missing_search_attributes

router = APIRouter(tags=["health"])

_SEEN_WITHIN = timedelta(seconds=70)
"""Pollers ask again at least once a minute."""


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/api/health", summary="Is the database there?", responses=examples.responses(503))
async def health(held: Held) -> JSONResponse:
    """For monitors written for the original: 200 while the database answers, 503 while it does not."""
    if await is_reachable(held.database):
        return envelope({"service": "babychain", "database": "ok"})
    return envelope({"service": "babychain", "database": "unreachable"}, 503)


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
    return {"status": "ok", "temporal": "ok", "worker": "polling" if await _polled(client, task_queue) else "absent"}


async def _polled(client: Client, task_queue: str) -> bool:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        ),
        timeout=timedelta(seconds=3),
    )
    since = datetime.now(UTC) - _SEEN_WITHIN
    return any(poller.last_access_time.ToDatetime(UTC) >= since for poller in answer.pollers)
