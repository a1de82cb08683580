"""Finish what was closed from outside: a run that an operator or the server ended has no after-run of its own."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import ValidationError
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.calls import AfterRun
from domain.callbacks import RUN_COMPLETED
from storage.deletion import Removals
from temporal import names
from temporal.reading import RunReader

log = structlog.get_logger("babychain.sweep")

MOST_STARTED = 100
"""After-runs that one pass starts; the next pass goes on."""

_MOST_SEEN = 2_000
_RECENTLY = timedelta(hours=1)
_JUST_NOW = timedelta(minutes=1)
_BROKEN = "'Failed', 'Terminated', 'TimedOut', 'Canceled'"
_RPC = timedelta(seconds=10)


@dataclass(frozen=True)
class SweepActivities:
    client: Client
    runs: RunReader
    removals: Removals
    task_queue: str

    @activity.defn(name="finish_runs")
    async def finish_runs(self) -> int:
        """Start the after-run of closed runs that the archive does not hold. How many were started."""
        started = 0
        for query in self._queries(datetime.now(UTC)):
            for run_id in await self._unfinished(query, MOST_STARTED - started):
                started += await self._finish(run_id)
        if started:
            log.warning("runs_finished_by_sweep", count=started)
        return started

    def _queries(self, now: datetime) -> tuple[str, ...]:
        """Closed without a last word; after-runs that were themselves ended; and all that closed of late."""
        ours = f'TaskQueue = "{self.task_queue}"'
        wordless = f"{ours} AND ExecutionStatus != 'Running' AND {names.STATUS.name} IN ('queued', 'running')"
        broken = f"{ours} AND WorkflowType = '{names.AFTER_RUN}' AND ExecutionStatus IN ({_BROKEN})"
        # A run that closed a moment ago is just being archived.
        closed = f"CloseTime BETWEEN '{(now - _RECENTLY).isoformat()}' AND '{(now - _JUST_NOW).isoformat()}'"
        recent = f"{ours} AND {names.TEMPLATE.name} IS NOT NULL AND {closed}"
        return wordless, broken, recent

    async def _unfinished(self, query: str, most: int) -> list[str]:
        listed = self.client.list_workflows(query, limit=_MOST_SEEN, page_size=200, rpc_timeout=_RPC)
        seen = list(dict.fromkeys([found.id.removeprefix(names.after_run_id("")) async for found in listed]))
        unfinished: list[str] = []
        for start in range(0, len(seen), 200):
            page = seen[start : start + 200]
            known = await self.removals.known(page)
            unfinished += [run_id for run_id in page if run_id not in known]
            if len(unfinished) >= most:
                break
        return unfinished[:most]

    async def _finish(self, run_id: str) -> bool:
        try:
            run = await self.runs.read(run_id)
        except ValidationError:
            # Written by a version that is long gone. Of its words none is logged, and the others have their turn.
            log.warning("run_not_readable", run_id=run_id)
            return False
        if run is None or not run.snapshot.status.ended:
            return False
        call = AfterRun(run_id=run_id, callback=run.plan.tells(RUN_COMPLETED))
        if await self._start(call, WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY):
            return True
        # It goes on, or it did its work. Then the archive holds the run, unless it lost what it held: what was
        # delivered is not delivered again.
        after = await self.client.get_workflow_handle(names.after_run_id(run_id)).describe(rpc_timeout=_RPC)
        if after.status is not WorkflowExecutionStatus.COMPLETED or await self.removals.known([run_id]):
            return False
        return await self._start(replace(call, callback=False), WorkflowIDReusePolicy.ALLOW_DUPLICATE)

    async def _start(self, call: AfterRun, reuse: WorkflowIDReusePolicy) -> bool:
        """The id is the run's own, so two that finish the same run start one after-run."""
        try:
            await self.client.start_workflow(
                names.AFTER_RUN,
                call,
                id=names.after_run_id(call.run_id),
                task_queue=self.task_queue,
                id_reuse_policy=reuse,
                static_summary="archive and callback, by the sweep",
            )
        except WorkflowAlreadyStartedError:
            return False
        return True
