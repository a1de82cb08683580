"""What is left of the cron endpoint's work: a look at the run that has waited longest, now instead of at its next turn.

The nudge is what a provider's webhook is: a signal that makes the run read its job's status once. It starts nothing,
sends no submit again and overrides no Retry-After, so calling it too often costs four history events and no money.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from temporalio.client import WorkflowExecution
from temporalio.service import RPCError

from api.runs import Runs
from domain.provider import Notice
from domain.runs import Snapshot, StepStatus
from domain.tokens import AttemptToken
from temporal import names

log = structlog.get_logger("babychain.cron")

Json = dict[str, Any]

AGAIN_AFTER = 60.0
"""Seconds before the same run is nudged again: until then it is the turn of others."""

_AGES = tuple(timedelta(seconds=seconds) for seconds in (86_400, 3_600, 600, 60, 0))
_MOST_SEEN = 500
_RPC = timedelta(seconds=5)


@dataclass
class Nudger:
    runs: Runs
    clock: Callable[[], float] = time.monotonic
    _nudged: dict[str, float] = field(default_factory=dict)

    async def nudge(self, limit: int) -> list[Json]:
        """Nudge the oldest waiting runs. What goes wrong with one of them is said with it, and stops no other."""
        now = self.clock()
        self._nudged = {run_id: at for run_id, at in self._nudged.items() if now - at < AGAIN_AFTER}
        processed: list[Json] = []
        for run in (await self._oldest())[:limit]:
            self._nudged[run.id] = now
            processed.append(await self._nudge(run))
        return processed

    async def _oldest(self) -> list[WorkflowExecution]:
        """Visibility gives no order of its own, so it is asked for ever younger runs until some are found."""
        now = datetime.now(UTC)
        ours = f"TaskQueue = '{self.runs.task_queue}' AND {names.TEMPLATE.name} IS NOT NULL"
        for age in _AGES:
            query = f"{ours} AND ExecutionStatus = 'Running' AND StartTime <= '{(now - age).isoformat()}'"
            listed = self.runs.client.list_workflows(query, limit=_MOST_SEEN, rpc_timeout=_RPC)
            found = [run async for run in listed if run.id not in self._nudged]
            if found:
                return sorted(found, key=lambda run: run.start_time)
        return []

    async def _nudge(self, run: WorkflowExecution) -> Json:
        snapshot: Snapshot = await run.memo_value("snapshot", type_hint=Snapshot)
        answer: Json = {"id": run.id, "status": str(snapshot.status)}
        waiting = [step for step in snapshot.steps if step.status is StepStatus.RUNNING and step.attempts]
        if waiting and waiting[0].attempts[-1].job:
            token = AttemptToken(run.id, waiting[0].key, waiting[0].attempts[-1].n)
            minute = int(time.time() // AGAIN_AFTER)
            try:
                await self.runs.report(token, Notice(status=f"nudged-{minute}"))
            except RPCError as error:
                answer["error"] = f"The workflow server did not take the nudge: {error.status.name}."
        log.info("run_nudged", run_id=run.id, status=answer["status"])
        return answer
