"""The deletion of an ended run: once asked for, it is finished, whatever restarts meanwhile."""

from datetime import timedelta

from temporalio import workflow

from temporal import names
from workflows import policies

_TAKES = timedelta(minutes=2)


@workflow.defn(name=names.DELETION)
class DeletionWorkflow:
    @workflow.run
    async def run(self, run_id: str) -> None:
        # What it cost must outlive its words: a run that nobody has archived yet is archived first.
        await workflow.execute_activity(
            "archive",
            run_id,
            activity_id="archive",
            start_to_close_timeout=policies.QUICK_CALL,
            retry_policy=policies.STORE_RETRY,
        )
        await workflow.execute_activity(
            "delete_run",
            run_id,
            activity_id="delete",
            start_to_close_timeout=_TAKES,
            retry_policy=policies.STORE_RETRY,
            summary="executions, assets, rows",
        )
