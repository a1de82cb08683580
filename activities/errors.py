"""Our errors -> Temporal's. The type is the error's code; whether the server repeats it is the class's own word."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.calls import StepFailure
from domain.errors import Next, StepError


@contextmanager
def as_application_error() -> Iterator[None]:
    try:
        yield
    except StepError as error:
        raise application_error(error) from error


def application_error(error: StepError) -> ApplicationError:
    facts = {name: value for name, value in error.facts.items() if isinstance(value, (str, int, float, bool))}
    again = error.next is Next.RETRY_HERE
    return ApplicationError(
        error.message,
        asdict(StepFailure(error.reason, error.message, error.next, facts)),
        type=error.reason,
        non_retryable=not again,
        next_retry_delay=timedelta(seconds=error.retry_after) if error.retry_after is not None and again else None,
        category=ApplicationErrorCategory.BENIGN if again else ApplicationErrorCategory.UNSPECIFIED,
    )


def still_pending(seconds: float) -> ApplicationError:
    """Not a failure: the job goes on, and the slot is given back until the next look."""
    return ApplicationError(
        "the job goes on",
        type="JobPending",
        next_retry_delay=timedelta(seconds=seconds),
        category=ApplicationErrorCategory.BENIGN,
    )
