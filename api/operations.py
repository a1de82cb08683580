"""What operators ask about all runs at once: who works, what waits, what does not arrive; and stopping many runs."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import structlog
import uuid_utils
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from temporalio.api.batch.v1 import BatchOperationSignal
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.workflowservice.v1 import StartBatchOperationRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from api.callers import Caller
from api.listing import a_pair, list_row, read_archived
from api.moments import Moment
from api.runs import Runs
from domain.callbacks import Sent, state_of
from domain.errors import Fault, LimitError, RequestError
from domain.runs import CancelRequested
from domain.timestamps import micros
from storage.failing import FailingDeliveries
from storage.prompts import Prompts
from temporal import names
from temporal.pollers import SEEN_WITHIN
from temporal.queues import Queue, queue_of

log = structlog.get_logger("babychain.api")

Json = dict[str, Any]

FAILING_FOR = timedelta(days=7)
_MOST_FAILING = 50
_RPC = timedelta(seconds=5)

Plain = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_.:/=@+ -]*$")]
"""Here the server's query alone decides which runs are meant, so it gets no character that it might misread."""


class CancelMany(BaseModel):
    """A live run of the caller's is stopped when everything named here is true of it."""

    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] = Field([], max_length=100, description="These runs.")
    template: Plain | None = Field(None, description="A chain's slug.")
    tag: list[Plain] = Field([], max_length=10, description="Entries of `metadata.tags`: all of them.")
    metadata: list[Annotated[Plain, AfterValidator(a_pair)]] = Field(
        [], max_length=10, description="`key=value` of `metadata`: all of them."
    )
    created_after: Moment | None = Field(None, description="Created then or later.")
    created_before: Moment | None = Field(None, description="Created earlier.")
    all: bool = Field(False, strict=True, description="Must be true where nothing else is named.")
    dry_run: bool = Field(False, strict=True, description="Only count.")


def cancel_query(caller: str, order: CancelMany) -> str:
    terms: list[str] = []
    if order.ids:
        terms.append(f"WorkflowId IN ({', '.join(repr(str(run_id)) for run_id in order.ids)})")
    if order.template is not None:
        terms.append(f"{names.TEMPLATE.name} = '{order.template}'")
    terms += [f"{names.TAGS.name} = '{tag}'" for tag in order.tag]
    terms += [f"{names.METADATA.name} = '{pair}'" for pair in order.metadata]
    if order.created_after is not None:
        terms.append(f"StartTime >= '{order.created_after.isoformat()}'")
    if order.created_before is not None:
        terms.append(f"StartTime < '{order.created_before.isoformat()}'")
    if not terms and not order.all:
        fault = Fault(("all",), "must be true to stop every live run, since nothing else is named")
        raise RequestError("Nothing says which runs to stop.", faults=[fault])
    live = f"{names.CALLER.name} = '{caller}' AND ExecutionStatus = 'Running'"
    return " AND ".join([live, f"{names.STATUS.name} IN ('queued', 'running')", *terms])


@dataclass(frozen=True)
class Operations:
    client: Client
    runs: Runs
    prompts: Prompts
    failing: FailingDeliveries

    async def cancel_many(self, caller: Caller, order: CancelMany) -> Json:
        """One batch on the server, which signals each run: it goes on if this process ends."""
        query = cancel_query(caller.id, order)
        count = (await self.client.count_workflows(query, rpc_timeout=_RPC)).count
        shown: Json = {"object": "bulk_cancel", "count": count, "dry_run": order.dry_run}
        if order.dry_run or not count:
            return shown
        batch = str(uuid_utils.uuid7())
        [payload] = await self.client.data_converter.encode([CancelRequested()])
        asked = StartBatchOperationRequest(
            namespace=self.client.namespace,
            visibility_query=query,
            job_id=batch,
            reason="Canceled by their caller.",
            signal_operation=BatchOperationSignal(
                signal="cancel", input=Payloads(payloads=[payload]), identity=self.client.identity
            ),
        )
        try:
            await self.client.workflow_service.start_batch_operation(asked, timeout=_RPC)
        except RPCError as error:
            if error.status is not RPCStatusCode.RESOURCE_EXHAUSTED:
                raise
            # A server carries out one batch at a time, unless it is told to do more.
            raise LimitError("Another bulk cancel is under way.", code="bulk_cancel_busy", retry_after=2.0) from error
        log.info("bulk_cancel_asked", caller=caller.id, batch=batch, count=count)
        return shown | {"id": batch}

    async def search(self, caller: Caller, words: str, limit: int) -> list[Json]:
        found = await self.prompts.search(caller.id, words, limit)
        return [list_row(read_archived(run), self.runs.asset_url) for run in found]

    async def workers(self) -> Json:
        """Who asks for work, and what nobody has taken yet."""
        queue = self.runs.task_queue
        try:
            workflows, activities = await asyncio.gather(
                queue_of(self.client, queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
                queue_of(self.client, queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
            )
        except (RPCError, RuntimeError):
            return {"object": "workers", "task_queue": queue, "temporal": "unreachable", "workers": []}
        shown = {"workflow_tasks": _backlog(workflows), "activities": _backlog(activities)}
        return {
            "object": "workers",
            "task_queue": queue,
            "temporal": "ok",
            "workers": _workers(workflows, activities),
            "backlog": shown,
        }

    async def failing_deliveries(self) -> list[Json]:
        now = datetime.now(UTC)
        return [_failing(sent) for sent in await self.failing.since(now - FAILING_FOR, _MOST_FAILING)]


def _workers(*queues: Queue) -> list[Json]:
    since = datetime.now(UTC) - SEEN_WITHIN
    last: dict[str, datetime] = {}
    for queue in queues:
        for identity, asked in queue.pollers.items():
            last[identity] = max(asked, last.get(identity, asked))
    return [
        {"identity": identity, "last_asked_at": micros(asked), "alive": asked >= since}
        for identity, asked in sorted(last.items())
    ]


def _backlog(queue: Queue) -> Json:
    return {"waiting": queue.waiting, "longest_wait_seconds": round(queue.longest_wait.total_seconds(), 1)}


def _failing(sent: Sent) -> Json:
    shown: Json = {
        "object": "delivery",
        "id": sent.delivery,
        "run_id": sent.run_id,
        "event": sent.event,
        "url": sent.url,
        "status": state_of([sent]),
        "attempts": sent.number,
        "last_attempt_at": micros(sent.at),
    }
    more = {"http_status": sent.status, "error": sent.error}
    if sent.next_at is not None:
        shown["next_attempt_at"] = micros(sent.next_at)
    return shown | {name: value for name, value in more.items() if value is not None}
