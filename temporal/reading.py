"""Read runs: a snapshot from the memo, a plan from the first history event. Neither needs a worker."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.plan import ChainPlan
from domain.runs import Snapshot, terminated
from domain.waiting import Facts
from temporal.facts import facts_of

_CACHED_PLANS = 2_000
_PLANS_AT_ONCE = 20
_RPC = timedelta(seconds=5)


@dataclass(frozen=True)
class StoredRun:
    plan: ChainPlan
    snapshot: Snapshot
    fingerprint: dict[str, str]
    facts: Facts | None = None
    """None where the server was not asked about this one run, or no longer knows it."""


@dataclass(frozen=True)
class Found:
    """One page of what visibility knows, and where the next begins."""

    runs: list[StoredRun]
    next_page: bytes | None


class RunReader:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._plans: OrderedDict[str, ChainPlan] = OrderedDict()
        self._reading = asyncio.Semaphore(_PLANS_AT_ONCE)

    async def read(self, run_id: str) -> StoredRun | None:
        """None when Temporal does not, or no longer, know the run."""
        try:
            description, plan = await asyncio.gather(
                self._client.get_workflow_handle(run_id).describe(rpc_timeout=_RPC), self.plan(run_id)
            )
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        snapshot = _as_closed(description, await description.memo_value("snapshot", type_hint=Snapshot))
        fingerprint: dict[str, str] = await description.memo_value("fingerprint", {}, type_hint=dict[str, str])
        return StoredRun(plan, snapshot, fingerprint, facts_of(description.raw_description))

    async def find(self, query: str, size: int, page: bytes | None) -> Found:
        """The rows of a visibility query, in the server's order: running ones first, the newest first of all."""
        rows = self._client.list_workflows(query, page_size=size, next_page_token=page, rpc_timeout=_RPC)
        await rows.fetch_next_page()
        runs = await asyncio.gather(*(self._listed(row) for row in rows.current_page or ()))
        return Found([run for run in runs if run is not None], rows.next_page_token)

    async def plan(self, run_id: str) -> ChainPlan:
        """A plan never changes, so it is read once and kept."""
        if run_id in self._plans:
            self._plans.move_to_end(run_id)
            return self._plans[run_id]
        events = self._client.get_workflow_handle(run_id).fetch_history_events(page_size=1, rpc_timeout=_RPC)
        first = await anext(events)
        payloads = first.workflow_execution_started_event_attributes.input.payloads
        decoded: list[ChainPlan] = await self._client.data_converter.decode(payloads, [ChainPlan])
        plan = decoded[0]
        self.remember(plan)
        return plan

    def remember(self, plan: ChainPlan) -> None:
        self._plans[plan.run_id] = plan
        if len(self._plans) > _CACHED_PLANS:
            self._plans.popitem(last=False)

    async def _listed(self, row: WorkflowExecution) -> StoredRun | None:
        """None for what is no run, and for a run that the server forgets at this moment."""
        snapshot: Snapshot | None = await row.memo_value("snapshot", None, type_hint=Snapshot)
        if snapshot is None:
            return None
        try:
            async with self._reading:
                plan = await self.plan(row.id)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return StoredRun(plan, _as_closed(row, snapshot), {})


def _as_closed(execution: WorkflowExecution | WorkflowExecutionDescription, snapshot: Snapshot) -> Snapshot:
    """A closed workflow whose memo says otherwise was ended from outside."""
    if execution.status is WorkflowExecutionStatus.RUNNING or snapshot.status.ended:
        return snapshot
    return terminated(snapshot, execution.close_time or datetime.now(UTC))
