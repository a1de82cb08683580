"""What comes after a run: archive it, then deliver its callback on a durable schedule.

A workflow of its own, so that a dead receiver holds no run open.
"""

from datetime import timedelta

from temporalio import workflow

from activities.calls import AfterRun, Delivery
from temporal import names
from workflows import policies


@workflow.defn(name=names.AFTER_RUN)
class AfterRunWorkflow:
    @workflow.run
    async def run(self, call: AfterRun) -> Delivery | None:
        if call.callback:
            # The first delivery archives the run by itself: nobody waits for another trip to the server.
            return await self._deliver(call.run_id)
        await workflow.execute_activity(
            "archive",
            call.run_id,
            activity_id="archive",
            start_to_close_timeout=policies.QUICK_CALL,
            retry_policy=policies.STORE_RETRY,
            summary="write the ended run to the archive",
        )
        return None

    async def _deliver(self, run_id: str) -> Delivery:
        delivery = Delivery(delivered=False)
        for number, delay in enumerate(policies.DELIVERY_DELAYS, start=1):
            if pause := _with_jitter(max(delay, timedelta(seconds=delivery.retry_after or 0))):
                await workflow.sleep(pause, summary=f"before delivery attempt {number}")
            delivery = await workflow.execute_activity(
                "deliver",
                run_id,
                result_type=Delivery,
                activity_id=f"deliver.{number}",
                start_to_close_timeout=policies.QUICK_CALL,
                retry_policy=policies.STORE_RETRY,
                summary=f"callback, attempt {number}",
            )
            if delivery.delivered or delivery.gone:
                break
        return delivery


def _with_jitter(delay: timedelta) -> timedelta:
    """Up to a tenth more, so that a receiver that comes back is not met by everyone at once."""
    return delay * (1 + workflow.random().random() / 10) if delay else delay
