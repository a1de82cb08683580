"""What a failed activity means: the one place that reads Temporal's failures."""

from typing import Any

from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimedOut

from activities.calls import StepFailure
from domain.errors import DeadlineExceeded, NeverStarted, Next, StartUnknown, StepError

UNKNOWN_START = StartUnknown.code
NEVER_STARTED = NeverStarted.code
NEVER_SENT = "never_sent"
SENDING = "sending"
"""The heartbeat detail that the fence leaves at the server just before the request is written."""


def read_failure(error: ActivityError) -> StepFailure:
    cause = error.cause
    if isinstance(cause, ActivityTimedOut):
        return _timed_out(cause)
    if isinstance(cause, ApplicationError):
        if cause.type == "JobPending":
            return deadline_passed()
        return _application(cause)
    return StepFailure(StepError.code, str(cause or error), Next.END_STEP)


def _timed_out(cause: ActivityTimedOut) -> StepFailure:
    # The worker died or hung. Whether the paid request was written is what its last heartbeat says, and nothing else:
    # the server gives the refusal of an earlier try as the cause.
    if SENDING in cause.last_heartbeat_details:
        return StepFailure(UNKNOWN_START, "The worker was lost while it started the job.", Next.END_STEP)
    if cause.type is not TimeoutType.SCHEDULE_TO_CLOSE:
        return StepFailure(NEVER_SENT, "The worker was lost before it sent the request.", Next.RETRY_HERE)
    last = cause.cause
    if isinstance(last, ApplicationError) and last.type != "JobPending":
        return _application(last)
    return deadline_passed()


def _application(cause: ApplicationError) -> StepFailure:
    if cause.details and isinstance(cause.details[0], dict):
        fields: dict[str, Any] = cause.details[0]
        return StepFailure(
            code=fields["code"],
            message=fields["message"],
            next=Next(fields["next"]),
            facts=dict(fields.get("facts") or {}),
        )
    return StepFailure(StepError.code, cause.message, Next.END_STEP)


def deadline_passed() -> StepFailure:
    return StepFailure(
        DeadlineExceeded.code, "The step's deadline passed before its job had ended.", DeadlineExceeded.next
    )
