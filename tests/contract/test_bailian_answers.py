"""Bailian's answers: what each error and each state means."""

from typing import Any

import pytest

from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobExpired,
    JobFailed,
    ModelUnavailable,
    Moderated,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.provider import Canceled, Failed, Job, JobState, Output, Pending, Succeeded, Unsure
from providers.bailian.wire import error_of, read_error, read_failure, read_state, read_task
from tests.contract.adapters import hide_nothing
from tests.contract.bailian_orders import FLASH, PROMPT, TASK, WAN, told


def test_a_created_task_keeps_its_rate_and_its_request_id() -> None:
    answer = {"request_id": "r-1", "output": {"task_id": TASK, "task_status": "PENDING"}}
    job = read_task(answer, FLASH, told(resolution="720P", audio=False), hide_nothing)
    assert job == Job(TASK, {"rate": "25000", "request_id": "r-1"})


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"output": None}, {"output": {}}, {"output": {"task_id": [1]}}, {"code": "X", "message": "no"}],
    ids=str,
)
def test_an_answer_without_a_task_leaves_the_start_unknown(answer: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_task(answer, WAN, PROMPT, hide_nothing)


@pytest.mark.parametrize(
    "body",
    [
        {"request_id": "r", "code": "A.B", "message": "why"},
        {"error": {"message": "why", "type": "new", "param": "", "code": "A.B"}},
        {"error": {"message": "why", "type": "A.B", "code": None}},
        {"code": "A.B", "message": "why", "data": None},
    ],
)
def test_an_error_is_read_in_each_of_its_shapes(body: dict[str, Any]) -> None:
    assert error_of(body) == ("A.B", "why")


@pytest.mark.parametrize("body", [None, {}, {"error": "text"}, {"error": None}])
def test_an_error_in_no_known_shape_is_empty(body: dict[str, Any] | None) -> None:
    assert error_of(body) == ("", "")


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "InvalidParameter", "Field required: input.img_url", InputRejected),
        (400, "InvalidParameter.DataInspection", "", InputRejected),
        (400, "InvalidURL", "", InputRejected),
        (400, "DataInspectionFailed", "", Moderated),
        (400, "Arrearage", "", CreditExhausted),
        (403, "Arrearage", "", CreditExhausted),
        (403, "insufficient_user_quota", "", CreditExhausted),
        (403, "", "Insufficient balance.", CreditExhausted),
        (403, "pre_consume_token_quota_failed", "token quota is not enough, need quota: $0.75", CreditExhausted),
        (403, "new_api_error", "token quota is not enough", CreditExhausted),
        (401, "new_api_error", "该令牌额度已用尽", CreditExhausted),
        (403, "fail_to_fetch_task", '{"code":"Arrearage"}', CreditExhausted),
        (403, "new_api_error", "No available channel for model wan2.6-i2v under group vip", ModelUnavailable),
        (402, "", "", CreditExhausted),
        (401, "InvalidApiKey", "", BadCredentials),
        (403, "AccessDenied", "", BadCredentials),
        (404, "ModelNotFound", "", ModelUnavailable),
        (400, "model_not_found", "", ModelUnavailable),
        (422, "", "", InputRejected),
    ],
)
def test_refusals(status: int, code: str, message: str, kind: type[StepError]) -> None:
    error = read_error(status, {"request_id": "r-1", "code": code, "message": message}, hide_nothing)
    assert type(error) is kind
    assert (error.facts["status"], error.facts["request_id"]) == (status, "r-1")
    assert message in error.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DataInspectionFailed", Moderated),
        ("InvalidParameter", InputRejected),
        ("InvalidURL", InputRejected),
        ("InternalError.Timeout", JobFailed),
        ("", JobFailed),
    ],
)
def test_why_a_task_failed(code: str, kind: type[StepError]) -> None:
    error = read_failure({"code": code, "message": "why"}, hide_nothing)
    assert type(error) is kind
    assert error.facts.get("provider_code", "") == code


JOB = Job(TASK, {"rate": "50000"})
VIDEO = "https://results.example/5d1f.mp4?Expires=1795255297&Signature=x"


def state(status: object, usage: object = None, job: Job = JOB, **output: Any) -> JobState:
    return read_state({"output": {"task_id": TASK, "task_status": status, **output}, "usage": usage}, job, hide_nothing)


@pytest.mark.parametrize("word", ["PENDING", "RUNNING", "SUSPENDED"])
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word) == Pending(word)


def test_a_finished_task_gives_video_cost_and_expiry() -> None:
    assert state("SUCCEEDED", {"output_video_duration": 5, "input_video_duration": 0}, video_url=VIDEO) == Succeeded(
        (Output(VIDEO),), 250_000, {"output_expires_at": "2026-11-21T10:01:37.000Z"}
    )


@pytest.mark.parametrize("query", ["", "?Expires=", "?Expires=soon", "?Expires=99999999999999", "?Expires=%C2%B2"])
def test_an_address_without_a_moment_has_no_known_expiry(query: str) -> None:
    assert state("SUCCEEDED", video_url="https://v" + query) == Succeeded((Output("https://v" + query),))


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"video_duration": 5, "video_ratio": "832*480", "video_count": 1}, 250_000),
        ({"duration": 10, "output_video_duration": 5}, 250_000),
        ({"video_duration": 0, "duration": "5.0"}, 250_000),
        ({"duration": 5.04}, 252_000),
        ({"duration": True}, None),
        ({"duration": "long"}, None),
        ({"duration": float("inf")}, None),
        ({"duration": 10**400}, None),
        ({"duration": -5}, None),
        ({}, None),
        (None, None),
    ],
    ids=str,
)
def test_seconds_are_read_under_the_names_of_every_generation(usage: object, cost: int | None) -> None:
    done = state("SUCCEEDED", usage, video_url="https://v")
    assert isinstance(done, Succeeded)
    assert done.cost == cost


def test_without_a_rate_the_cost_is_unknown() -> None:
    done = state("SUCCEEDED", {"duration": 5}, Job(TASK), video_url="https://v")
    assert isinstance(done, Succeeded)
    assert done.cost is None


def test_failed_canceled_and_forgotten_tasks() -> None:
    failed = state("FAILED", code="InternalError.Timeout", message="The task timed out.")
    assert isinstance(failed, Failed)
    assert type(failed.error) is JobFailed
    assert failed.error.message == "Bailian's task failed: The task timed out."
    assert state("CANCELED") == Canceled()
    forgotten = state("UNKNOWN")
    assert isinstance(forgotten, Unsure)
    assert (forgotten.seconds, forgotten.reads, type(forgotten.error)) == (30, 3, JobExpired)


@pytest.mark.parametrize(
    ("payload", "word", "reads"),
    [
        ({"output": {"task_status": "SUCCEEDED"}}, "SUCCEEDED without a video", 5),
        ({"output": {"task_status": "SUCCEEDED", "video_url": ["x"]}}, "SUCCEEDED without a video", 5),
        ({"output": {"task_status": "HIBERNATING"}}, "HIBERNATING", 10),
        ({"output": {"task_status": None}}, "no status", 10),
        ({"output": "of another vendor"}, "no status", 10),
        ({"status": "SUCCESS", "data": {}}, "no status", 10),
    ],
)
def test_what_no_page_describes_is_looked_at_again_and_then_an_error(
    payload: dict[str, Any], word: str, reads: int
) -> None:
    unsure = read_state(payload, JOB, hide_nothing)
    assert isinstance(unsure, Unsure)
    assert (unsure.word, unsure.reads) == (word, reads)
    assert isinstance(unsure.error, UnexpectedResponse)
