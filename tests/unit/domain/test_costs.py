"""What a run has cost, what of it was in vain, and when another attempt would cost too much."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.costs import over_max_cost, refuse_over_max_cost, spent_on_run
from domain.errors import RequestError
from domain.ledger import attempt_records
from domain.money import Cost, micros_of
from domain.plan import ChainPlan, RunOptions
from domain.runs import Attempt, AttemptOutcome, CancelResult, Problem, Snapshot, first_snapshot
from tests.support.plans import toy_plan

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PRICE = 10_000


def with_attempts(*attempts: dict[str, Any], cancel: CancelResult | None = None) -> tuple[ChainPlan, Snapshot]:
    plan = toy_plan(models=("toy/image", "toy/image"))
    state = first_snapshot(tuple(step.key for step in plan.steps), NOW)
    common: dict[str, Any] = {"model": "toy/image", "provider": "toy", "safety": "A"}
    state.steps[0].attempts = [Attempt(n=n, **(common | one)) for n, one in enumerate(attempts, start=1)]
    state.steps[0].cancel_outcome = cancel
    return plan, state


@pytest.mark.parametrize(
    ("attempt", "cancel", "useful", "wasted"),
    [
        ({"outcome": AttemptOutcome.SUCCEEDED}, None, Cost(PRICE, PRICE), Cost(0, 0)),
        ({"outcome": AttemptOutcome.SUCCEEDED, "cost": 7}, None, Cost(7, 7), Cost(0, 0)),
        ({"outcome": AttemptOutcome.SUBMITTING}, None, Cost(0, 0), Cost(0, 0)),
        ({"outcome": AttemptOutcome.RUNNING, "job": "j"}, None, Cost(0, PRICE), Cost(0, 0)),
        ({"outcome": AttemptOutcome.FAILED}, None, Cost(0, 0), Cost(0, 0)),
        ({"outcome": AttemptOutcome.FAILED, "job": "j"}, None, Cost(0, 0), Cost(0, PRICE)),
        ({"outcome": AttemptOutcome.FAILED, "job": "j", "cost": 0}, None, Cost(0, 0), Cost(0, 0)),
        ({"outcome": AttemptOutcome.UNKNOWN}, None, Cost(0, 0), Cost(0, PRICE)),
        ({"outcome": AttemptOutcome.CANCELED, "job": "j"}, CancelResult.STOPPED, Cost(0, 0), Cost(0, 0)),
        ({"outcome": AttemptOutcome.CANCELED, "job": "j"}, CancelResult.NOT_STOPPED, Cost(0, 0), Cost(0, PRICE)),
    ],
)
def test_each_end_of_an_attempt_has_its_price(
    attempt: dict[str, Any], cancel: CancelResult | None, useful: Cost, wasted: Cost
) -> None:
    plan, state = with_attempts(attempt, cancel=cancel)
    spent = spent_on_run(plan, state)
    assert (spent.useful, spent.wasted) == (useful, wasted)


def test_the_ledger_says_of_each_attempt_what_it_cost_at_most() -> None:
    failed = {"outcome": AttemptOutcome.FAILED, "job": "j", "error": Problem("provider_failed", "It failed.")}
    plan, state = with_attempts(failed, {"outcome": AttemptOutcome.SUCCEEDED, "cost": 7})
    first, second = attempt_records(plan, state)
    assert (first.number, first.useful, first.wasted, first.code) == (1, 0, PRICE, "provider_failed")
    assert (second.number, second.useful, second.wasted, second.code) == (2, 7, 0, None)


def limited(plan: ChainPlan, most: int) -> ChainPlan:
    return replace(plan, options=RunOptions(max_cost=most))


def test_a_run_that_may_cost_more_than_allowed_is_refused_with_both_amounts() -> None:
    plan, _ = with_attempts()
    refuse_over_max_cost(limited(plan, 2 * PRICE))
    with pytest.raises(RequestError, match=r"0\.019999 USD .* up to 0\.02 USD") as caught:
        refuse_over_max_cost(limited(plan, 2 * PRICE - 1))
    assert caught.value.reason == "max_cost_exceeded"
    assert caught.value.faults[0].path == ("max_cost",)


def test_a_run_of_unknown_cost_is_refused_where_there_is_a_limit() -> None:
    plan, _ = with_attempts()
    step = replace(plan.steps[0], candidates=(replace(plan.steps[0].candidates[0], cost=Cost.unknown()),))
    unknown = replace(plan, steps=(step, plan.steps[1]))
    refuse_over_max_cost(unknown)
    with pytest.raises(RequestError, match="nobody publishes"):
        refuse_over_max_cost(limited(unknown, 10**9))


def test_another_attempt_must_leave_enough_for_the_steps_to_come() -> None:
    wasted = {"outcome": AttemptOutcome.FAILED, "job": "j"}
    plan, state = with_attempts(wasted)
    [candidate] = plan.steps[0].candidates
    assert over_max_cost(plan, state, "step_0", candidate) is None
    assert over_max_cost(limited(plan, 3 * PRICE), state, "step_0", candidate) is None
    assert "0.03 USD" in str(over_max_cost(limited(plan, 3 * PRICE - 1), state, "step_0", candidate))
    assert "not published" in str(
        over_max_cost(limited(plan, 10**9), state, "step_0", replace(candidate, cost=Cost.unknown()))
    )


@pytest.mark.parametrize(
    ("said", "micros"), [("0.50", 500_000), (0.5, 500_000), (1, 1_000_000), (1e-06, 1), ("0.000001", 1), (0, 0)]
)
def test_amounts_are_read_to_the_millionth(said: Any, micros: int) -> None:
    assert micros_of(said) == micros


@pytest.mark.parametrize(
    "said",
    [
        True,
        None,
        [],
        "",
        "free",
        "-1",
        -0.1,
        "0.0000001",
        "NaN",
        "Infinity",
        "1e30",
        "1,5",
        "1_0",
        "-0",
        "+1",
        " 2 ",
        "2\n",
        ".5",
        "5.",
        "1e3",
        "\uff11",
        10**10,
        "10000000000",
    ],
)
def test_what_is_no_amount_is_refused(said: Any) -> None:
    with pytest.raises(ValueError, match="amount"):
        micros_of(said)
