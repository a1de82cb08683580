"""What a live run waits for, read from what the workflow server has on its list for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.plan import ChainPlan
from domain.runs import Attempt, AttemptOutcome, Snapshot

NOTICEABLE = timedelta(seconds=2)
"""What has been due for less than this is on its way to a worker."""

JOB_GOES_ON = "JobPending"
"""The type of the "failure" with which a look at a job ends while the job goes on."""

_LIMITS = frozenset({"provider_rate_limited", "provider_paused", "provider_no_slot"})
_STORES = frozenset({"UnavailableError", "database_unreachable"})
"""An error that is no step's keeps its class's name: what a worker can't reach is the asset store or the database."""

_CALLER = "caller_"
"""The codes of what a caller's own limits hold back begin with it."""

_MAY_BE_BUSY = "No worker has taken it yet: all are busy, or none runs (`babychain serve worker`)."
"""The server remembers for minutes who asked for work: asking lately does not prove that anybody still runs."""
_NO_WORKER = "No worker is running. Start one with `babychain serve worker`."


class Who(StrEnum):
    WORKER = "worker"
    PROVIDER_LIMIT = "provider_limit"
    PROVIDER = "provider"
    STORAGE = "storage"
    CALLER_LIMIT = "caller_limit"


@dataclass(frozen=True)
class PendingWork:
    """An activity that has not ended."""

    name: str
    since: datetime
    is_running: bool = False
    tries: int = 1
    failure: str | None = None
    """The type of the failure that the last try ended with: a code of ours, or the name of an exception."""
    message: str = ""
    """What that failure said, where it can be read."""
    next_try: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return not self.is_running and (self.next_try is None or self.next_try <= now)


@dataclass(frozen=True)
class Facts:
    """What the server says beside the snapshot."""

    work: tuple[PendingWork, ...] = ()
    decision_due: datetime | None = None
    """Since when a worker should have decided what is next."""


@dataclass(frozen=True)
class WaitingOn:
    who: Who
    since: datetime
    message: str
    next_check: datetime | None = None


def overdue(facts: Facts, now: datetime) -> datetime | None:
    """Since when something has waited, noticeably, for a worker to take it."""
    due = [facts.decision_due] if facts.decision_due else []
    due += [work.next_try or work.since for work in facts.work if work.is_due(now)]
    late = [moment for moment in due if now - moment > NOTICEABLE]
    return min(late, default=None)


def waiting_on(plan: ChainPlan, snapshot: Snapshot, facts: Facts, now: datetime, *, polled: bool) -> WaitingOn | None:
    """None while it only passes from one thing to the next. `polled`: whether any worker asks for work."""
    if (since := overdue(facts, now)) is not None:
        return WaitingOn(Who.WORKER, since, _MAY_BE_BUSY if polled else _NO_WORKER)
    attempt = _attempt_under_way(snapshot)
    if attempt is None:
        return None
    work = facts.work[0] if facts.work else None
    if work is None:
        return _on_report(plan, snapshot, attempt, now)
    next_check = work.next_try if work.next_try is not None and work.next_try > now else None
    failure = None if work.failure == JOB_GOES_ON else work.failure
    if failure is not None:
        who, message = _held_up(failure, work.message, attempt)
        return WaitingOn(who, work.since, message, next_check)
    since = attempt.started or work.since
    return WaitingOn(Who.PROVIDER, since, _at_work(work, attempt), next_check)


def _attempt_under_way(snapshot: Snapshot) -> Attempt | None:
    attempts = [step.attempts[-1] for step in snapshot.steps if step.attempts and not step.status.ended]
    return attempts[-1] if attempts and attempts[-1].ended is None else None


def _held_up(failure: str, said: str, attempt: Attempt) -> tuple[Who, str]:
    """Our own failures say in their message, which is safe to show, what a code alone does not."""
    if failure in _STORES:
        return Who.STORAGE, said or "The store does not answer."
    if not failure.islower():
        return Who.WORKER, "The worker met an error that it did not expect; it tries again."
    if failure.startswith(_CALLER):
        return Who.CALLER_LIMIT, said or f"Your own limit holds {attempt.model} back."
    if failure in _LIMITS:
        return Who.PROVIDER_LIMIT, said or f"{attempt.provider} takes no more from us for now."
    return Who.PROVIDER, said or f"{attempt.provider} did not answer as it should ({failure})."


def _at_work(work: PendingWork, attempt: Attempt) -> str:
    match work.name:
        case "submit":
            return f"{attempt.provider} is asked to start {attempt.model}."
        case "reconcile":
            return f"The job of {attempt.model} is looked for at {attempt.provider}: its start was not answered."
        case "cancel_job":
            return f"{attempt.provider} is asked to stop the job of {attempt.model}."
        case "collect":
            return f"The output of {attempt.model} is fetched from {attempt.provider}."
        case _:
            return f"{attempt.provider} works on the job of {attempt.model}."


def _on_report(plan: ChainPlan, snapshot: Snapshot, attempt: Attempt, now: datetime) -> WaitingOn | None:
    """Nothing is under way here: the provider's webhook comes first, our own look after its time of grace."""
    since = attempt.started or snapshot.updated
    if attempt.outcome is AttemptOutcome.UNKNOWN:
        return WaitingOn(Who.PROVIDER, since, f"The lost job of {attempt.model} may still report itself.")
    if attempt.outcome is not AttemptOutcome.RUNNING:
        return None
    looks = [
        candidate.looks
        for step in plan.steps
        for candidate in step.candidates
        if (candidate.provider, candidate.model) == (attempt.provider, attempt.model)
    ]
    look = snapshot.updated + timedelta(seconds=looks[0].grace) if looks else None
    message = f"{attempt.provider} works on the job of {attempt.model} and will report its end."
    return WaitingOn(Who.PROVIDER, since, message, look if look is not None and look > now else None)
