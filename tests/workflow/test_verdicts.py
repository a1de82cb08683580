"""What the server's verdict on a submit means: it names the refusal of an earlier try, and how the last one ended."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ActivityError, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimedOut

from activities.errors import application_error
from activities.fence import PREPARATION
from domain.errors import Next, Refused
from workflows import policies
from workflows.failures import NEVER_SENT, UNKNOWN_START, read_failure

WORKER_LOST = (TimeoutType.HEARTBEAT, TimeoutType.START_TO_CLOSE)


def refused_and_then(type: TimeoutType, *last_words: str) -> ActivityError:
    error = ActivityError(
        "it ended", scheduled_event_id=5, started_event_id=6, identity="", activity_type="submit", activity_id="a",
        retry_state=None,
    )  # fmt: skip
    verdict = ActivityTimedOut("time is over", type=type, last_heartbeat_details=last_words)
    verdict.__cause__ = application_error(Refused("Full.", code="provider_rate_limited"))
    error.__cause__ = verdict
    return error


@pytest.mark.parametrize("type", [*WORKER_LOST, TimeoutType.SCHEDULE_TO_CLOSE])
def test_a_request_that_may_have_been_sent_is_unknown_whatever_was_refused_before(type: TimeoutType) -> None:
    failure = read_failure(refused_and_then(type, "sending"))
    assert (failure.code, failure.next) == (UNKNOWN_START, Next.END_STEP)


@pytest.mark.parametrize("type", WORKER_LOST)
def test_a_worker_that_died_before_it_sent_anything_uses_up_nobodys_patience(type: TimeoutType) -> None:
    assert read_failure(refused_and_then(type)).code == NEVER_SENT


def test_where_nobody_tried_again_in_time_the_last_refusal_says_why() -> None:
    assert read_failure(refused_and_then(TimeoutType.SCHEDULE_TO_CLOSE)).code == "provider_rate_limited"


def test_a_submit_that_was_prepared_for_as_long_as_it_may_still_waits_for_the_whole_answer() -> None:
    """The verdict comes after all that an attempt may take: the gate twice asks a database, for 3 s at most."""
    assert PREPARATION + 2 * timedelta(seconds=3) < policies.BESIDES_THE_ANSWER
