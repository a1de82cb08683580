"""What a failed activity means for the money."""

import pytest
from temporalio.exceptions import ActivityError, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimedOut

from workflows.failures import NEVER_SENT, UNKNOWN_START, read_failure


def timed_out(type: TimeoutType, *last_words: str) -> ActivityError:
    error = ActivityError(
        "it ended", scheduled_event_id=5, started_event_id=6, identity="", activity_type="submit", activity_id="a",
        retry_state=None,
    )  # fmt: skip
    error.__cause__ = ActivityTimedOut("time is over", type=type, last_heartbeat_details=last_words)
    return error


@pytest.mark.parametrize("type", [TimeoutType.HEARTBEAT, TimeoutType.START_TO_CLOSE, TimeoutType.SCHEDULE_TO_CLOSE])
def test_whichever_time_is_over_a_request_that_was_sent_is_an_unknown_start(type: TimeoutType) -> None:
    assert read_failure(timed_out(type, "sending")).code == UNKNOWN_START


def test_a_request_that_was_not_sent_is_known_to_have_started_nothing() -> None:
    assert read_failure(timed_out(TimeoutType.HEARTBEAT, "preparing")).code == NEVER_SENT
    assert read_failure(timed_out(TimeoutType.SCHEDULE_TO_CLOSE)).code == "step_running_timed_out"
