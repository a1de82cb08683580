"""What a run says it waits for, from its snapshot and what the server has on its list."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.plan import ChainPlan
from domain.runs import Attempt, AttemptOutcome, RunStatus, Snapshot, StepStatus, first_snapshot
from domain.waiting import Facts, PendingWork, WaitingOn, Who, waiting_on
from tests.support.plans import toy_plan

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def at_work(outcome: AttemptOutcome = AttemptOutcome.RUNNING) -> tuple[ChainPlan, Snapshot]:
    """A run whose first step is at its only candidate since a minute."""
    plan = toy_plan(created_at=ago(90))
    snapshot = first_snapshot(tuple(step.key for step in plan.steps), plan.created_at)
    step = snapshot.steps[0]
    step.status, step.started = StepStatus.RUNNING, ago(60)
    step.attempts = [Attempt(1, "toy/image", "toy", "B", outcome, started=ago(60))]
    return plan, replace(snapshot, status=RunStatus.RUNNING, updated=ago(50))


def said(
    *work: PendingWork,
    outcome: AttemptOutcome = AttemptOutcome.RUNNING,
    decision_due: datetime | None = None,
    polled: bool = True,
) -> WaitingOn | None:
    return waiting_on(*at_work(outcome), Facts(work, decision_due), NOW, polled=polled)


@pytest.mark.parametrize(
    ("failure", "who"),
    [
        ("provider_rate_limited", Who.PROVIDER_LIMIT),
        ("provider_paused", Who.PROVIDER_LIMIT),
        ("provider_no_slot", Who.PROVIDER_LIMIT),
        ("provider_unavailable", Who.PROVIDER),
        ("provider_network_error", Who.PROVIDER),
        ("caller_slots_taken", Who.CALLER_LIMIT),
        ("database_unreachable", Who.STORAGE),
        ("UnavailableError", Who.STORAGE),
    ],
)
def test_the_last_failure_says_who_holds_the_run_up_and_when_it_is_tried_again(failure: str, who: Who) -> None:
    work = PendingWork("submit", ago(20), tries=3, failure=failure, message="It says why.", next_try=LATER)
    assert said(work) == WaitingOn(who, ago(20), "It says why.", LATER)
    unreadable = said(replace(work, message=""))
    assert unreadable is not None
    assert unreadable.who is who and unreadable.message.endswith(".")


def test_what_an_unexpected_error_says_stays_inside() -> None:
    found = said(PendingWork("submit", ago(20), tries=3, failure="KeyError", message="'secret'", next_try=LATER))
    assert found is not None
    assert found.who is Who.WORKER and "secret" not in found.message


def test_a_job_that_goes_on_is_no_failure() -> None:
    found = said(PendingWork("watch", ago(40), tries=4, failure="JobPending", next_try=LATER))
    assert found == WaitingOn(Who.PROVIDER, ago(60), "toy works on the job of toy/image.", LATER)


@pytest.mark.parametrize(
    ("name", "word"), [("submit", "start"), ("reconcile", "looked for"), ("collect", "fetched"), ("cancel_job", "stop")]
)
def test_work_under_way_says_what_is_done(name: str, word: str) -> None:
    found = said(PendingWork(name, ago(1), is_running=True))
    assert found is not None
    assert found.who is Who.PROVIDER and word in found.message and found.next_check is None


@pytest.mark.parametrize(
    ("polled", "message"),
    [(False, "No worker is running."), (True, "No worker has taken it yet: all are busy, or none")],
)
def test_what_nobody_takes_waits_for_a_worker(polled: bool, message: str) -> None:
    for found in (
        said(decision_due=ago(3), polled=polled),
        said(PendingWork("submit", ago(3)), polled=polled),
        said(PendingWork("watch", ago(60), tries=2, failure="JobPending", next_try=ago(3)), polled=polled),
    ):
        assert found is not None
        assert (found.who, found.since) == (Who.WORKER, ago(3))
        assert found.message.startswith(message)
        assert "`babychain serve worker`" in found.message


def test_what_is_on_its_way_to_a_worker_is_not_waited_for() -> None:
    plan, snapshot = at_work()
    snapshot.steps[0].attempts = []
    assert waiting_on(plan, snapshot, Facts((), ago(1)), NOW, polled=False) is None


def test_a_webhook_is_waited_for_until_the_time_of_grace_is_over() -> None:
    plan, snapshot = at_work()
    grace = timedelta(seconds=plan.steps[0].candidates[0].looks.grace)
    found = waiting_on(plan, snapshot, Facts(), snapshot.updated + grace / 2, polled=True)
    overdue = waiting_on(plan, snapshot, Facts(), snapshot.updated + grace, polled=True)
    assert found is not None and overdue is not None
    assert found.who is overdue.who is Who.PROVIDER
    assert (found.next_check or snapshot.updated) == snapshot.updated + grace
    assert overdue.next_check is None


def test_a_lost_job_may_still_report_itself() -> None:
    found = said(outcome=AttemptOutcome.UNKNOWN)
    assert found is not None
    assert found.who is Who.PROVIDER and "lost job" in found.message
