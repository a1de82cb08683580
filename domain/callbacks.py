"""What callers can be told by a callback, and what is known of one delivery of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

RUN_COMPLETED = "chain_run.completed"
"""The contract's one event name, for failed and canceled runs alike."""

STEP_COMPLETED = "chain_step.completed"
TEST = "webhook.test"
CHOICES = (RUN_COMPLETED, STEP_COMPLETED)


@dataclass(frozen=True)
class Event:
    """Something a caller is told. `url` and `caller` stand here only where no run does: in a test."""

    kind: str
    run_id: str
    step: str | None = None
    url: str | None = None
    caller: str | None = None

    @property
    def id(self) -> str:
        """The same over every attempt and every resend: receivers tell repeats by it."""
        return f"evt_{self.run_id}" + (f"_{self.step}" if self.step else "")


@dataclass(frozen=True)
class DeliverEvent:
    """What a delivery workflow is for. `once` makes a single attempt of it."""

    event: Event
    once: bool = False


@dataclass(frozen=True)
class Send:
    """One attempt of a delivery. `following` is the pause before the next one, None after the last."""

    delivery: str
    event: Event
    number: int
    following: timedelta | None


@dataclass(frozen=True)
class Sent:
    """How an attempt went, as the delivery log keeps it. `url` is masked, `answer` a short cleaned excerpt."""

    delivery: str
    number: int
    run_id: str
    event: str
    event_id: str
    url: str
    at: datetime
    milliseconds: int
    outcome: str
    status: int | None
    error: str | None
    answer: str | None
    next_at: datetime | None


def state_of(attempts: Sequence[Sent]) -> str:
    """`delivered`; `superseded` by a resend; `gone`, when the receiver wants no more; `failed`, after the last attempt;
    else `pending`."""
    last = attempts[-1]
    if last.outcome != "failed":
        return last.outcome
    return "failed" if last.next_at is None else "pending"
