"""The list of runs over HTTP: runs under way on a real Temporal server, ended ones in a real archive."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from domain.runs import RunStatus
from storage.archive import Archive
from temporal.names import after_run_id
from tests.support.archived import YESTERDAY, ended_run, opened, plan_of, put_away
from tests.support.bodies import drawn
from tests.support.service import Json, Service, bearer, running_service
from tests.support.waiting import eventually

URL = "/api/v1/chains/runs"


async def page(service: Service, **query: Any) -> Json:
    answer = await service.api.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def ids(service: Service, **query: Any) -> list[str]:
    return [run["id"] for run in (await page(service, **query))["data"]]


async def pages(service: Service, **query: Any) -> list[list[str]]:
    """The whole list, page by page, as a client follows it."""
    found = [await page(service, **query)]
    while found[-1]["has_more"]:
        found.append(await page(service, cursor=found[-1]["next_cursor"], **query))
    assert found[-1]["next_cursor"] is None
    return [[run["id"] for run in one["data"]] for one in found]


async def created(service: Service, *prompts: str, **more: Any) -> list[str]:
    """The ids of new runs, once they are listed. Nobody works on them."""
    runs = [(await service.create("chain1", drawn(prompt, **more)))["id"] for prompt in prompts]
    await eventually(lambda: ids(service, limit=100), lambda listed: set(runs) <= set(listed))
    return runs


@asynccontextmanager
async def idle(temporal: Client, folder: Path) -> AsyncIterator[tuple[Service, Archive, str]]:
    """A service without a worker, its archive, and the caller whose runs these are, who has one under way."""
    # Of tests that share a server, each has callers of its own.
    keys = [str(uuid4()) for _ in range(2)]
    async with (
        running_service(temporal, folder, worker=False, api_key=",".join(keys)) as service,
        opened(service.settings.archive_url) as held,
    ):
        for caller, key in zip((service.api, service.other), keys, strict=True):
            caller.headers.update(bearer(key))
        [first] = await created(service, "first")
        yield service, held, (await plan_of(temporal, first)).caller


async def test_runs_under_way_come_first_and_then_the_latest_end(temporal: Client, tmp_path: Path) -> None:
    async with idle(temporal, tmp_path) as (service, archive, caller):
        [first] = await ids(service)
        later = await created(service, "second", "third")
        ended = [await put_away(archive, *ended_run(caller, YESTERDAY - timedelta(hours=hour))) for hour in (2, 0, 1)]
        assert await ids(service) == [later[1], later[0], first, ended[1], ended[2], ended[0]]


async def test_a_row_is_the_run_without_what_its_caller_sent(temporal: Client, tmp_path: Path) -> None:
    async with idle(temporal, tmp_path) as (service, archive, caller):
        [alive] = await created(service, "long", metadata={"order": "1"})
        away = await put_away(archive, *ended_run(caller, metadata={"order": "1"}))
        found = await page(service, metadata="order=1")
        assert list(found) == ["object", "data", "has_more", "next_cursor", "url"]
        assert (found["object"], found["has_more"], found["next_cursor"], found["url"]) == ("list", False, None, URL)
        for row, run_id in zip(found["data"], (alive, away), strict=True):
            run = await service.get(run_id)
            left_out = {"input", "metadata", "waiting_on", "expected"}
            assert row | {"prompt": ""} == {key: value for key, value in run.items() if key not in left_out} | {
                "prompt": ""
            }
        assert found["data"][0]["prompt"] == "long"


async def test_pages_hold_each_run_once(temporal: Client, tmp_path: Path) -> None:
    async with idle(temporal, tmp_path) as (service, archive, caller):
        alive = [*await ids(service), *await created(service, *"abcd")]
        # Many runs end at one moment when a provider comes back.
        ended = [await put_away(archive, *ended_run(caller)) for _ in range(7)]
        for limit, sizes in ((5, [5, 5, 2]), (6, [6, 6]), (100, [12])):
            found = await pages(service, limit=limit)
            assert [len(one) for one in found] == sizes
            assert [run for one in found for run in one] == alive[::-1] + sorted(ended)


async def test_a_run_that_ends_while_the_list_is_paged_is_listed_once(temporal: Client, tmp_path: Path) -> None:
    async with idle(temporal, tmp_path) as (service, archive, caller):
        first, second = [*await ids(service), *await created(service, "second")]
        one = await page(service, limit=1)
        for run_id in (first, second):
            await service.client.get_workflow_handle(run_id).terminate("because")
            await eventually(lambda: ids(service, status="failed"), lambda listed, of=run_id: of in listed)  # type: ignore[misc]
        run = await service.get(second)
        await put_away(archive, *ended_run(caller, datetime.now(UTC), run_id=second))
        two = await page(service, limit=1, cursor=one["next_cursor"])
        assert [run["id"] for run in one["data"] + two["data"]] == [second, first]
        assert (one["data"][0]["status"], run["status"], two["data"][0]["status"]) == ("queued", "failed", "failed")
        assert not two["has_more"] or not (await page(service, limit=1, cursor=two["next_cursor"]))["data"]


async def test_a_run_that_has_ended_is_listed_once_before_and_after_it_is_archived(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("just now", metadata={"just": "now"})))["id"])
    assert await eventually(lambda: ids(service, metadata="just=now"), bool) == [run["id"]]
    await service.client.get_workflow_handle(after_run_id(run["id"])).result()
    assert await ids(service, metadata="just=now") == [run["id"]]
    assert await ids(service, status="succeeded", metadata="just=now") == [run["id"]]
    assert await ids(service, status="running", metadata="just=now") == []


async def test_a_run_ended_from_outside_is_listed_as_failed_before_anybody_archives_it(
    temporal: Client, tmp_path: Path
) -> None:
    async with idle(temporal, tmp_path) as (service, _, _):
        [run] = await ids(service)
        await service.client.get_workflow_handle(run).terminate("because")
        assert await eventually(lambda: ids(service, status="failed"), bool) == [run]
        assert await ids(service, status="queued") == []


FILTERS: list[dict[str, Any]] = [
    {"template": "chain1"},
    {"model": "bytedance/seedance-1.5-pro"},
    {"provider": "byteplus"},
    {"tag": "spring"},
    {"tag": ["spring", "it's \" (new) \\"]},
    {"metadata": "order=7781"},
    {"metadata": ["order=7781", "rush=true"]},
    {"model": "bfl/flux-2-pro", "provider": "bfl", "tag": "spring", "metadata": "rush=true"},
    {"status": ["queued", "succeeded"]},
]


@pytest.mark.parametrize("query", FILTERS, ids=str)
async def test_a_filter_finds_the_same_runs_under_way_and_ended(
    temporal: Client, tmp_path: Path, query: dict[str, Any]
) -> None:
    async with idle(temporal, tmp_path) as (service, archive, caller):
        metadata = {"tags": ["spring", "it's \" (new) \\"], "order": "7781", "rush": True}
        [alive] = await created(service, "wanted", metadata=metadata)
        wanted = await plan_of(temporal, alive)
        away = await put_away(archive, *ended_run(caller, steps=wanted.steps, metadata=wanted.metadata))
        other = await put_away(archive, *ended_run(caller, status=RunStatus.FAILED, template="chain2"))
        found = await ids(service, **query)
        assert alive in found and away in found and other not in found


async def test_times_of_creation_bound_the_list(temporal: Client, tmp_path: Path) -> None:
    async with idle(temporal, tmp_path) as (service, archive, caller):
        [alive] = await ids(service)
        plan, snapshot = ended_run(caller)
        away = await put_away(archive, plan, snapshot)
        moment = plan.created_at.isoformat()
        assert await ids(service, created_after=moment) == [alive, away]
        assert await ids(service, created_before=moment) == []
        assert await ids(service, created_after=(plan.created_at + timedelta(seconds=1)).isoformat()) == [alive]
        assert await ids(service, created_before=(plan.created_at + timedelta(seconds=1)).isoformat()) == [away]
        first, last = "1970-01-01T00:00:00+14:00", "9998-12-31T23:59:59-14:00"
        assert await ids(service, created_after=first, created_before=last) == [alive, away]
        assert await ids(service, created_after=last) == []


async def test_nobody_lists_anothers_runs(temporal: Client, tmp_path: Path) -> None:
    async with idle(temporal, tmp_path) as (service, archive, caller):
        await put_away(archive, *ended_run(caller))
        for trick in ("x", "' OR BabychainCaller != '", "\\' OR ExecutionStatus = 'Running' OR 'a' = '"):
            for name in ("template", "model", "provider", "tag", "metadata"):
                asked = f"x={trick}" if name == "metadata" else trick
                answer = await service.other.get(URL, params={name: asked})
                assert (answer.status_code, answer.json()["data"]) == (200, [])
        assert (await service.other.get(URL)).json()["data"] == []
        theirs = (await page(service, limit=1))["next_cursor"]
        assert (await service.other.get(URL, params={"limit": 1, "cursor": theirs})).status_code == 400
        assert (await service.anyone.get(URL)).status_code == 401


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"limit": 0}, ["limit"]),
        ({"limit": 101}, ["limit"]),
        ({"status": "done"}, ["status", 0]),
        ({"modle": "bfl/flux-2-pro"}, ["modle"]),
        ({"template": ""}, ["template"]),
        ({"created_after": "0001-01-01T00:00:00Z"}, ["created_after"]),
        ({"created_after": "0001-01-01T00:00:00+14:00"}, ["created_after"]),
        ({"created_before": "9999-12-31T23:59:59Z"}, ["created_before"]),
        ({"created_before": "9999-12-31T23:59:59-14:00"}, ["created_before"]),
        ({"created_after": "2026-11-21T00:00:00"}, ["created_after"]),
        ({"cursor": "bm8"}, ["cursor"]),
        ({"cursor": "ü"}, ["cursor"]),
    ],
    ids=str,
)
async def test_a_wrong_query_is_refused_by_name(service: Service, query: dict[str, Any], path: list[Any]) -> None:
    answer = await service.api.get(URL, params=query)
    assert answer.status_code == 400
    assert [fault["path"] for fault in answer.json()["error"]["errors"]] == [path]


async def test_a_cursor_belongs_to_its_filters(temporal: Client, tmp_path: Path) -> None:
    async with idle(temporal, tmp_path) as (service, archive, caller):
        await put_away(archive, *ended_run(caller))
        cursor = (await page(service, limit=1))["next_cursor"]
        answer = await service.api.get(URL, params={"limit": 1, "cursor": cursor, "status": "queued"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_cursor")
        assert len((await page(service, limit=50, cursor=cursor))["data"]) == 1
