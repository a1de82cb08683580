"""The one Schedule: a sweep every minute. Created by whichever worker starts first, and kept as it should be."""

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from temporal import names

EVERY = timedelta(minutes=1)
_LONGEST = timedelta(minutes=5)


async def ensure_sweep(client: Client, task_queue: str = names.TASK_QUEUE) -> str:
    """Create the Schedule, or bring it up to date; several processes may do so at once. Answers its id."""
    wanted = _sweep(task_queue)
    schedule_id = sweep_id(task_queue)
    try:
        await client.create_schedule(schedule_id, wanted)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(schedule_id).update(lambda known: _updated(known, wanted))
    return schedule_id


def sweep_id(task_queue: str) -> str:
    return f"{task_queue}-{names.SWEEP}"


def _updated(known: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    """An operator's pause, and the reason given for it, stay."""
    wanted.state = known.description.schedule.state
    return ScheduleUpdate(wanted)


def _sweep(task_queue: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            names.SWEEP, id=sweep_id(task_queue), task_queue=task_queue, execution_timeout=_LONGEST
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
        # A pass looks at all there is, so one that was missed needs no catching up.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=EVERY),
    )
