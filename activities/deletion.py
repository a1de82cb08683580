"""Take an ended run away: its executions, the assets that nobody else uses, its rows. The money rows stay."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import ValidationError
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

from activities.archiving import PLAN, SNAPSHOT, assets_of
from storage.archive import Archive
from storage.asset_uses import AssetUses
from storage.deletion import Removals, What
from temporal import names

log = structlog.get_logger("babychain.deletion")

AT_ONCE = 20
"""Runs that a sweep asks for in one go."""

_SWEEPING = 40.0
"""Seconds after which a pass leaves the rest to the next one: its activity has a minute."""

_LOOKS = 20
_BETWEEN_LOOKS = 0.25
_LOOK_AGAIN = timedelta(seconds=5)
_RPC = timedelta(seconds=5)


@dataclass(frozen=True)
class DeletionActivities:
    client: Client
    archive: Archive
    removals: Removals
    uses: AssetUses
    retention: timedelta | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @activity.defn(name="delete_run")
    async def delete_run(self, run_id: str) -> None:
        """Every part may be repeated; the rows go last, since they say which assets the run had.

        They are read before the mark: an archive that comes late takes them away as soon as it sees that.
        """
        assets = await self._assets(run_id)
        await self.removals.mark(run_id, What.RUN, self.now())
        await self._delete_executions(run_id)
        await self._release(run_id, assets)
        await self.removals.purge(run_id)
        log.info("run_deleted", run_id=run_id)

    @activity.defn(name="sweep_media")
    async def sweep_media(self) -> int:
        """Let go of the media of runs that ended before the retention; the runs stay readable."""
        if self.retention is None:
            return 0
        before = self.now() - self.retention
        swept, over = 0, time.monotonic() + _SWEEPING
        while time.monotonic() < over and (due := await self.removals.expired(before, AT_ONCE)):
            for run_id in due:
                await self._sweep(run_id)
            swept += len(due)
        if swept:
            log.info("media_swept", runs=swept)
        return swept

    async def _sweep(self, run_id: str) -> None:
        try:
            assets = await self._assets(run_id)
        except ValidationError:
            # Written by a version that is long gone. Left unmarked, it would be the oldest in every pass from now on.
            log.warning("run_not_readable", run_id=run_id)
            assets = []
        await self._release(run_id, assets)
        await self.removals.mark(run_id, What.MEDIA, self.now())

    async def _assets(self, run_id: str) -> list[str]:
        archived = await self.archive.get(run_id)
        if archived is None:
            return []
        return assets_of(PLAN.validate_json(archived.plan), SNAPSHOT.validate_json(archived.snapshot))

    async def _release(self, run_id: str, assets: list[str]) -> None:
        for asset in assets:
            await self.uses.release(asset, run_id, self.now())
        await self.uses.release_kept(run_id, self.now())

    async def _delete_executions(self, run_id: str) -> None:
        """The run, what came after it, and its deliveries; whatever still goes on is terminated by the server."""
        for workflow_id in (names.after_run_id(run_id), run_id):
            await self._delete(WorkflowExecution(workflow_id=workflow_id))
        # An operator's reset leaves older executions under the same id, which only the list knows. And the server
        # deletes a closed one in its own time: within half a minute, unless it is told to keep its books more often
        # (history.transferProcessorUpdateAckInterval).
        for _ in range(_LOOKS):
            left = [
                WorkflowExecution(workflow_id=found.id, run_id=found.run_id)
                async for found in self.client.list_workflows(_executions_of(run_id), rpc_timeout=_RPC)
            ]
            if not left:
                return
            for execution in left:
                await self._delete(execution)
            await asyncio.sleep(_BETWEEN_LOOKS)
        raise _not_yet()

    async def _delete(self, execution: WorkflowExecution) -> None:
        request = DeleteWorkflowExecutionRequest(namespace=self.client.namespace, workflow_execution=execution)
        try:
            await self.client.workflow_service.delete_workflow_execution(request, retry=True, timeout=_RPC)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


def _not_yet() -> ApplicationError:
    return ApplicationError(
        "the server has yet to delete what the run left",
        type="DeletionPending",
        next_retry_delay=_LOOK_AGAIN,
        category=ApplicationErrorCategory.BENIGN,
    )


def _executions_of(run_id: str) -> str:
    ids = f'"{run_id}", "{names.after_run_id(run_id)}"'
    return f'WorkflowId IN ({ids}) OR WorkflowId STARTS_WITH "{names.deliveries_of(run_id)}"'
