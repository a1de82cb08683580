"""Black Forest Labs' answers: what each error and each state means."""

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
    StepError,
    UnexpectedResponse,
)
from domain.provider import Failed, JobState, Pending, Succeeded, Unsure
from providers.bfl.wire import complaint, read_error, read_state
from tests.contract.adapters import NOW, hide_nothing
from tests.contract.bfl_orders import JOB


def state(status: object, **more: Any) -> JobState:
    return read_state({"id": JOB.id, "status": status, **more}, JOB, NOW, hide_nothing)


@pytest.mark.parametrize("word", ["Pending", "Reasoning", "Generating"])
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word, progress=0.4) == Pending(word)


def test_ready_gives_the_output_its_cost_and_when_it_expires() -> None:
    ready = state("Ready", result={"sample": "https://delivery-eu2.bfl.ai/a.png?sig=x", "seed": 7})
    assert isinstance(ready, Succeeded)
    assert [output.url for output in ready.outputs] == ["https://delivery-eu2.bfl.ai/a.png?sig=x"]
    assert ready.cost == 30_000
    assert ready.metadata == {"output_expires_at": "2026-11-21T03:20:00.000Z"}


@pytest.mark.parametrize("word", ["Request Moderated", "Content Moderated"])
def test_moderated_jobs_cost_nothing_and_say_why(word: str) -> None:
    failed = state(word, details={"Moderation Reasons": ["Safety Filter", "Copyright"]})
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, Moderated)
    assert failed.error.facts["cost"] == 0
    assert "Safety Filter, Copyright" in failed.error.message


@pytest.mark.parametrize("word", ["Error", "Failed"])
@pytest.mark.parametrize("more", [{"details": {"error": "no paint"}}, {"details": "no paint"}, {"error": "no paint"}])
def test_failed_jobs_say_why(word: str, more: dict[str, Any]) -> None:
    failed = state(word, **more)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, JobFailed)
    assert failed.error.reason == "provider_failed"
    assert failed.error.facts["cost"] == 0
    assert "no paint" in failed.error.message


def test_task_not_found_is_looked_at_again_for_half_a_minute() -> None:
    unsure = state("Task not found")
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (30, 3)
    assert isinstance(unsure.error, JobExpired)
    assert unsure.error.reason == "provider_task_not_found"


@pytest.mark.parametrize(
    ("status", "more"),
    [
        ("Dreaming", {}),
        ("ready", {}),
        ("Ready", {}),
        ("Ready", {"result": None}),
        ("Ready", {"result": {"sample": ["x"]}}),
        (None, {}),
        (["Ready"], {}),
        ({}, {}),
        ("", {}),
        ("x" * 5_000, {}),
    ],
)
def test_what_no_sheet_knows_is_looked_at_again_and_then_an_error(status: object, more: dict[str, Any]) -> None:
    unsure = state(status, **more)
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (120, 10)
    assert isinstance(unsure.error, UnexpectedResponse)
    assert "BFL" in unsure.error.message
    assert unsure.word.startswith(status if isinstance(status, str) and 0 < len(status) <= 200 else "no status")
    assert len(unsure.error.message) < 400
    assert str(status)[:20] in unsure.error.message or not isinstance(status, str) or len(status) > 200


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"detail": "unreadable image"}, InputRejected, "provider_invalid_request"),
        (401, {"detail": "wrong key"}, BadCredentials, "provider_unauthorized"),
        (402, {"detail": "Insufficient credits."}, CreditExhausted, "provider_quota_exceeded"),
        (403, {"detail": "Not authenticated"}, BadCredentials, "provider_unauthorized"),
        (403, {"detail": "No permission for this model"}, ModelUnavailable, "provider_not_found"),
        (404, None, ModelUnavailable, "provider_not_found"),
        (413, None, InputRejected, "provider_invalid_request"),
        (422, {"detail": [{"loc": ["body", "width"], "msg": "too small"}]}, InputRejected, "provider_invalid_request"),
    ],
)
def test_refusals(status: int, body: dict[str, Any] | None, kind: type[StepError], code: str) -> None:
    error = read_error(status, body, hide_nothing)
    assert type(error) is kind
    assert error.reason == code
    assert error.facts["status"] == status
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"detail": "a", "message": "b"}, "a"),
        ({"message": "b", "error": "c"}, "b"),
        ({"error": "c"}, "c"),
        ({"detail": [{"loc": ["body", "width"], "msg": "too small", "input": "canary"}, "odd"]}, "width: too small"),
        ({"detail": [{"msg": "no"}]}, "no"),
        ({"detail": {"odd": 1}}, ""),
        ({}, ""),
    ],
)
def test_the_complaint_is_found_in_each_of_its_places(body: dict[str, Any], text: str) -> None:
    assert complaint(body) == text
