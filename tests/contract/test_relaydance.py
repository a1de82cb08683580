"""RelayDance: making clips over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobExpired,
    ModelUnavailable,
    Moderated,
    StartUnknown,
)
from domain.media import InputFile
from domain.provider import (
    Accepted,
    CancelOutcome,
    Failed,
    Job,
    JobRequest,
    ModelCard,
    Notice,
    Pending,
    Provider,
    Succeeded,
    Unsure,
    Window,
)
from providers import relaydance
from tests.contract.adapters import NOW, Control, adapter, ended, request, shown, start
from tests.contract.relaydance_orders import ADDRESS, FUSION, HORSE, LAST, PICTURE, PROMPT, SILENT, each_model, having
from tests.support.receiver import Receiver
from tests.support.sandbox_server import QUICK, running_sandbox

DIALECTS = ["documented", "openai", "newapi"]


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return adapter(relaydance, sandbox.url, http)


@each_model
async def test_every_model_makes_a_clip_from_a_picture(provider: Provider, sandbox: Control, card: ModelCard) -> None:
    done = await ended(provider, await start(provider, request(card, PROMPT | {"seconds": "5"}, PICTURE)))
    assert isinstance(done, Succeeded)
    (output,) = done.outputs
    assert done.cost is None
    clip = await sandbox.http.get(output.url)
    assert clip.headers["content-type"] == "video/mp4"
    assert await sandbox.paid_starts() == 1


async def test_nine_pictures_pass_in_order_and_ten_are_refused(provider: Provider, sandbox: Control) -> None:
    addresses = [f"https://example.com/{number}.png" for number in range(10)]
    pictures = [InputFile(url=url) for url in addresses]
    await start(provider, request(FUSION, {"prompt": "@image9 turns into @image1"}, *pictures[:9]))
    (row,) = await sandbox.submits()
    assert [entry["image_url"]["url"] for entry in row["body"]["metadata"]["content"]] == addresses[:9]
    with pytest.raises(InputRejected, match="at most 9"):
        await provider.submit(request(FUSION, PROMPT, *pictures), "key", None)
    assert await sandbox.paid_starts() == 1


@pytest.mark.parametrize("params", [{"prompt": "@image2 flies"}, having(LAST)], ids=shown)
async def test_what_does_not_fit_the_pictures_is_refused_before_anything_is_sent(
    provider: Provider, sandbox: Control, params: dict[str, Any]
) -> None:
    with pytest.raises(InputRejected) as raised:
        await provider.submit(request(SILENT, params, PICTURE), "key", None)
    assert raised.value.reason == "invalid_provider_params"
    assert await sandbox.jobs() == []


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_job_runs_from_start_to_end_in_every_dialect(
    provider: Provider, receiver: Receiver, dialect: str
) -> None:
    params = {"prompt": f"a kite [dialect={dialect}]"}
    job = await start(provider, request(SILENT, params, ADDRESS), callback_url=f"{receiver.url}/hook/token")
    assert job.id.startswith("task_")
    assert isinstance(await ended(provider, job), Succeeded)
    delivery = await receiver.next()
    notice = provider.notice(delivery.headers, delivery.body, NOW)
    assert (notice.job_id, notice.ended) == (job.id, True)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_refusal_by_the_filter_is_read_in_every_dialect(
    provider: Provider, sandbox: Control, dialect: str
) -> None:
    params = {"prompt": f"a [moderate] kite [dialect={dialect}]"}
    failed = await ended(provider, await start(provider, request(SILENT, params, ADDRESS)))
    assert isinstance(failed, Failed)
    assert type(failed.error) is Moderated
    (row,) = await sandbox.submits()
    assert row["charged"] == 0


async def test_a_forged_callback_changes_nothing(provider: Provider, sandbox: Control, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "forge"}, {"kind": "never_ends"})
    job = await start(provider, request(SILENT, PROMPT), callback_url=f"{receiver.url}/hook")
    delivery = await receiver.next()
    assert provider.notice(delivery.headers, delivery.body, NOW) == Notice(job.id, "failed", ended=True)
    assert isinstance(await provider.status(job), Pending)


async def test_a_lost_task_names_itself_in_its_callback(
    provider: Provider, sandbox: Control, receiver: Receiver
) -> None:
    await sandbox.put_faults({"kind": "reset", "when": "after"})
    with pytest.raises(StartUnknown):
        await provider.submit(request(SILENT, PROMPT), "key", f"{receiver.url}/hook")
    delivery = await receiver.next()
    notice = provider.notice(delivery.headers, delivery.body, NOW)
    (row,) = await sandbox.submits()
    assert notice.job_id == row["job_id"]
    assert isinstance(await ended(provider, Job(row["job_id"])), Succeeded)


async def test_a_spent_quota_is_not_waited_for(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "status", "status": 429, "body": "user quota is not enough"})
    with pytest.raises(CreditExhausted, match="quota is not enough"):
        await provider.submit(request(SILENT, PROMPT), "key", None)


async def test_what_relaydance_itself_refuses(sandbox: Control, http: httpx.AsyncClient, provider: Provider) -> None:
    with pytest.raises(InputRejected, match="resolution"):
        await provider.submit(request(FUSION, having(resolution="720p")), "key", None)
    with pytest.raises(InputRejected, match="needs an image"):
        await provider.submit(request(HORSE, PROMPT), "key", None)
    await sandbox.put_faults({"kind": "no_credit"})
    with pytest.raises(CreditExhausted, match="balance"):
        await provider.submit(request(SILENT, PROMPT), "key", None)
    await sandbox.put_faults({"kind": "status", "status": 404, "body": {"error": {"message": "no such model"}}})
    with pytest.raises(ModelUnavailable, match="no such model"):
        await provider.submit(request(SILENT, PROMPT), "key", None)
    stranger = adapter(relaydance, sandbox.url, http, RELAYDANCE_API_KEY="wrong-key-123")
    with pytest.raises(BadCredentials):
        await stranger.submit(request(SILENT, PROMPT), "key", None)
    assert await sandbox.paid_starts() == 0


async def test_a_model_that_this_worker_lacks_is_no_error_of_relaydance(provider: Provider) -> None:
    with pytest.raises(ModelUnavailable, match="happyhorse-2"):
        await provider.submit(JobRequest("happyhorse-2", PROMPT, (), "token"), "key", None)


async def test_a_task_that_is_not_seen_yet_is_looked_for_thrice(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, relaydance_lag_seconds=600)) as url:
        provider = adapter(relaydance, url, http)
        unsure = await provider.status(await start(provider, request(SILENT, PROMPT)))
    assert isinstance(unsure, Unsure)
    assert (unsure.word, unsure.reads) == ("not found", 3)
    assert (type(unsure.error), unsure.error.reason) == (JobExpired, "provider_task_not_found")


async def test_a_dead_link_is_followed_by_a_fresh_one(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, relaydance_result_seconds=0)) as url:
        provider = adapter(relaydance, url, http)
        job = await start(provider, request(SILENT, PROMPT))
        first, second = await ended(provider, job), await provider.status(job)
    assert isinstance(first, Succeeded)
    assert isinstance(second, Succeeded)
    assert first.outputs != second.outputs


async def test_there_is_nothing_to_cancel_or_find(provider: Provider, sandbox: Control) -> None:
    job = await start(provider, request(SILENT, PROMPT))
    assert await provider.cancel(job) is CancelOutcome.NOT_STOPPED
    lost = JobRequest(SILENT.raw_id, {}, (), "token")
    assert await provider.find(lost, Window(NOW, NOW + timedelta(seconds=5))) is None


@pytest.mark.parametrize(
    ("base", "asked"),
    [
        ({}, "https://relaydance.com/v1"),
        ({"RELAYDANCE_API_BASE_URL": "https://relaydance.com"}, "https://relaydance.com/v1"),
        ({"RELAYDANCE_API_BASE_URL": "https://relaydance.com/v1/"}, "https://relaydance.com/v1"),
    ],
    ids=shown,
)
async def test_the_base_url_is_taken_with_and_without_its_path(base: dict[str, str], asked: str) -> None:
    calls: list[str] = []

    async def answer(call: httpx.Request) -> httpx.Response:
        calls.append(f"{call.method} {call.url} {call.headers['authorization']}")
        return httpx.Response(200, json={"task_id": "a/b", "status": "submitted", "url": "https://cdn.example/u.png"})

    async with mocked(answer) as http:
        made = relaydance.create({"RELAYDANCE_API_KEY": "sk-123456"} | base, http)
        assert made is not None
        accepted = await made.submit(request(SILENT, PROMPT, PICTURE), "key", None)
        assert isinstance(accepted, Accepted)
        await made.status(accepted.job)
    assert calls == [
        f"POST {asked}/files Bearer sk-123456",
        f"POST {asked}/video/generations Bearer sk-123456",
        f"GET {asked}/video/generations/a%2Fb Bearer sk-123456",
    ]


def mocked(answer: Callable[[httpx.Request], Any]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(answer))
