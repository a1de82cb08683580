"""RelayDance's answers in every dialect: tasks, errors, states and callbacks."""

import json
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
from domain.provider import Canceled, Failed, Job, JobState, Notice, Output, Pending, Succeeded, Unsure
from providers._answers import Redactor
from providers.relaydance.wire import error_of, read_error, read_job, read_limit, read_notice, read_state
from tests.contract.adapters import hide_nothing, shown


@pytest.mark.parametrize(
    "answer",
    [
        {"task_id": "task_1", "status": "submitted"},
        {"id": "task_1", "object": "video", "status": "queued"},
        {"task_id": "task_1", "id": "another"},
        {"code": "success", "message": "", "data": {"task_id": "task_1", "id": 7, "status": "NOT_START"}},
    ],
    ids=shown,
)
def test_the_task_is_named_in_every_dialect(answer: dict[str, Any]) -> None:
    assert read_job(answer) == Job("task_1")


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"task_id": 5}, {"status": "submitted"}, {"data": None}, {"data": {}}, {"error": {"message": "x"}}],
    ids=shown,
)
def test_an_answer_without_a_task_leaves_the_start_unknown(answer: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_job(answer)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": {"message": "why", "type": "authentication_error"}}, ("authentication_error", "why")),
        ({"error": {"message": "why", "type": "x", "code": "content_policy"}}, ("content_policy", "why")),
        ({"error": "why"}, ("", "why")),
        ({"code": "E1", "message": "why", "data": None}, ("E1", "why")),
        ({"task_id": "t", "status": "FAILURE", "fail_reason": "why"}, ("", "why")),
        ({"error": None}, ("", "")),
        ({}, ("", "")),
    ],
    ids=shown,
)
def test_an_error_is_read_in_each_of_its_shapes(body: dict[str, Any], told: tuple[str, str]) -> None:
    assert error_of(body) == told


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "seconds must be a string", InputRejected),
        (400, "blocked by content policy", Moderated),
        (401, "invalid token", BadCredentials),
        (402, "", CreditExhausted),
        (403, "insufficient_user_quota", CreditExhausted),
        (403, "用户额度不足", CreditExhausted),
        (403, "Your balance is too low.", CreditExhausted),
        (403, "This token has no access to model happyhorse-1.0-i2v", ModelUnavailable),
        (403, "insufficient permissions", BadCredentials),
        (404, "no such model", ModelUnavailable),
        (413, "", InputRejected),
        (415, "", InputRejected),
        (422, "", InputRejected),
    ],
)
def test_refusals(status: int, message: str, kind: type[StepError]) -> None:
    error = read_error(status, {"error": {"message": message}}, hide_nothing)
    assert type(error) is kind
    assert error.facts["status"] == status
    assert message in error.message


@pytest.mark.parametrize(
    ("message", "is_final"),
    [("insufficient quota", True), ("too many requests", False), ("the load balancer is busy", False)],
)
def test_only_an_empty_account_is_not_worth_waiting_for(message: str, is_final: bool) -> None:
    error = read_limit({"error": {"message": message}}, hide_nothing)
    assert (type(error) is CreditExhausted) is is_final


def state(status: object, **more: Any) -> JobState:
    return read_state({"task_id": "task_1", "status": status, **more}, hide_nothing)


@pytest.mark.parametrize(
    "word",
    ["submitted", "queued", "pending", "NOT_START", "SUBMITTED", "running", "in_progress", "IN_PROGRESS", "processing"],
)
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word) == Pending(word.lower())


@pytest.mark.parametrize(
    "answer",
    [
        {"task_id": "t", "status": "succeeded", "url": "https://v?s=1", "format": "mp4", "metadata": {"ratio": "1:1"}},
        {"id": "t", "status": "completed", "metadata": {"url": "https://v?s=1"}},
        {"id": "t", "status": "completed", "video_url": "https://v?s=1"},
        {"id": "t", "status": "success", "content": {"video_url": "https://v?s=1"}},
        {"code": "success", "data": {"task_id": "t", "status": "SUCCESS", "result_url": "https://v?s=1"}},
        {"task_id": "t", "status": "succeeded", "url": "https://v?s=1", "metadata": {"url": "https://another"}},
        {"task_id": "t", "status": "succeeded", "url": "", "metadata": None, "result_url": "https://v?s=1"},
    ],
    ids=shown,
)
def test_the_clip_is_found_in_every_dialect(answer: dict[str, Any]) -> None:
    assert read_state(answer, hide_nothing) == Succeeded((Output("https://v?s=1"),))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": "failed", "error": {"code": "content_policy", "message": "refused"}}, Moderated),
        ({"status": "failed", "error": {"code": "x", "message": "InputImageSensitiveContentDetected"}}, Moderated),
        ({"status": "failed", "error": {"code": "upstream_error", "message": "oops"}}, JobFailed),
        ({"status": "failed", "error": "oops"}, JobFailed),
        ({"status": "error"}, JobFailed),
        ({"data": {"status": "FAILURE", "fail_reason": "oops"}}, JobFailed),
        ({"data": {"status": "FAILURE", "fail_reason": "DataInspectionFailed: no"}}, Moderated),
        ({"status": "expired"}, JobExpired),
    ],
    ids=shown,
)
def test_a_task_that_failed_is_free(answer: dict[str, Any], kind: type[StepError]) -> None:
    failed = read_state(answer, hide_nothing)
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind
    assert failed.error.facts["cost"] == 0


def test_a_failure_tells_the_providers_reason_without_our_key() -> None:
    failed = read_state(
        {"status": "failed", "error": {"code": "E7", "message": "no picture for sk-canary-key at https://a/b?sig=1"}},
        Redactor("sk-canary-key"),
    )
    assert isinstance(failed, Failed)
    assert failed.error.message == "RelayDance's task failed: no picture for [redacted] at https://a/b"
    assert failed.error.facts == {"provider_code": "E7", "cost": 0}


@pytest.mark.parametrize("word", ["canceled", "CANCELLED"])
def test_a_canceled_task(word: str) -> None:
    assert state(word) == Canceled()


@pytest.mark.parametrize("status", ["reviewing", "done", None, ["running"], 5, ""])
def test_a_word_that_no_sheet_knows_is_looked_at_again_and_then_an_error(status: object) -> None:
    unsure = state(status)
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (120, 10)
    assert isinstance(unsure.error, UnexpectedResponse)
    assert unsure.word == (status if isinstance(status, str) and status else "no status")
    assert unsure.word in unsure.error.message


@pytest.mark.parametrize("url", [None, 5, "", "data:video/mp4;base64,AA=="])
def test_success_without_a_clip_is_read_five_times(url: object) -> None:
    unsure = state("succeeded", url=url)
    assert isinstance(unsure, Unsure)
    assert (unsure.word, unsure.reads) == ("succeeded without a video", 5)


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        ({"task_id": "a", "status": "succeeded", "url": "https://v"}, Notice("a", "succeeded", ended=True)),
        ({"task_id": "a", "status": "failed"}, Notice("a", "failed", ended=True)),
        ({"id": "a", "status": "in_progress"}, Notice("a", "in_progress", ended=False)),
        ({"code": "success", "data": {"task_id": "a", "status": "SUCCESS"}}, Notice("a", "SUCCESS", ended=True)),
        ({"task_id": "a", "status": "reviewing"}, Notice("a", "reviewing", ended=True)),
        ({"task_id": "a"}, Notice("a", None, ended=False)),
        ({"task_id": ["a"]}, Notice(None, None, ended=False)),
    ],
    ids=shown,
)
def test_notices_are_read_leniently(body: dict[str, Any], notice: Notice) -> None:
    assert read_notice(json.dumps(body).encode()) == notice
