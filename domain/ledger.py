"""The ledger of attempts: what was asked of whom, what it cost, how it ended. Kept when a run's words are deleted."""

from dataclasses import dataclass
from datetime import datetime

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
    low: Micros | None
    """The plan's estimate; None is an amount that nobody knew."""
    high: Micros | None
    cost: Micros | None
    """What the provider said it cost; None where it says nothing."""


def attempt_records(plan: ChainPlan, snapshot: Snapshot) -> tuple[AttemptRecord, ...]:
    """One record for each attempt of an ended run."""
    ended = snapshot.ended or snapshot.updated
    records = []
    for planned in plan.steps:
        estimates = {(one.provider, one.model): one.cost for one in planned.candidates}
        for attempt in snapshot.step(planned.key).attempts:
            estimate = estimates[attempt.provider, attempt.model]
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
                    low=estimate.low,
                    high=estimate.high,
                    cost=attempt.cost,
                )
            )
    return tuple(records)
