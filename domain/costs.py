"""What a run has cost so far, and what of that was spent on nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.errors import Fault, RequestError
from domain.money import Cost, Micros, dollars
from domain.plan import Candidate, ChainPlan, PlannedStep
from domain.runs import Attempt, AttemptOutcome, CancelResult, Snapshot, StepState

_NOTHING = Cost.exactly(0)


@dataclass(frozen=True)
class Spent:
    """Amounts as ranges: providers that tell no price leave the plan's estimate."""

    useful: Cost = _NOTHING
    wasted: Cost = _NOTHING
    """Failed, canceled and unknown attempts that were, or may have been, paid for."""

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.useful + other.useful, self.wasted + other.wasted)

    @property
    def total(self) -> Cost:
        return self.useful + self.wasted


def spent_on_run(plan: ChainPlan, snapshot: Snapshot) -> Spent:
    return _sum(spent_on_step(planned, snapshot.step(planned.key)) for planned in plan.steps)


def spent_on_step(planned: PlannedStep, state: StepState) -> Spent:
    return _sum(spent_on_attempt(planned, attempt, state) for attempt in state.attempts)


def most_to_come(plan: ChainPlan, after: str) -> Micros | None:
    """What the steps after this one may cost with their first models. None: nobody knows."""
    keys = [planned.key for planned in plan.steps]
    total = _NOTHING
    for planned in plan.steps[keys.index(after) + 1 :]:
        total += planned.cost
    return total.high


def _sum(amounts: Iterable[Spent]) -> Spent:
    return sum(amounts, Spent())


def _estimate(planned: PlannedStep, attempt: Attempt) -> Cost:
    asked = (attempt.provider, attempt.model)
    return next(one.cost for one in planned.candidates if (one.provider, one.model) == asked)


def spent_on_attempt(planned: PlannedStep, attempt: Attempt, state: StepState) -> Spent:
    estimate = _estimate(planned, attempt)
    known = Cost.exactly(attempt.cost) if attempt.cost is not None else None
    if attempt.outcome is AttemptOutcome.SUCCEEDED:
        return Spent(useful=known or estimate)
    if attempt.outcome is AttemptOutcome.RUNNING:
        return Spent(useful=known or Cost(0, estimate.high))
    return Spent(wasted=known or (Cost(0, estimate.high) if _may_be_billed(attempt, state) else _NOTHING))


def _may_be_billed(attempt: Attempt, state: StepState) -> bool:
    if attempt.outcome is AttemptOutcome.CANCELED:
        return state.cancel_outcome is CancelResult.NOT_STOPPED
    # A failure without a job was a refusal: nothing was started.
    return attempt.outcome is AttemptOutcome.UNKNOWN or (
        attempt.outcome is AttemptOutcome.FAILED and attempt.job is not None
    )


def refuse_over_max_cost(plan: ChainPlan) -> None:
    """Before anything starts: a run that may cost more than its caller allows, or nobody knows how much."""
    most, high = plan.options.max_cost, plan.cost.high
    if most is None or (high is not None and high <= most):
        return
    may = "an amount that nobody publishes" if high is None else f"up to {dollars(high)} USD"
    message = f"is {dollars(most)} USD and the run may cost {may}; raise it, or choose other models"
    raise RequestError(f"max_cost {message}.", code="max_cost_exceeded", faults=[Fault(("max_cost",), message)])


def over_max_cost(plan: ChainPlan, snapshot: Snapshot, step: str, candidate: Candidate) -> str | None:
    """Why another attempt could break the caller's limit, or None: it cannot."""
    most = plan.options.max_cost
    if most is None:
        return None
    spent, coming = spent_on_run(plan, snapshot).total.high, most_to_come(plan, step)
    if spent is None or coming is None or candidate.cost.high is None:
        return f"What {candidate.model} costs is not published, and the run has a max_cost."
    high = spent + candidate.cost.high + coming
    if high <= most:
        return None
    return f"With {candidate.model} the run could cost up to {dollars(high)} USD; its max_cost is {dollars(most)} USD."
