"""The ledger of attempts: what was asked of whom, what it cost, how it ended. Kept when a run's words are deleted."""

from dataclasses import dataclass
from datetime import datetime

from domain.costs import spent_on_attempt
from domain.money import Micros
from domain.plan import ChainPlan
from domain.runs import Snapshot


@dataclass(frozen=True)
class AttemptRecord:
    run_id: str
    step: str
    number: int
    mode: str
    caller: str
    template: str
    kind: str
    provider: str
    model: str
    outcome: str
    code: str | None
    job: str | None
    started_at: datetime
    ended_at: datetime
    useful: Micros | None
    """What it cost, or at most, where its provider tells no price. None is an amount that nobody knows."""
    wasted: Micros | None
    """The same for an attempt that came to nothing."""


def attempt_records(plan: ChainPlan, snapshot: Snapshot) -> tuple[AttemptRecord, ...]:
    """One record for each attempt of an ended run."""
    ended = snapshot.ended or snapshot.updated
    records = []
    for planned in plan.steps:
        state = snapshot.step(planned.key)
        for attempt in state.attempts:
            spent = spent_on_attempt(planned, attempt, state)
            records.append(
                AttemptRecord(
                    run_id=plan.run_id,
                    step=planned.key,
                    number=attempt.n,
                    mode=plan.mode,
                    caller=plan.caller,
                    template=plan.template,
                    kind=str(planned.kind),
                    provider=attempt.provider,
                    model=attempt.model,
                    outcome=str(attempt.outcome),
                    code=attempt.error.code if attempt.error else None,
                    job=attempt.job,
                    started_at=attempt.started or ended,
                    ended_at=attempt.ended or ended,
                    useful=spent.useful.high,
                    wasted=spent.wasted.high,
                )
            )
    return tuple(records)
