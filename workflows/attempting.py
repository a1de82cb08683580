"""What the parts of an attempt share: whose it is, what it asks of its run, and how it can end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.calls import AttemptRef, CancelJob, StepFailure
from domain.media import InputRef
from domain.plan import Candidate, PlannedStep
from domain.provider import CancelOutcome, Job
from domain.runs import Attempt, CancelResult, StepState
from workflows import policies
from workflows.reports import Reports


@dataclass(frozen=True)
class Ended:
    """How an attempt ended: with assets, with a failure, or canceled."""

    assets: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    cost: int | None = None
    failure: StepFailure | None = None
    never_started: bool = False
    """A failure that came before any job: the same candidate may be asked again."""
    canceled: bool = False
    cancel_outcome: CancelResult | None = None


def canceled(outcome: CancelResult, cost: int | None = None) -> Ended:
    return Ended(canceled=True, cancel_outcome=outcome, cost=cost)


class Run(Protocol):
    """What an attempt needs of the run it belongs to."""

    @property
    def canceling(self) -> bool: ...
    @property
    def reports(self) -> Reports: ...
    def now(self) -> datetime: ...
    def touch(self, state: StepState) -> None: ...
    async def until(self, condition: Callable[[], bool], longest: timedelta | None = None, why: str = "") -> bool: ...


@dataclass(frozen=True)
class Attempting:
    """One attempt under way. `state` and `attempt` are the run's own: what changes there is shown."""

    run: Run
    of: AttemptRef
    planned: PlannedStep
    candidate: Candidate
    inputs: tuple[InputRef, ...]
    state: StepState
    attempt: Attempt
    deadline: datetime

    @property
    def left(self) -> timedelta:
        return self.deadline - workflow.now()

    @property
    def claimed_job(self) -> str | None:
        return self.run.reports.claimed_job(self.of)

    def id(self, activity: str) -> str:
        """Stable, so that an operator can name the activity at the command line."""
        return f"{self.of.step}.{self.of.attempt}.{activity}"

    def summary(self, what: str) -> str:
        return f"{self.planned.key}: {what}"

    async def cancel_job(self, job: Job) -> Ended:
        outcome: CancelOutcome = CancelOutcome.NOT_STOPPED
        try:
            outcome = await workflow.execute_activity(
                "cancel_job",
                CancelJob(of=self.of, job=job),
                result_type=CancelOutcome,
                activity_id=self.id("cancel_job"),
                start_to_close_timeout=policies.CANCEL_CALL,
                schedule_to_close_timeout=policies.CANCEL_CALL,
                retry_policy=policies.CANCEL_RETRY,
                summary=self.summary(f"cancel job {job.id}"),
            )
        except ActivityError:
            workflow.logger.warning("provider_cancel_failed", extra={"step": self.of.step, "job_id": job.id})
        # What is stopped is not charged, at any provider that can stop a job.
        return canceled(CancelResult(outcome.value), 0 if outcome is CancelOutcome.STOPPED else job.cost)
