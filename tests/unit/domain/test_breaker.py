from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import breaker
from domain.breaker import Account, Go, Line, Shut, Sign, State, Wait, Why, after, decide, sign_of, sign_of_read
from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    ModelUnavailable,
    Moderated,
    Refused,
    SetupError,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.provider_limits import account_limits

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)
WELL = Account("acme")
NO_CREDIT = CreditExhausted("Pay first.")
DOWN = Refused("acme is down.")


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ask(account: Account, at: datetime, *, holder: str = "me", **line: Any) -> Go | Wait | Shut:
    return decide(account, Line(**line), holder, at, LEASE)


def failing(account: Account, times: int, *, at: datetime = NOON, sign: Sign = Sign.FAILED) -> Account:
    for _ in range(times):
        account = after(account, sign, "me", at, DOWN)
    return account


def outage() -> Account:
    return failing(WELL, breaker.OPENS_AFTER)


def probed(account: Account, at: datetime, holder: str = "probe") -> Account:
    answer = ask(account, at, holder=holder)
    assert isinstance(answer, Go) and answer.probe
    return answer.account


# ---- what opens an account -------------------------------------------------------------------------------------------


def test_one_failure_less_than_an_outage_leaves_the_account_closed() -> None:
    account = failing(WELL, breaker.OPENS_AFTER - 1)
    assert account.state(NOON) is State.CLOSED
    assert isinstance(ask(account, NOON), Go)


def test_failures_in_a_row_open_the_account_and_nobody_goes_through() -> None:
    account = outage()
    assert account.state(NOON) is State.OPEN
    assert (account.trouble, account.code, account.since) == ("outage", "provider_unavailable", NOON)
    assert isinstance(answer := ask(account, later(1)), Wait) and answer.why is Why.OUTAGE


def test_an_outage_of_lost_answers_does_not_say_of_those_who_wait_that_their_start_was_lost() -> None:
    account = WELL
    for _ in range(breaker.OPENS_AFTER):
        account = after(account, Sign.FAILED, "me", NOON, StartUnknown("Lost."))
    assert (account.trouble, account.code) == ("outage", "provider_unavailable")


def test_a_success_between_failures_starts_the_count_anew() -> None:
    account = after(failing(WELL, breaker.OPENS_AFTER - 1), Sign.WELL, "me", NOON)
    assert failing(account, breaker.OPENS_AFTER - 1).trouble is None


def test_failures_far_apart_are_no_outage() -> None:
    account = failing(WELL, breaker.OPENS_AFTER - 1)
    assert failing(account, 1, at=NOON + breaker.WITHIN + timedelta(seconds=1)).trouble is None


def test_failing_reads_are_an_outage_and_a_good_read_forgets_only_reads() -> None:
    assert failing(WELL, breaker.OPENS_AFTER, sign=Sign.READ_FAILED).trouble == "outage"
    mixed = failing(failing(WELL, 3), breaker.OPENS_AFTER - 4, sign=Sign.READ_FAILED)
    read = after(mixed, Sign.READ, "me", NOON)
    assert (read.failures, read.failed_reads) == (3, 0)


def test_credit_and_credentials_open_at_the_first_word_and_waiting_is_not_offered() -> None:
    for sign, error, trouble in (
        (Sign.NO_CREDIT, NO_CREDIT, "credit_exhausted"),
        (Sign.NO_RIGHT, BadCredentials("Wrong key."), "bad_credentials"),
    ):
        account = after(WELL, sign, "me", NOON, error)
        assert (account.trouble, account.code) == (trouble, error.reason)
        assert isinstance(ask(account, later(1)), Shut)


@pytest.mark.parametrize(
    ("error", "sign"),
    [
        (None, Sign.WELL),
        (InputRejected("no"), Sign.WELL),
        (Moderated("no"), Sign.WELL),
        (ModelUnavailable("no"), Sign.WELL),
        (NO_CREDIT, Sign.NO_CREDIT),
        (BadCredentials("no"), Sign.NO_RIGHT),
        (Refused("full", code="provider_rate_limited"), Sign.LIMITED),
        (Refused("gone", code="provider_network_error"), Sign.FAILED),
        (StartUnknown("lost"), Sign.FAILED),
        (StartUnknown("the first is under way", facts={"in_progress": True}), Sign.NOTHING),
        (UnexpectedResponse("what?"), Sign.NOTHING),
    ],
)
def test_what_an_answer_to_a_submit_says_about_the_account(error: StepError | None, sign: Sign) -> None:
    assert sign_of(error) is sign


def test_a_read_that_fails_for_another_reason_than_an_outage_says_nothing() -> None:
    assert sign_of_read(Refused("down", code="provider_network_error")) is Sign.READ_FAILED
    assert sign_of_read(Refused("busy", code="provider_rate_limited")) is Sign.NOTHING
    assert sign_of_read(UnexpectedResponse("what?")) is Sign.NOTHING


# ---- probes ----------------------------------------------------------------------------------------------------------


def test_one_start_probes_and_the_others_wait_for_its_answer() -> None:
    account = probed(outage(), later(5))
    assert account.state(later(6)) is State.HALF_OPEN
    assert isinstance(ask(account, later(6), holder="another"), Wait)


def test_a_probe_whose_worker_died_makes_room_for_the_next() -> None:
    account = probed(outage(), later(5))
    assert isinstance(ask(account, later(36), holder="another"), Go)


def test_a_good_probe_closes_the_account() -> None:
    account = after(probed(outage(), later(5)), Sign.WELL, "probe", later(6))
    assert account.state(later(6)) is State.CLOSED
    assert (account.trouble, account.code, account.since, account.openings) == (None, None, None, 0)


def test_a_bad_probe_waits_twice_as_long_up_to_a_limit_and_since_stays() -> None:
    account, at, pauses = outage(), NOON, []
    for _ in range(7):
        assert account.next_probe is not None
        pauses.append((account.next_probe - at).total_seconds())
        at = account.next_probe
        account = after(probed(account, at), Sign.FAILED, "probe", at, DOWN)
    assert pauses == [5, 10, 20, 40, 60, 60, 60]
    assert account.since == NOON


def test_a_late_answer_to_another_submit_neither_opens_nor_closes() -> None:
    account = outage()
    assert after(account, Sign.WELL, "somebody", later(1)) == account
    assert after(account, Sign.FAILED, "somebody", later(1), DOWN) == account


def test_a_probe_that_learned_nothing_lets_the_next_probe_at_once() -> None:
    account = after(probed(outage(), later(5)), Sign.NOTHING, "probe", later(6))
    assert isinstance(ask(account, later(6), holder="another"), Go)


def test_a_probe_that_finds_the_account_without_credit_says_so() -> None:
    account = after(probed(outage(), later(5)), Sign.NO_CREDIT, "probe", later(6), NO_CREDIT)
    assert (account.trouble, account.since) == ("credit_exhausted", later(6))


# ---- pauses ----------------------------------------------------------------------------------------------------------


def test_retry_after_is_kept_by_everybody() -> None:
    full = Refused("full", code="provider_rate_limited", retry_after=20.0)
    account = after(WELL, Sign.LIMITED, "me", NOON, full)
    assert account.trouble is None
    assert isinstance(answer := ask(account, later(19), holder="another"), Wait) and answer.why is Why.PAUSED
    assert isinstance(ask(account, later(20)), Go)


def test_without_retry_after_the_pause_doubles_and_answers_of_one_moment_count_once() -> None:
    account, at, pauses = WELL, NOON, []
    for _ in range(7):
        for _together in range(10):
            account = after(account, Sign.LIMITED, "me", at, Refused("full"))
        assert account.paused_until is not None
        pauses.append((account.paused_until - at).total_seconds())
        at = account.paused_until
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert after(account, Sign.WELL, "me", at).limited == 0


@given(waiting=st.integers(1, 500), seconds=st.floats(0, 20))
def test_starts_after_a_recovery_come_one_after_another(waiting: int, seconds: float) -> None:
    """Whoever comes, and however often: no second sees more starts than the pace allows."""
    account = after(probed(outage(), later(5)), Sign.WELL, "probe", later(6))
    moment, started = later(6 + seconds), 0
    for _ in range(waiting):
        answer = ask(account, moment)
        if isinstance(answer, Go):
            account, started = answer.account, started + 1
        moment += timedelta(seconds=1 / waiting)
    assert started <= breaker.STARTS_A_SECOND + breaker.BURST + 1


def test_those_who_wait_are_told_to_come_one_after_another() -> None:
    waits = [ask(outage(), later(1), holder=str(rank), rank=rank) for rank in range(500)]
    seconds = [wait.seconds for wait in waits if isinstance(wait, Wait)]
    assert len(seconds) == 500
    assert max(seconds) - min(seconds) == pytest.approx(499 / breaker.STARTS_A_SECOND)


# ---- places ----------------------------------------------------------------------------------------------------------


def test_a_start_takes_a_free_place_unless_somebody_before_it_is_about_to() -> None:
    assert isinstance(ask(WELL, NOON, limit=3, free=1), Go)
    assert isinstance(ask(WELL, NOON, limit=3, free=0), Wait)
    assert isinstance(answer := ask(WELL, NOON, limit=3, free=1, rank=1, due=1), Wait) and answer.why is Why.FULL
    assert isinstance(ask(WELL, NOON, limit=3, free=1, rank=1, due=0), Go)


def test_the_longer_the_line_and_the_jobs_the_longer_the_wait() -> None:
    slow = replace(WELL, held_for=60.0)
    waits = [ask(slow, NOON, limit=3, rank=rank) for rank in (0, 1, 5, 50)]
    assert [wait.seconds for wait in waits if isinstance(wait, Wait)] == [10.0, 20.0, 60.0, 60.0]
    assert ask(WELL, NOON, limit=3) == Wait(Why.FULL, 0.5)


def test_a_probe_needs_a_place_too() -> None:
    assert isinstance(answer := ask(outage(), later(5), limit=1, free=0), Wait) and answer.why is Why.FULL


# ---- an operator's word ----------------------------------------------------------------------------------------------


def test_a_disabled_account_or_model_starts_nothing_not_even_a_probe() -> None:
    for account in (WELL, outage()):
        off = breaker.disabled(account, "key-1", "Prices", later(1))
        assert isinstance(answer := ask(off, later(60)), Wait) and answer.why is Why.DISABLED
    assert isinstance(ask(WELL, NOON, model_disabled=True), Wait)


def test_enabling_also_closes_the_breaker_because_the_operator_has_mended_it() -> None:
    account = after(WELL, Sign.NO_CREDIT, "me", NOON, NO_CREDIT)
    back = breaker.enabled(breaker.disabled(account, "key-1", None, NOON), later(1))
    assert back.trouble is None and back.disabled_since is None
    assert isinstance(ask(back, later(1)), Go)


# ---- limits ----------------------------------------------------------------------------------------------------------


def test_limits_of_the_environment_go_before_those_of_the_adapters() -> None:
    usual = {"bfl": 24, "acme": 2}
    assert account_limits("", usual, {"bfl", "acme", "toy"}) == usual
    assert account_limits(" bfl=3, acme=OFF ,toy=10,", usual, {"bfl", "acme", "toy"}) == {"bfl": 3, "toy": 10}


@pytest.mark.parametrize("text", ["bfl", "bfl=", "bfl=0", "bfl=-1", "bfl=many", "nobody=3"])
def test_a_wrong_limit_stops_the_start(text: str) -> None:
    with pytest.raises(SetupError, match="BABYCHAIN_PROVIDER_LIMITS"):
        account_limits(text, {}, {"bfl"})
