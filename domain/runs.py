"""The state of a run: the snapshot that the workflow keeps in its memo, and everybody else reads.

It stays under 4 KB and changes only at transitions. What never changes (input, metadata) lives in the plan.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

SNAPSHOT_VERSION = 1


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        return self in (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELED)


class StepStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    SKIPPED = "skipped"

    @property
    def ended(self) -> bool:
        return self not in (StepStatus.QUEUED, StepStatus.RUNNING)


class AttemptOutcome(StrEnum):
    SUBMITTING = "submitting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


class CancelResult(StrEnum):
    """What a cancel did to a step."""

    NOT_STARTED = "not_started"
    STOPPED = "stopped"
    NOT_STOPPED = "not_stopped"
    """Its job could not be stopped and may be billed."""


@dataclass
class Problem:
    """A failure as runs, steps and callbacks show it."""

    code: str
    message: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Attempt:
    n: int
    model: str
    provider: str
    safety: str
    outcome: AttemptOutcome
    job: str | None = None
    error: Problem | None = None
    cost: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    adapted: str | None = None
    """How input pictures were changed to fit the model."""
    note: str | None = None


@dataclass
class StepState:
    key: str
    status: StepStatus
    updated: datetime
    started: datetime | None = None
    ended: datetime | None = None
    attempts: list[Attempt] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    """What the step was fed: our asset ids, or a caller's own address."""
    outputs: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    error: Problem | None = None
    cancel_outcome: CancelResult | None = None


@dataclass
class Snapshot:
    v: int
    status: RunStatus
    current: str
    """The key of the step started last; `processing` before the first; the run's status once it has ended."""
    updated: datetime
    steps: list[StepState]
    started: datetime | None = None
    ended: datetime | None = None
    error: Problem | None = None

    def step(self, key: str) -> StepState:
        return next(step for step in self.steps if step.key == key)


def first_snapshot(step_keys: tuple[str, ...], created_at: datetime) -> Snapshot:
    """The state of a run that nobody has looked at yet: it is readable before any worker exists."""
    return Snapshot(
        v=SNAPSHOT_VERSION,
        status=RunStatus.QUEUED,
        current="processing",
        updated=created_at,
        steps=[StepState(key=key, status=StepStatus.QUEUED, updated=created_at) for key in step_keys],
    )


def terminated(snapshot: Snapshot, at: datetime) -> Snapshot:
    """A run that was closed from outside before it could say how it ended."""
    problem = Problem("run_terminated", "The run was ended from outside before it could finish.")
    steps = [
        replace(step, status=_closed(step.status), ended=step.ended or at, updated=max(step.updated, at))
        if not step.status.ended
        else step
        for step in snapshot.steps
    ]
    return replace(
        snapshot, status=RunStatus.FAILED, current="failed", error=problem, ended=at, updated=at, steps=steps
    )


def _closed(status: StepStatus) -> StepStatus:
    return StepStatus.SKIPPED if status is StepStatus.QUEUED else StepStatus.FAILED


# ---- signals --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProviderReported:
    step: str
    attempt: int
    job_id: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class CancelRequested:
    reason: str = "Chain run was canceled."
    by: str = "caller"


@dataclass(frozen=True)
class RunOutcome:
    run_id: str
    status: RunStatus
