"""DashScope's own paths, and what an account may do at once."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.sandbox.bailian_calls import (
    ASYNC,
    GATEWAY,
    GATEWAY_TASKS,
    MODELS,
    NATIVE,
    NATIVE_TASKS,
    create,
    end_of,
    made,
    order,
    query,
)
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually


async def test_both_ways_in_lead_to_the_same_tasks(sandbox: Sandbox) -> None:
    created = await create(sandbox, {"model": MODELS[0], "input": order()["input"]}, NATIVE, **ASYNC)
    task_id = created.json()["output"]["task_id"]
    end = await end_of(sandbox, task_id)
    # DashScope has defaults for what the gateway demands.
    assert (end["usage"]["SR"], end["usage"]["duration"]) == (1080, 5)
    native = (await query(sandbox, task_id, NATIVE_TASKS)).json()
    assert native["output"] == end["output"]


async def test_a_native_create_without_the_async_header_is_denied(sandbox: Sandbox) -> None:
    answer = await create(sandbox, order(), NATIVE)
    assert (answer.status_code, answer.json()["code"]) == (403, "AccessDenied")
    assert await sandbox.paid_starts() == 0


async def test_a_task_is_canceled_while_it_is_queued(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, video_seconds=600)) as url:
        slow = Sandbox(url, sandbox.http)
        task_id = await made(slow, order())
        canceled = await create(slow, None, f"{NATIVE_TASKS}/{task_id}/cancel")
        assert canceled.status_code == 200
        assert (await end_of(slow, task_id))["output"]["task_status"] == "CANCELED"
        assert [row["charged"] for row in await slow.jobs()] == [0]
    done = await made(sandbox, order())
    await end_of(sandbox, done)
    for task_id in (done, "never-was"):
        refused = await create(sandbox, None, f"{NATIVE_TASKS}/{task_id}/cancel")
        assert (refused.status_code, refused.json()["code"]) == (400, "UnsupportedOperation")
    assert (await create(sandbox, None, f"{GATEWAY_TASKS}/{done}/cancel")).status_code == 404


async def test_the_list_filters_and_pages_and_says_nothing_of_whose_a_task_is(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, limits=False)) as url:
        lister = Sandbox(url, sandbox.http)
        first, second = await made(lister, order()), await made(lister, order("wan2.5-i2v-preview"))
        await end_of(lister, first)
        await end_of(lister, second)

        async def listed(**query: Any) -> dict[str, Any]:
            answer = await sandbox.http.get(
                url + NATIVE_TASKS, params=query, headers={"authorization": "Bearer sandbox-bailian"}
            )
            found: dict[str, Any] = answer.json()
            return found

        assert [task["task_id"] for task in (await listed())["data"]] == [second, first]
        assert [task["task_id"] for task in (await listed(model_name="wan2.6-i2v"))["data"]] == [first]
        assert (await listed(status="FAILED"))["total"] == 0
        assert (await listed(end_time="20200101000000"))["total"] == 0
        page = await listed(page_no=2, page_size=1)
        assert ([task["task_id"] for task in page["data"]], page["total"]) == ([first], 2)
        assert "kite" not in str(await listed())
        assert (await listed(page_size=0))["code"] == "InvalidParameter"


async def test_dashscope_answers_twenty_queries_a_second_and_the_gateway_more(sandbox: Sandbox) -> None:
    async with running_sandbox() as url:
        own = Sandbox(url, sandbox.http)
        task_id = await made(own, order())
        gateway = [await query(own, task_id) for _ in range(25)]
        assert {answer.status_code for answer in gateway} == {200}
        native = [await query(own, task_id, NATIVE_TASKS) for _ in range(25)]
    refused = [answer.json()["code"] for answer in native if answer.status_code == 429]
    assert set(refused) == {"Throttling.RateQuota"}
    assert len(refused) <= 5


async def limit(sandbox: Sandbox, key: str, **limits: int) -> None:
    page = f"{sandbox.url}/bailian/dashboard/limits"
    answer = await sandbox.http.put(page, json=limits, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("path", "headers"), [(GATEWAY, {}), (NATIVE, ASYNC)])
async def test_an_account_with_a_limit_may_submit_so_often_a_second(
    sandbox: Sandbox, path: str, headers: dict[str, str]
) -> None:
    key = f"sandbox-bailian-of-one-a-second-{len(headers)}"

    async def submit() -> httpx.Response:
        return await create(sandbox, order(), path, key=key, **headers)

    await limit(sandbox, key, submissions_a_second=1)
    answers = await asyncio.gather(*(submit() for _ in range(10)))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert 0 < len(refused) < 10
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(429, "Throttling.RateQuota")}
    assert await sandbox.paid_starts() == 10 - len(refused)
    await eventually(submit, lambda answer: answer.status_code == 200)
    await limit(sandbox, key)
    assert {(await submit()).status_code for _ in range(3)} == {200}


async def test_tasks_beyond_those_that_may_run_at_once_wait(sandbox: Sandbox) -> None:
    key = "sandbox-bailian-of-one-at-once"

    async def started(key: str = key) -> str:
        task_id: str = (await create(sandbox, order(), key=key)).json()["output"]["task_id"]
        return task_id

    async def status(task_id: str, key: str = key) -> str:
        word: str = (await query(sandbox, task_id, key=key)).json()["output"]["task_status"]
        return word

    await limit(sandbox, key, running=1)
    await sandbox.put_faults({"kind": "never_ends"})
    first = await started()
    await eventually(lambda: status(first), lambda word: word == "RUNNING")
    second, elsewhere = await started(), await started("sandbox-bailian")
    await eventually(lambda: status(elsewhere, "sandbox-bailian"), lambda word: word == "SUCCEEDED")
    assert await status(second) == "PENDING"
    await sandbox.http.delete(f"{sandbox.url}/_sandbox/jobs")  # lets go of what never ends
    await eventually(lambda: status(second), lambda word: word == "SUCCEEDED")


async def test_an_accounts_limits_can_be_off(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, limits=False)) as url:
        free = Sandbox(url, sandbox.http)
        await limit(free, "sandbox-bailian", submissions_a_second=0, running=0)
        assert (await end_of(free, await made(free, order())))["output"]["task_status"] == "SUCCEEDED"
