"""What comes after a run: archive it, then deliver its callback on a durable schedule.

A workflow of its own, so that a dead receiver holds no run open.
"""

from temporalio import workflow

from activities.calls import AfterRun, Delivery
from domain.callbacks import RUN_COMPLETED, Event
from temporal import names
from workflows import policies
from workflows.delivery import deliver


@workflow.defn(name=names.AFTER_RUN)
class AfterRunWorkflow:
    @workflow.run
    async def run(self, call: AfterRun) -> Delivery | None:
        if call.callback:
            # The first delivery archives the run by itself: nobody waits for another trip to the server.
            return await deliver(Event(RUN_COMPLETED, call.run_id), policies.DELIVERY_DELAYS)
        await workflow.execute_activity(
            "archive",
            call.run_id,
            activity_id="archive",
            start_to_close_timeout=policies.QUICK_CALL,
            retry_policy=policies.STORE_RETRY,
            summary="write the ended run to the archive",
        )
        return None
