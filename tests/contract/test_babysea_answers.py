"""BabySea's answers: what each error and each state means."""

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
from providers.babysea.wire import read_error, read_job, read_state
from tests.contract.adapters import hide_nothing
from tests.contract.babysea_orders import ID, complaint

JOB = Job(ID, {"order": "bfl, replicate", "prediction": "pred_1", "request": "req_7a", "replayed": "false"})


@pytest.mark.parametrize(
    ("status", "payload", "kind"),
    [
        (400, complaint(code="BSE2001", type="invalid_input"), InputRejected),
        (401, complaint(code="BSE1001", type="authentication_required"), BadCredentials),
        (402, complaint(code="BSE1004", type="insufficient_credits"), CreditExhausted),
        (403, complaint(code="BSE1007", type="ip_not_allowed"), BadCredentials),
        (403, None, InputRejected),
        (404, complaint(code="BSE1008", type="account_not_found"), BadCredentials),
        (404, complaint(code="BSE2002", type="model_not_found"), ModelUnavailable),
        (413, complaint(code="BSE2010", type="payload_too_large"), InputRejected),
        (422, complaint(code="BSE2002", type="file_too_large"), InputRejected),
        (422, complaint(code="BSE2006", type="content_policy_violation"), Moderated),
        (422, complaint(code=[2006], type={"odd": 1}, message=5), InputRejected),
        (400, {"error": "just words"}, InputRejected),
        (400, None, InputRejected),
    ],
    ids=str,
)
def test_types_decide_before_numbers(status: int, payload: dict[str, Any] | None, kind: type[StepError]) -> None:
    error = read_error(status, payload, hide_nothing)
    assert type(error) is kind
    assert error.facts["status"] == status


def test_what_each_upstream_said_is_told() -> None:
    said = [{"provider": "bfl", "message": "busy"}, {"provider": "fal", "message": "no"}, "odd"]
    error = read_error(400, complaint(code="BSE3003", message="All failed.", provider_errors=said), hide_nothing)
    assert error.message == "BabySea refused the request: All failed.; bfl: busy; fal: no"
    assert error.facts["provider_code"] == "BSE3003"


@pytest.mark.parametrize("payload", [None, {}, {"data": None}, {"data": {"generation_id": 5}}], ids=str)
def test_an_answer_that_names_no_generation_is_no_refusal(payload: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_job(payload, {}, None)


def test_a_generation_canceled_while_it_was_starting_is_a_job_like_any_other() -> None:
    job = read_job({"data": {"generation_id": ID, "generation_status": "canceled"}}, {}, 5)
    assert (job.id, job.cost) == (ID, 5)


def state(**data: Any) -> JobState:
    return read_state({"status": "success", "data": {"generation_id": ID} | data}, JOB, hide_nothing)


def test_every_documented_status_is_known() -> None:
    assert state(generation_status="pending") == Pending("pending")
    assert state(generation_status="processing") == Pending("processing")
    assert state(generation_status="canceled") == Canceled()
    done = state(
        generation_status="succeeded",
        generation_output_file=["https://files.example/out-0.png", "https://files.example/out-1.png"],
        generation_provider_order=["bfl", "replicate"],
        generation_provider_used="replicate",
    )
    assert isinstance(done, Succeeded)
    assert done.outputs == (Output("https://files.example/out-0.png"), Output("https://files.example/out-1.png"))
    assert done.metadata["provider_used"] == "replicate"
    assert done.metadata["provider_order"] == "bfl, replicate"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"generation_error": "All providers failed.", "generation_error_code": "BSE3003"}, JobFailed),
        ({"generation_error": "No.", "generation_error_code": "BSE2006"}, Moderated),
        ({"generation_error": None, "generation_error_code": [1]}, JobFailed),
    ],
    ids=str,
)
def test_a_failure_costs_nothing_and_says_why(data: dict[str, Any], kind: type[StepError]) -> None:
    failed = state(generation_status="failed", **data)
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind
    assert failed.error.facts["cost"] == 0


def test_files_that_were_deleted_are_gone_and_missing_ones_are_waited_for() -> None:
    removed = state(generation_status="succeeded", generation_removed=True, generation_output_file=None)
    assert isinstance(removed, Failed)
    assert isinstance(removed.error, JobExpired)
    for files in (None, [], "https://files.example/a.png", [5]):
        assert isinstance(state(generation_status="succeeded", generation_output_file=files), Unsure)


@pytest.mark.parametrize("word", ["cancelled", "SUCCEEDED", "", None, 5], ids=str)
def test_a_word_that_nobody_documents_is_looked_at_again_and_then_an_error(word: object) -> None:
    unsure = state(generation_status=word)
    assert isinstance(unsure, Unsure)
    assert isinstance(unsure.error, UnexpectedResponse)
