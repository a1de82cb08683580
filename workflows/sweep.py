"""The minute's look for what fell through: runs that were closed from outside, and media that are past their time."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from temporal import names

_TAKES = timedelta(minutes=1)
_ONCE = RetryPolicy(maximum_attempts=1)


@workflow.defn(name=names.SWEEP)
class SweepWorkflow:
    @workflow.run
    async def run(self) -> None:
        # A pass that fails is not tried again: the next one comes within the minute, and looks at the same things.
        failure: ActivityError | None = None
        for number, activity in enumerate(("finish_runs", "sweep_media"), start=1):
            try:
                await workflow.execute_activity(
                    activity,
                    activity_id=f"{number}.{activity}",
                    start_to_close_timeout=_TAKES,
                    retry_policy=_ONCE,
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                # One that fails in every pass must not keep the other from ever being done.
                failure = failure or error
        if failure is not None:
            raise failure
