"""How long a model's jobs take, as this deployment has seen it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from domain.plan import ChainPlan
from domain.runs import Snapshot

FEWEST_SAMPLES = 20
"""Fewer say nothing about a p90."""


@dataclass(frozen=True)
class Pace:
    """Seconds from the moment an attempt began until its output was stored."""

    p50: float
    p90: float


def pace_of(seconds: Sequence[float]) -> Pace | None:
    if len(seconds) < FEWEST_SAMPLES:
        return None
    tenths = quantiles(seconds, n=10, method="inclusive")
    return Pace(p50=tenths[4], p90=tenths[8])


def work_left(plan: ChainPlan, snapshot: Snapshot) -> list[tuple[str, str]]:
    """Provider and model of each step that has not ended: the one at work, or else the first choice."""
    left = []
    for planned in plan.steps:
        state = snapshot.step(planned.key)
        if not state.status.ended:
            works = state.attempts[-1] if state.attempts else planned.candidates[0]
            left.append((works.provider, works.model))
    return left


def total(paces: Iterable[Pace | None]) -> Pace | None:
    """Of several steps, one after another: their medians added, and their p90s. One unknown makes it unknown."""
    p50 = p90 = 0.0
    for pace in paces:
        if pace is None:
            return None
        p50, p90 = p50 + pace.p50, p90 + pace.p90
    return Pace(p50, p90)
