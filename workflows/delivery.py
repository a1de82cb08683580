"""One event on its way to a receiver, on a durable schedule: step events, resends and tests. The final callback of a
run goes the same way inside its after-run."""

from datetime import timedelta

from temporalio import workflow

from activities.calls import Delivery
from domain.callbacks import DeliverEvent, Event, Send
from temporal import names
from workflows import policies


@workflow.defn(name=names.DELIVERY)
class DeliveryWorkflow:
    @workflow.run
    async def run(self, call: DeliverEvent) -> Delivery:
        return await deliver(call.event, policies.DELIVERY_DELAYS[:1] if call.once else policies.DELIVERY_DELAYS)


async def deliver(event: Event, delays: tuple[timedelta, ...]) -> Delivery:
    """Try until the receiver takes it, or wants no more, or the schedule is over."""
    pauses = [_with_jitter(delay) for delay in delays]
    delivery = Delivery(delivered=False)
    for number, planned in enumerate(pauses, start=1):
        if pause := max(planned, timedelta(seconds=delivery.retry_after or 0)):
            await workflow.sleep(pause, summary=f"before delivery attempt {number}")
        following = pauses[number] if number < len(pauses) else None
        delivery = await workflow.execute_activity(
            "deliver",
            Send(workflow.info().workflow_id, event, number, following),
            result_type=Delivery,
            activity_id=f"deliver.{number}",
            start_to_close_timeout=policies.QUICK_CALL,
            retry_policy=policies.STORE_RETRY,
            summary=f"{event.kind}, attempt {number}",
        )
        if delivery.delivered or delivery.gone:
            break
    return delivery


def _with_jitter(delay: timedelta) -> timedelta:
    """Up to a tenth more, so that a receiver that comes back is not met by everyone at once."""
    return delay * (1 + workflow.random().random() / 10) if delay else delay
