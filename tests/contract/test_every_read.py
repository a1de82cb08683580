"""The answer to a status call, at every adapter: no answer about our asking loses a paid job."""

from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.errors import JobExpired, JobFailed, Moderated, Refused, StepError, UnexpectedResponse
from domain.provider import Accepted, Failed, Job, Provider, Succeeded, Unsure
from providers import bach, bailian, bfl, byteplus, relaydance
from tests.contract.adapters import Control, adapter, ended, shown
from tests.contract.cards import MODULES, each_module, first_job, order

PRIVATE = "http://169.254.169.254/latest/meta-data"
ASK_AGAIN: tuple[tuple[dict[str, Any], str], ...] = (
    ({"kind": "status", "status": 429, "headers": {"Retry-After": "3"}}, "provider_rate_limited"),
    ({"kind": "status", "status": 401}, "provider_unauthorized"),
    ({"kind": "status", "status": 403}, "provider_unauthorized"),
    ({"kind": "status", "status": 408}, "provider_unavailable"),
    ({"kind": "status", "status": 500}, "provider_unavailable"),
    ({"kind": "status", "status": 503}, "provider_unavailable"),
    ({"kind": "status", "status": 503, "body": {"status": "maintenance"}}, "provider_unavailable"),
    ({"kind": "html", "status": 502}, "provider_unavailable"),
    ({"kind": "reset"}, "provider_network_error"),
    ({"kind": "truncated", "declared": "whole"}, "provider_network_error"),
    ({"kind": "huge"}, "provider_network_error"),
    ({"kind": "truncated"}, "provider_unexpected_response"),
    ({"kind": "garbage"}, "provider_unexpected_response"),
    ({"kind": "html", "status": 200}, "provider_unexpected_response"),
)
STRANGE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"kind": "status", "status": 418}, "HTTP 418"),
    ({"kind": "redirect", "location": "https://example.com/"}, "HTTP 307"),
    ({"kind": "redirect", "location": PRIVATE}, "HTTP 307"),
    ({"kind": "error_in_200"}, "no status"),
    ({"kind": "wrong_type"}, "no status"),
)
GONE: tuple[dict[str, Any], ...] = ({"kind": "gone_after_success"}, {"kind": "status", "status": 404})
OWN_WORDS = {("bach", "error_in_200"): "code 1000", ("bailian", "gone"): "UNKNOWN", ("bfl", "gone"): "Task not found"}
HOW_IT_FAILED: tuple[tuple[ModuleType, dict[str, Any], type[StepError]], ...] = (
    *((module, {"kind": "moderated"}, Moderated) for module in (bach, bailian, byteplus, relaydance)),
    (bfl, {"kind": "moderated", "stage": "input"}, Moderated),
    (bfl, {"kind": "moderated", "stage": "output"}, Moderated),
    (bfl, {"kind": "moderated", "status": 422}, Moderated),
    (bfl, {"kind": "failed", "status": 422}, JobFailed),
    (bfl, {"kind": "failed", "status": 503}, JobFailed),
    (byteplus, {"kind": "failed", "word": "expired"}, JobExpired),
    (relaydance, {"kind": "failed", "word": "error"}, JobFailed),
    (relaydance, {"kind": "failed", "word": "expired"}, JobExpired),
    *((module, {"kind": "failed"}, JobFailed) for module in MODULES),
)


async def start(module: ModuleType, sandbox: Control, http: httpx.AsyncClient) -> tuple[Provider, Job]:
    """Some providers remember keys, so each start has its own."""
    provider = adapter(module, sandbox.url, http)
    accepted = await provider.submit(order(first_job(module)), f"babychain:{uuid4()}:step:1", None)
    assert isinstance(accepted, Accepted)
    return provider, accepted.job


@pytest.mark.parametrize(("fault", "code"), ASK_AGAIN, ids=shown)
@each_module
async def test_an_answer_about_our_asking_says_nothing_of_the_job(
    sandbox: Control, worker_http: httpx.AsyncClient, module: ModuleType, fault: dict[str, Any], code: str
) -> None:
    provider, job = await start(module, sandbox, worker_http)
    await sandbox.put_faults(fault | {"operation": "status"})
    with pytest.raises(Refused) as raised:
        await provider.status(job)
    assert raised.value.reason == code
    assert raised.value.retry_after == (3 if code == "provider_rate_limited" else None)
    assert isinstance(await ended(provider, job), Succeeded)


@pytest.mark.parametrize(("fault", "word"), STRANGE, ids=shown)
@each_module
async def test_a_strange_read_is_unsure_and_may_mend(
    sandbox: Control, worker_http: httpx.AsyncClient, module: ModuleType, fault: dict[str, Any], word: str
) -> None:
    provider, job = await start(module, sandbox, worker_http)
    await sandbox.put_faults(fault | {"operation": "status"})
    unsure = await provider.status(job)
    assert isinstance(unsure, Unsure)
    assert unsure.word == OWN_WORDS.get((module.NAME, shown(fault)), word)
    assert isinstance(await ended(provider, job), Succeeded)


@pytest.mark.parametrize("fault", GONE, ids=shown)
@each_module
async def test_a_job_that_is_not_known_is_looked_for_thrice_in_half_a_minute(
    sandbox: Control, worker_http: httpx.AsyncClient, module: ModuleType, fault: dict[str, Any]
) -> None:
    provider, job = await start(module, sandbox, worker_http)
    await sandbox.put_faults(fault | {"operation": "status"})
    unsure = await provider.status(job)
    assert isinstance(unsure, Unsure)
    assert unsure.word == OWN_WORDS.get((module.NAME, "gone"), "not found")
    assert (unsure.seconds, unsure.reads, type(unsure.error)) == (30, 3, JobExpired)
    assert isinstance(await ended(provider, job), Succeeded)


@each_module
async def test_a_word_that_no_sheet_knows_is_read_for_two_minutes_and_ten_times_and_then_shown(
    sandbox: Control, worker_http: httpx.AsyncClient, module: ModuleType
) -> None:
    provider, job = await start(module, sandbox, worker_http)
    await sandbox.put_faults({"kind": "unknown_status", "operation": "status"})
    unsure = await provider.status(job)
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (120, 10)
    assert type(unsure.error) is UnexpectedResponse
    assert repr(unsure.word) in unsure.error.message
    assert isinstance(await ended(provider, job), Succeeded)


@pytest.mark.parametrize(("module", "fault", "kind"), HOW_IT_FAILED, ids=shown)
async def test_how_a_job_failed_is_read_from_the_body_whatever_the_status_code(
    sandbox: Control, worker_http: httpx.AsyncClient, module: ModuleType, fault: dict[str, Any], kind: type[StepError]
) -> None:
    await sandbox.put_faults(fault)
    failed = await ended(*await start(module, sandbox, worker_http))
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind
