"""How long a model's jobs take: known from twenty on, and only if every step left is known."""

from dataclasses import replace
from datetime import UTC, datetime

from domain.pace import FEWEST_SAMPLES, Pace, pace_of, total, work_left
from domain.runs import Attempt, AttemptOutcome, StepStatus, first_snapshot
from tests.support.plans import toy_plan


def test_too_few_samples_say_nothing() -> None:
    assert FEWEST_SAMPLES == 20
    assert pace_of([10.0] * 19) is None
    assert pace_of([10.0] * 20) == Pace(10.0, 10.0)


def test_the_median_and_the_slowest_tenth_are_told_apart() -> None:
    pace = pace_of([float(second) for second in range(101)])
    assert pace == Pace(50.0, 90.0)


def test_steps_are_added_and_one_unknown_makes_all_unknown() -> None:
    assert total([Pace(1, 2), Pace(3, 5)]) == Pace(4, 7)
    assert total([Pace(1, 2), None]) is None


def test_what_is_left_is_every_step_that_has_not_ended_at_whom_it_is_now() -> None:
    plan = toy_plan(models=("toy/image", "toy/image", "toy/image"))
    snapshot = first_snapshot(tuple(step.key for step in plan.steps), datetime.now(UTC))
    first, second, _ = snapshot.steps
    first.status = StepStatus.SUCCEEDED
    second.status = StepStatus.RUNNING
    fallen_back = Attempt(1, "toy/image", "toy", "A", AttemptOutcome.FAILED)
    second.attempts = [fallen_back, replace(fallen_back, n=2, model="other/model", provider="other")]
    assert work_left(plan, snapshot) == [("other", "other/model"), ("toy", "toy/image")]
