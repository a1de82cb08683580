"""What goes into an activity and what comes out: all that workflows know of activities.

Everything here ends up in histories: references and small facts, never media, keys or a secret.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.errors import Next
from domain.media import InputForm, InputRef, MediaKind
from domain.provider import Job, Looks, Output, Window


@dataclass(frozen=True)
class AttemptRef:
    """Which attempt of which run an activity works for."""

    run_id: str
    caller: str
    step: str
    attempt: int
    provider: str
    model: str
    raw_id: str

    @property
    def key(self) -> str:
        """The idempotency key. `attempt` counts the jobs that the workflow decided on, never activity attempts."""
        return f"babychain:{self.run_id}:{self.step}:{self.attempt}"


@dataclass(frozen=True)
class SubmitStep:
    of: AttemptRef
    params: dict[str, Any]
    inputs: tuple[InputRef, ...]
    input_forms: tuple[InputForm, ...] | None
    webhook: bool
    timeout: timedelta
    opened: datetime
    """When this attempt was first sent. Links of ours are written for then: every repeat is the same to the byte."""
    patient_until: datetime
    """When refusals are no longer waited out. A request that was sent by then is."""
    alternatives: bool = False
    """Another candidate stands ready: waiting for this one is pointless while its provider is down or switched off."""
    life: timedelta = timedelta(hours=1)
    """What is left of the step: how long its job may take up a place at the provider at most."""


@dataclass(frozen=True)
class WatchStep:
    of: AttemptRef
    kind: MediaKind
    job: Job
    looks: Looks
    deadline: datetime


@dataclass(frozen=True)
class CollectStep:
    """Bring in what a job made: by one look at the job, or from the outputs that the submit itself answered."""

    of: AttemptRef
    kind: MediaKind
    job: Job | None = None
    outputs: tuple[Output, ...] = ()
    cost: int | None = None


@dataclass(frozen=True)
class Collected:
    assets: tuple[str, ...]
    sources: tuple[str, ...] = ()
    """Where the provider keeps them, for a while."""
    cost: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    kind: Literal["collected"] = "collected"


@dataclass(frozen=True)
class NotYet:
    word: str = ""
    kind: Literal["not_yet"] = "not_yet"


@dataclass(frozen=True)
class ReconcileStart:
    """A submit whose answer was lost: a job id that a webhook claims, or the window to search."""

    of: AttemptRef
    params: dict[str, Any]
    window: Window
    pause: float
    claimed: str | None = None


@dataclass(frozen=True)
class CancelJob:
    of: AttemptRef
    job: Job


@dataclass(frozen=True)
class StepFailure:
    """A StepError on its way through a history."""

    code: str
    message: str
    next: Next
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AfterRun:
    run_id: str
    callback: bool


@dataclass(frozen=True)
class Delivery:
    """How one delivery attempt went. `gone` is the receiver's 410: it wants no more."""

    delivered: bool
    status: int | None = None
    error: str | None = None
    gone: bool = False
    retry_after: float | None = None
