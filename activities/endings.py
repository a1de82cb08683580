"""What happens once a run has ended: the archive, and the request that closes a canceled workflow."""

from dataclasses import dataclass

from temporalio import activity
from temporalio.client import Client

from activities.archiving import Archiver


@dataclass(frozen=True)
class EndingActivities:
    client: Client
    archiver: Archiver

    @activity.defn(name="archive")
    async def archive(self, run_id: str) -> None:
        """Write the ended run down. The first write stands: a repeat changes nothing."""
        await self.archiver.write(run_id)

    @activity.defn(name="request_cancel")
    async def request_cancel(self, run_id: str) -> None:
        """Ask for the cancellation that lets a canceled run close as Canceled. Safe to repeat."""
        await self.client.get_workflow_handle(run_id).cancel()
