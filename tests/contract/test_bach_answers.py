"""Bach's answers: what each code and each state means."""

import json
from typing import Any

import pytest

from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobFailed,
    ModelUnavailable,
    Moderated,
    Refused,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.provider import Failed, Job, JobState, Notice, Output, Pending, Succeeded, Unsure
from providers.bach.wire import read_error, read_notice, read_state, read_task
from tests.contract.adapters import hide_nothing
from tests.contract.bach_orders import TASK


@pytest.mark.parametrize("answer", [{"code": 200, "data": {"task_id": TASK}}, {"code": 0, "data": {"task_id": TASK}}])
def test_both_words_for_success_are_understood(answer: dict[str, Any]) -> None:
    assert read_task(answer, hide_nothing) == Job(TASK)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"code": 200},
        {"code": 200, "data": None},
        {"code": 200, "data": {}},
        {"code": 200, "data": {"task_id": [5]}},
        {"code": 1000, "message": "no", "data": {"task_id": TASK}},
        {"data": {"task_id": TASK}},
        {"code": 202, "message": "Accepted"},
        {"code": 500, "message": "it broke, who knows when"},
    ],
    ids=str,
)
def test_any_other_answer_leaves_the_start_unknown(answer: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_task(answer, hide_nothing)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, 1000, "Please provide a prompt.", InputRejected),
        (400, 1000, "Duration must be between 1 and 5 seconds.", InputRejected),
        (400, 4711, "an invented one", InputRejected),
        (400, 1001, "The input did not pass content moderation.", Moderated),
        (400, 1000, "Sensitive words in the prompt.", Moderated),
        (401, 401, "", BadCredentials),
        (402, 1, "", CreditExhausted),
        (403, 1302, "Insufficient credit package.", CreditExhausted),
        (403, 4711, "", BadCredentials),
        (404, 404, "", ModelUnavailable),
        (422, "1302", "", CreditExhausted),
    ],
)
def test_refusals(status: int, code: object, message: str, kind: type[StepError]) -> None:
    error = read_error(status, {"code": code, "message": message}, hide_nothing)
    assert type(error) is kind
    assert error.facts == {"status": status, "provider_code": str(code)}
    assert message in error.message


@pytest.mark.parametrize("payload", [None, {}, {"code": True, "message": 5, "data": []}])
def test_an_error_in_no_known_shape_still_counts_by_its_status(payload: dict[str, Any] | None) -> None:
    assert type(read_error(400, payload, hide_nothing)) is InputRejected


def state(status: object, **data: Any) -> JobState:
    return read_state({"code": 200, "message": "Success", "data": {"status": status, **data}}, hide_nothing)


@pytest.mark.parametrize("word", ["TASK_PENDING", "TASK_PROCESSING"])
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word) == Pending(word)


def test_a_finished_task_gives_its_video() -> None:
    assert state("TASK_SUCCEEDED", video_url="https://v") == Succeeded((Output("https://v"),))


@pytest.mark.parametrize(
    ("message", "kind"),
    [("Out of memory\n", JobFailed), ("The result did not pass content moderation.", Moderated), (None, JobFailed)],
)
def test_a_failed_task_says_why_in_one_clean_line(message: object, kind: type[StepError]) -> None:
    failed = state("TASK_FAILED", message=message)
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind
    assert failed.error.message.removeprefix("Bach's task failed") in {".", f": {str(message).strip()}"}


@pytest.mark.parametrize(
    ("payload", "word", "reads"),
    [
        ({"code": 200, "data": {"status": "TASK_SUCCEEDED"}}, "TASK_SUCCEEDED without a video", 5),
        ({"code": 200, "data": {"status": "TASK_SUCCEEDED", "video_url": 5}}, "TASK_SUCCEEDED without a video", 5),
        ({"code": 200, "data": {"status": "TASK_PAUSED"}}, "TASK_PAUSED", 10),
        ({"code": 200, "data": {"status": "task_pending"}}, "task_pending", 10),
        ({"code": 200, "data": {}}, "no status", 10),
        ({"code": 200, "data": None}, "no status", 10),
        ({"code": 1000, "data": {"status": "TASK_PENDING"}}, "code 1000", 10),
        ({}, "no code", 10),
    ],
)
def test_what_no_page_describes_is_looked_at_again_and_then_an_error(
    payload: dict[str, Any], word: str, reads: int
) -> None:
    unsure = read_state(payload, hide_nothing)
    assert isinstance(unsure, Unsure)
    assert (unsure.word, unsure.reads) == (word, reads)
    assert isinstance(unsure.error, UnexpectedResponse)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (401, "provider_unauthorized"),
        (403, "provider_unauthorized"),
        ("429", "provider_rate_limited"),
        (500, "provider_unavailable"),
        (503, "provider_unavailable"),
    ],
)
def test_a_code_about_our_asking_says_nothing_of_the_task_under_http_200_either(code: object, reason: str) -> None:
    with pytest.raises(Refused) as raised:
        read_state({"code": code, "message": "Not now.", "data": {"status": "TASK_FAILED"}}, hide_nothing)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        (
            {"task_id": TASK, "status": "TASK_SUCCEEDED", "video_url": "x"},
            Notice(TASK, "TASK_SUCCEEDED", ended=True),
        ),
        ({"task_id": TASK, "status": "TASK_FAILED"}, Notice(TASK, "TASK_FAILED", ended=True)),
        ({"task_id": TASK, "status": "TASK_PROCESSING"}, Notice(TASK, "TASK_PROCESSING", ended=False)),
        ({"task_id": [TASK]}, Notice(None, None, ended=True)),
    ],
)
def test_callbacks_are_read_leniently(body: dict[str, Any], notice: Notice) -> None:
    assert read_notice(json.dumps(body).encode()) == notice
