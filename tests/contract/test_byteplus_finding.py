"""BytePlus's tasks after the submit: found by their token, called back, and stopped."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.errors import Refused, StartUnknown, UnexpectedResponse
from domain.provider import Absent, Canceled, CancelOutcome, Job, Notice, Pending, Provider, Succeeded, Window
from providers import byteplus
from providers.byteplus.wire import PAGE, find_task, read_notice
from tests.contract.adapters import NOW, TOKEN, Control, adapter, ended, request, shown, start
from tests.contract.byteplus_orders import CONTENT, DANCE, DREAM, FIRST
from tests.support.receiver import Receiver
from tests.support.sandbox_server import QUICK, running_sandbox

WINDOW = Window(NOW, NOW + timedelta(seconds=5))


def listed(seconds: float = 0, **more: Any) -> dict[str, Any]:
    return {"id": "cgt-1", "safety_identifier": TOKEN, "created_at": int(NOW.timestamp() + seconds), **more}


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ([listed()], "cgt-1"),
        ([listed(-60)], "cgt-1"),
        ([listed(65)], "cgt-1"),
        ([listed(-61)], None),
        ([listed(66)], None),
        ([listed(safety_identifier="another", id="cgt-2"), "odd", listed()], "cgt-1"),
        ([listed(), listed(id="cgt-2")], None),
        ([listed(created_at=None)], None),
        ([listed(id=None)], None),
        (None, None),
    ],
)
def test_exactly_one_task_with_our_token_and_of_that_time_is_ours(items: object, found: str | None) -> None:
    job = find_task({"items": items}, TOKEN, WINDOW)
    assert job == (Job(found) if found else None)


def test_a_list_that_reaches_back_to_the_submit_and_lacks_the_task_says_that_there_is_none() -> None:
    assert find_task({"items": []}, TOKEN, WINDOW) == Absent()
    others = [listed(safety_identifier="another") for _ in range(PAGE)]
    assert find_task({"items": others[1:]}, TOKEN, WINDOW) == Absent()
    assert find_task({"items": others}, TOKEN, WINDOW) is None, "the page is full: there may be more"
    older = listed(-61, safety_identifier="another")
    assert find_task({"items": [*others[1:], older]}, TOKEN, WINDOW) == Absent()


@pytest.mark.parametrize("seconds", [-60, 0, 65])
def test_a_task_of_that_time_without_any_identifier_may_be_ours(seconds: float) -> None:
    """Whether the list repeats identifiers for every model is not certain: what it leaves out is no denial."""
    unnamed = listed(seconds)
    del unnamed["safety_identifier"]
    others = [listed(safety_identifier="another"), unnamed]
    assert find_task({"items": others}, TOKEN, WINDOW) is None
    assert find_task({"items": [*others, listed(id="cgt-2")]}, TOKEN, WINDOW) == Job("cgt-2")


def test_a_task_of_another_time_without_an_identifier_is_not_ours() -> None:
    early, late = listed(-61, safety_identifier=None), listed(66, safety_identifier="")
    assert find_task({"items": [early, late]}, TOKEN, WINDOW) == Absent()


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        ({"id": "a", "status": "queued"}, Notice("a", "queued", ended=False)),
        ({"id": "a", "status": "running"}, Notice("a", "running", ended=False)),
        ({"id": "a", "status": "succeeded"}, Notice("a", "succeeded", ended=True)),
        ({"id": "a", "status": "expired"}, Notice("a", "expired", ended=True)),
        ({"id": ["a"]}, Notice(None, None, ended=True)),
    ],
)
def test_notices_are_read_leniently(body: dict[str, Any], notice: Notice) -> None:
    assert read_notice(json.dumps(body).encode()) == notice


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return adapter(byteplus, sandbox.url, http)


async def test_a_callback_names_the_task_from_its_first_state_on(
    provider: Provider, sandbox: Control, receiver: Receiver
) -> None:
    job = await start(provider, request(DANCE, CONTENT), callback_url=f"{receiver.url}/hook/token")
    deliveries = [await receiver.next() for _ in range(3)]
    notices = [provider.notice(delivery.headers, delivery.body, NOW) for delivery in deliveries]
    assert {notice.job_id for notice in notices} == {job.id}
    assert {(notice.status, notice.ended) for notice in notices} == {
        ("queued", False),
        ("running", False),
        ("succeeded", True),
    }


@pytest.mark.parametrize(
    "fault",
    [
        *({"kind": "status", "status": status} for status in (401, 403, 429, 500)),
        {"kind": "reset"},
        {"kind": "truncated"},
    ],
    ids=shown,
)
async def test_a_task_that_can_not_be_read_now_is_canceled_later(
    provider: Provider, sandbox: Control, fault: dict[str, Any]
) -> None:
    job = await start(provider, request(DANCE, CONTENT))
    await sandbox.put_faults(fault | {"operation": "status"})
    with pytest.raises(Refused):
        await provider.cancel(job)
    assert isinstance(await ended(provider, job), Succeeded)


async def test_a_queued_task_is_stopped(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, video_seconds=600)) as url:
        provider = adapter(byteplus, url, http)
        job = await start(provider, request(DANCE, CONTENT))
        assert await provider.cancel(job) is CancelOutcome.STOPPED
        assert await provider.status(job) == Canceled()
        assert await provider.cancel(job) is CancelOutcome.STOPPED  # a repeat, as after a lost answer


async def test_a_running_task_is_left_alone_and_so_is_the_record_of_an_ended_one(
    provider: Provider, sandbox: Control
) -> None:
    await sandbox.put_faults({"kind": "never_ends"})
    running = await start(provider, request(DANCE, CONTENT))
    async with asyncio.timeout(10):
        while await provider.status(running) != Pending("running"):
            await asyncio.sleep(0.005)
    assert await provider.cancel(running) is CancelOutcome.NOT_STOPPED
    done = await start(provider, request(DANCE, CONTENT))
    assert isinstance(await ended(provider, done), Succeeded)
    assert await provider.cancel(done) is CancelOutcome.NOT_STOPPED
    assert isinstance(await provider.status(done), Succeeded)
    assert await provider.cancel(Job("cgt-never-was")) is CancelOutcome.NOT_STOPPED


async def byteplus_that_says(*answers: tuple[str, int, str]) -> tuple[CancelOutcome, list[str]]:
    """The outcome of a cancel against given answers (method, status code, status word), and what was asked."""
    asked: list[str] = []
    left = list(answers)

    async def answer(call: httpx.Request) -> httpx.Response:
        method, code, word = left.pop(0)
        assert call.method == method
        asked.append(method)
        return httpx.Response(code, json={"status": word})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        provider = byteplus.create({"ARK_API_KEY": "key-123456"}, http)
        assert provider is not None
        return await provider.cancel(Job("cgt-1")), asked


async def test_a_task_that_began_to_run_under_the_cancel_is_not_stopped() -> None:
    outcome, asked = await byteplus_that_says(("GET", 200, "queued"), ("DELETE", 409, ""))
    assert outcome is CancelOutcome.NOT_STOPPED
    assert asked == ["GET", "DELETE"]


async def test_a_task_whose_record_the_cancel_destroyed_may_have_been_billed() -> None:
    outcome, _ = await byteplus_that_says(("GET", 200, "queued"), ("DELETE", 200, ""), ("GET", 404, ""))
    assert outcome is CancelOutcome.NOT_STOPPED


async def test_a_cancel_whose_answer_is_lost_is_asked_for_again() -> None:
    with pytest.raises(Refused):
        await byteplus_that_says(("GET", 200, "queued"), ("DELETE", 500, ""))


async def test_pictures_have_nothing_to_cancel_or_find(provider: Provider) -> None:
    assert await provider.find(request(DREAM, {}), WINDOW) is None


async def test_a_task_whose_submit_was_lost_is_found_by_its_token(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, limits=False)) as url:
        provider = adapter(byteplus, url, http)
        control = Control(url, http)
        opened = datetime.now(UTC)
        await control.put_faults({"kind": "reset", "when": "after"})
        with pytest.raises(StartUnknown):
            await provider.submit(request(DANCE, CONTENT), "key", None)
        window = Window(opened, datetime.now(UTC))
        (row,) = await control.submits()
        found = await provider.find(request(DANCE, CONTENT), window)
        assert found == Job(row["job_id"], {"rate": "2400000"})
        assert isinstance(await ended(provider, found), Succeeded)
        assert await provider.find(replace(request(DANCE, CONTENT), token="another token"), window) == Absent()
        assert await provider.find(request(FIRST, CONTENT), window) == Absent()


async def test_a_list_without_identifiers_denies_no_task_that_it_shows(http: httpx.AsyncClient) -> None:
    """Else the run would start the same job again, and pay for both."""
    async with running_sandbox(replace(QUICK, limits=False, byteplus_lists_identifiers=False)) as url:
        provider, control, opened = adapter(byteplus, url, http), Control(url, http), datetime.now(UTC)
        assert await provider.find(request(DANCE, CONTENT), Window(opened, opened)) == Absent()
        await control.put_faults({"kind": "reset", "when": "after"})
        with pytest.raises(StartUnknown):
            await provider.submit(request(DANCE, CONTENT), "key", None)
        assert await control.paid_starts() == 1
        assert await provider.find(request(DANCE, CONTENT), Window(opened, datetime.now(UTC))) is None


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [({}, {"filter.model": DANCE.raw_id}), ({"BYTEPLUS_ENDPOINT_BYTEDANCE_SEEDANCE_15_PRO": "ep-1"}, {})],
    ids=["model", "endpoint"],
)
async def test_tasks_of_an_endpoint_of_ones_own_are_looked_for_among_all(
    endpoint: dict[str, str], asked: dict[str, str]
) -> None:
    """How the list filters by an endpoint is not documented, and a filter that fits nothing would deny every task."""
    queries: list[dict[str, str]] = []

    async def answer(call: httpx.Request) -> httpx.Response:
        queries.append(dict(call.url.params))
        return httpx.Response(200, json={"items": [listed()], "total": 1})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        provider = byteplus.create({"ARK_API_KEY": "key-123456"} | endpoint, http)
        assert provider is not None
        assert await provider.find(request(DANCE, CONTENT), WINDOW) == Job("cgt-1", {"rate": "2400000"})
    assert queries == [{"page_num": "1", "page_size": "500"} | asked]


async def test_the_scarce_list_is_asked_again_later(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "status", "status": 429, "operation": "status"})
    with pytest.raises(Refused) as raised:
        await provider.find(request(DANCE, CONTENT), WINDOW)
    assert raised.value.reason == "provider_rate_limited"
    await sandbox.put_faults({"kind": "status", "status": 400, "operation": "status"})
    with pytest.raises(UnexpectedResponse):
        await provider.find(request(DANCE, CONTENT), WINDOW)
