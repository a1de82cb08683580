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

PAGE = 200
_MOST_RECENT = 2_000
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
    page: int = PAGE

    @activity.defn(name="finish_runs")
    async def finish_runs(self) -> int:
        """Start the after-run of closed runs that the archive does not hold. How many were started."""
        started = 0
        for query, most_seen in self._queries(datetime.now(UTC)):
            for run_id in await self._unfinished(query, most_seen, MOST_STARTED - started):
                started += await self._finish(run_id)
        if started:
            log.warning("runs_finished_by_sweep", count=started)
        return started

    def _queries(self, now: datetime) -> tuple[tuple[str, int | None], ...]:
        """Closed without a last word; after-runs that were themselves ended; and all that closed of late.

        The first two are few, or something went wrong: then the list goes on showing those that are done with, and
        behind them are those that are not. Of the last only the newest are looked at, and those by every pass.
        """
        ours = f'TaskQueue = "{self.task_queue}"'
        wordless = f"{ours} AND ExecutionStatus != 'Running' AND {names.STATUS.name} IN ('queued', 'running')"
        broken = f"{ours} AND WorkflowType = '{names.AFTER_RUN}' AND ExecutionStatus IN ({_BROKEN})"
        # A run that closed a moment ago is just being archived.
        closed = f"CloseTime BETWEEN '{(now - _RECENTLY).isoformat()}' AND '{(now - _JUST_NOW).isoformat()}'"
        recent = f"{ours} AND {names.TEMPLATE.name} IS NOT NULL AND {closed}"
        return (wordless, None), (broken, None), (recent, _MOST_RECENT)

    async def _unfinished(self, query: str, most_seen: int | None, most: int) -> list[str]:
        listed = self.client.list_workflows(query, page_size=self.page, rpc_timeout=_RPC)
        seen, unfinished = 0, dict[str, None]()
        while len(unfinished) < most and (most_seen is None or seen < most_seen):
            await listed.fetch_next_page()
            page = [found.id.removeprefix(names.after_run_id("")) for found in listed.current_page or ()]
            seen += len(page)
            known = await self.removals.known(page)
            unfinished |= dict.fromkeys(run_id for run_id in page if run_id not in known)
            if not listed.next_page_token:
                break
        return list(unfinished)[:most]

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
