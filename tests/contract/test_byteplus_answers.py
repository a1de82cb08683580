"""BytePlus's answers: pictures, errors, and a task's states."""

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
from domain.provider import Canceled, Failed, Finished, Job, JobState, Output, Pending, Succeeded, Unsure
from providers.byteplus.wire import error_of, read_error, read_failure, read_limit, read_pictures, read_state
from tests.contract.adapters import hide_nothing, shown
from tests.contract.byteplus_orders import DANCE, DREAM, SECOND

FILTERED = {"error": {"code": "OutputImageSensitiveContentDetected", "message": "no"}}
BROKEN = {"error": {"code": "InternalServiceError", "message": "oops"}}


def test_finished_pictures_are_paid_one_by_one() -> None:
    answer = {"data": [{"url": "https://a"}, FILTERED, {"url": "https://b"}]}
    finished = read_pictures(DREAM, answer, hide_nothing)
    assert finished == Finished((Output("https://a"), Output("https://b")), cost=80_000)


def test_what_searches_cost_is_not_guessed() -> None:
    answer = {"data": [{"url": "https://a"}], "usage": {"generated_images": 1, "tool_usage": {"web_search": 2}}}
    assert read_pictures(DREAM, answer, hide_nothing) == Finished((Output("https://a"),))


def test_a_picture_that_was_made_is_paid_though_its_address_is_of_no_use() -> None:
    answer = {"data": [{"url": "https://a"}, {"url": "data:image/png;base64,AA=="}], "usage": {"generated_images": 2}}
    assert read_pictures(DREAM, answer, hide_nothing) == Finished((Output("https://a"),), cost=80_000)


@pytest.mark.parametrize("made", [None, "2", True, 0, -1])
def test_a_strange_count_of_pictures_counts_for_nothing(made: object) -> None:
    answer = {"data": [{"url": "https://a"}], "usage": {"generated_images": made}}
    assert read_pictures(DREAM, answer, hide_nothing) == Finished((Output("https://a"),), cost=40_000)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"data": [FILTERED]}, Moderated),
        ({"data": [BROKEN]}, JobFailed),
        ({"data": [FILTERED, BROKEN]}, Moderated),
        ({"data": [], **BROKEN}, JobFailed),
    ],
)
def test_when_no_picture_came_the_first_error_says_why(answer: dict[str, Any], kind: type[StepError]) -> None:
    with pytest.raises(kind) as raised:
        read_pictures(DREAM, answer, hide_nothing)
    assert raised.value.facts["cost"] == 0


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"data": []},
        {"data": "x"},
        {"data": [{"url": [5]}]},
        {"data": [{"url": "data:image/png;base64,AA=="}]},
        {"data": ["odd"]},
        BROKEN,
    ],
    ids=shown,
)
def test_an_answer_without_pictures_leaves_the_start_unknown(answer: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_pictures(DREAM, answer, hide_nothing)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "A.B", "message": "why", "param": "x"}},
        {"code": "A.B", "message": "why"},
        {"ResponseMetadata": {"Error": {"Code": "A.B", "Message": "why"}}},
    ],
)
def test_an_error_is_read_in_each_of_its_shapes(body: dict[str, Any]) -> None:
    assert error_of(body) == ("A.B", "why")


@pytest.mark.parametrize("body", [None, {}, {"error": "text"}, {"error": None}, {"ResponseMetadata": 5}])
def test_an_error_in_no_known_shape_is_empty(body: dict[str, Any] | None) -> None:
    assert error_of(body) == ("", "")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "MissingParameter.prompt", InputRejected),
        (400, "InvalidParameter.UnsupportedParameter", InputRejected),
        (400, "InvalidImageURL.InvalidFormat", InputRejected),
        (400, "SensitiveContentDetected.Violence", Moderated),
        (400, "InputTextSensitiveContentDetected", Moderated),
        (400, "InputImageSensitiveContentDetected.PrivacyInformation", Moderated),
        (400, "OutputImageSensitiveContentDetected.DeepFake", Moderated),
        (400, "InvalidEndpoint.ClosedEndpoint", ModelUnavailable),
        (401, "AuthenticationError", BadCredentials),
        (401, "InvalidAccountStatus", BadCredentials),
        (402, "", CreditExhausted),
        (403, "AccessDenied", BadCredentials),
        (403, "AccountOverdueError", CreditExhausted),
        (403, "OperationDenied.ServiceNotOpen", ModelUnavailable),
        (403, "OperationDenied.ServiceOverdue", CreditExhausted),
        (404, "InvalidEndpointOrModel.NotFound", ModelUnavailable),
        (404, "InvalidEndpointOrModel.ModelIDAccessDisabled", ModelUnavailable),
        (404, "ModelNotOpen", ModelUnavailable),
        (404, "", ModelUnavailable),
        (422, "", InputRejected),
    ],
)
def test_refusals(status: int, code: str, kind: type[StepError]) -> None:
    error = read_error(status, {"error": {"code": code, "message": "why"}}, hide_nothing)
    assert type(error) is kind
    assert error.facts["status"] == status
    assert "why" in error.message


@pytest.mark.parametrize(
    ("code", "message", "is_final"),
    [
        ("SetLimitExceeded", "Your own limit.", True),
        ("QuotaExceeded", "The free trial quota is used up.", True),
        ("QuotaExceeded", "Too many queued tasks. Please try again later.", False),
        ("RateLimitExceeded.EndpointRPMExceeded", "", False),
        ("ServerOverloaded", "", False),
        ("", "", False),
    ],
)
def test_only_two_limits_are_not_worth_waiting_for(code: str, message: str, is_final: bool) -> None:
    error = read_limit({"error": {"code": code, "message": message}}, hide_nothing)
    assert (type(error) is CreditExhausted) is is_final


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("OutputVideoSensitiveContentDetected", Moderated),
        ("OutputAudioSensitiveContentDetected.PolicyViolation", Moderated),
        ("InvalidParameter.TaskTypeMismatch", InputRejected),
        ("InternalServiceError", JobFailed),
        ("", JobFailed),
    ],
)
def test_why_a_task_failed(code: str, kind: type[StepError]) -> None:
    error = read_failure({"code": code, "message": "why"}, hide_nothing)
    assert type(error) is kind
    assert error.facts["cost"] == 0
    assert error.facts.get("provider_code", "") == code


JOB = Job("cgt-20261121030000-ab1cd", {"rate": "2400000"})


def state(status: object, **more: Any) -> JobState:
    return read_state({"id": JOB.id, "status": status, **more}, JOB, hide_nothing)


@pytest.mark.parametrize("word", ["queued", "running"])
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word) == Pending(word)


def test_a_finished_task_gives_video_last_frame_cost_and_expiry() -> None:
    done = state(
        "succeeded",
        content={"video_url": "https://v?x=1", "last_frame_url": "https://f?x=1"},
        usage={"total_tokens": 108_900},
        updated_at=1_795_230_061,
    )
    assert done == Succeeded(
        (Output("https://v?x=1"),),
        261_360,
        {"last_frame_url": "https://f?x=1", "output_expires_at": "2026-11-22T03:01:01.000Z"},
    )


@pytest.mark.parametrize("moment", [None, "now", 10**30, -1])
def test_a_strange_moment_is_no_expiry(moment: object) -> None:
    done = state("succeeded", content={"video_url": "https://v"}, updated_at=moment)
    assert done == Succeeded((Output("https://v"),))


@pytest.mark.parametrize("usage", [None, {}, {"total_tokens": "many"}, {"total_tokens": -1}])
def test_without_a_token_count_the_cost_is_unknown(usage: object) -> None:
    done = state("succeeded", content={"video_url": "https://v"}, usage=usage)
    assert done == Succeeded((Output("https://v"),))


def test_what_the_searches_of_a_video_cost_is_not_guessed() -> None:
    usage = {"total_tokens": 108_900, "tool_usage": {"web_search": 2}}
    assert state("succeeded", content={"video_url": "https://v"}, usage=usage) == Succeeded((Output("https://v"),))
    none = usage | {"tool_usage": {"web_search": 0}}
    assert state("succeeded", content={"video_url": "https://v"}, usage=none) == Succeeded(
        (Output("https://v"),), 261_360
    )


@pytest.mark.parametrize(
    ("task", "cost"),
    [
        ({"model": DANCE.raw_id, "generate_audio": True}, 2_400),
        ({"model": DANCE.raw_id, "generate_audio": False, "service_tier": "flex"}, 600),
        ({"model": SECOND.raw_id, "resolution": "1080p"}, 7_700),
        ({"model": SECOND.raw_id, "resolution": "8k"}, None),
        ({"model": "ep-1"}, None),
    ],
    ids=shown,
)
def test_a_task_that_was_found_again_tells_its_own_rate(task: dict[str, Any], cost: int | None) -> None:
    payload = {"status": "succeeded", "content": {"video_url": "https://v"}, "usage": {"total_tokens": 1_000}} | task
    done = read_state(payload, Job("cgt-1"), hide_nothing)
    assert isinstance(done, Succeeded)
    assert done.cost == cost


def test_cancelled_expired_and_failed_tasks() -> None:
    assert state("cancelled") == Canceled()
    expired, moderated, failed = (
        state("expired"),
        state("failed", error={"code": "OutputVideoSensitiveContentDetected", "message": "no"}),
        state("failed", error=None),
    )
    for ended_badly, kind, code in (
        (expired, JobExpired, "provider_expired"),
        (moderated, Moderated, "provider_content_moderated"),
        (failed, JobFailed, "provider_failed"),
    ):
        assert isinstance(ended_badly, Failed)
        assert type(ended_badly.error) is kind
        assert ended_badly.error.reason == code
        assert ended_badly.error.facts["cost"] == 0


@pytest.mark.parametrize(
    ("status", "more"),
    [
        ("reviewing", {}),
        ("canceled", {}),
        ("Succeeded", {}),
        ("succeeded", {}),
        ("succeeded", {"content": {"video_url": 5}}),
        (None, {}),
        (["running"], {}),
    ],
)
def test_what_no_sheet_knows_is_looked_at_again_and_then_an_error(status: object, more: dict[str, Any]) -> None:
    unsure = state(status, **more)
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (120, 10)
    assert isinstance(unsure.error, UnexpectedResponse)
    assert "BytePlus" in unsure.error.message
    assert unsure.word.startswith(status if isinstance(status, str) else "no status")
    assert unsure.word in unsure.error.message
