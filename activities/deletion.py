"""Take an ended run away: its executions, the assets that nobody else uses, its rows. The money rows stay."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
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

MOST_SWEPT = 50
"""Runs whose media one pass takes away."""

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
        """Every part may be repeated; the rows go last, since they say which assets the run had."""
        await self.removals.mark(run_id, What.RUN, self.now())
        await self._delete_executions(run_id)
        await self._release_assets(run_id)
        await self.removals.purge(run_id)
        log.info("run_deleted", run_id=run_id)

    @activity.defn(name="sweep_media")
    async def sweep_media(self) -> int:
        """Let go of the media of runs that ended before the retention; the runs stay readable."""
        if self.retention is None:
            return 0
        due = await self.removals.expired(self.now() - self.retention, MOST_SWEPT)
        for run_id in due:
            await self._release_assets(run_id)
            await self.removals.mark(run_id, What.MEDIA, self.now())
        if due:
            log.info("media_swept", runs=len(due))
        return len(due)

    async def _release_assets(self, run_id: str) -> None:
        archived = await self.archive.get(run_id)
        if archived is not None:
            for asset in assets_of(PLAN.validate_json(archived.plan), SNAPSHOT.validate_json(archived.snapshot)):
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
