"""Read a run: its snapshot from the memo, its plan from the first history event. Neither needs a worker."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.plan import ChainPlan
from domain.runs import Snapshot, terminated

_CACHED_PLANS = 2_000
_RPC = timedelta(seconds=5)


@dataclass(frozen=True)
class StoredRun:
    plan: ChainPlan
    snapshot: Snapshot
    fingerprint: dict[str, str]


class RunReader:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._plans: OrderedDict[str, ChainPlan] = OrderedDict()

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
        snapshot = await description.memo_value("snapshot", type_hint=Snapshot)
        if description.status is not WorkflowExecutionStatus.RUNNING and not snapshot.status.ended:
            snapshot = terminated(snapshot, description.close_time or datetime.now(UTC))
        fingerprint: dict[str, str] = await description.memo_value("fingerprint", {}, type_hint=dict[str, str])
        return StoredRun(plan, snapshot, fingerprint)

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
