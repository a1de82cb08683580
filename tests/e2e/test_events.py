"""A run's events over HTTP: every state once, in order, whoever breaks off and whenever they come again."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from sandbox.config import Config
from tests.support.archived import ended_run, opened, plan_of, put_away
from tests.support.bodies import drawn
from tests.support.events import Event, heard, listening
from tests.support.service import Json, Service, running_service
from tests.support.waiting import eventually

SLOW = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=600, video_seconds=600, media="tiny")


def url(run_id: str) -> str:
    return f"/api/v1/chains/runs/{run_id}/events"


def states(events: list[Event]) -> list[Event]:
    """What leaves a trace in the history: what a run waits for comes and goes without one."""
    return [event for event in events if event.name != "waiting"]


def listed(run: Json) -> Json:
    """A run as rows and events show it. The first words of its prompt are tested with the list."""
    left_out = ("input", "metadata", "waiting_on", "expected", "prompt")
    return {key: value for key, value in run.items() if key not in left_out}


async def test_a_listener_hears_every_state_in_order_and_then_the_end(service: Service) -> None:
    created = await service.create("chain1", drawn("heard"))
    events = states(await heard(service.api, created["id"]))
    *runs, end = events
    assert [event.name for event in events] == ["run"] * len(runs) + ["end"]
    numbers = [int(event.id or 0) for event in runs]
    assert numbers == sorted(set(numbers))
    assert runs[0].data["status"] == "queued"
    steps = [[step["status"] for step in event.data["steps"]] for event in runs]
    assert [step for at, step in enumerate(steps) if step not in steps[:at]] == [
        ["queued", "queued"],
        ["running", "queued"],
        ["succeeded", "running"],
        ["succeeded", "succeeded"],
    ]
    assert listed(runs[-1].data) == listed(await service.get(created["id"]))
    assert (end.id, end.data) == ("end", {"id": created["id"], "status": "succeeded"})


async def test_who_comes_again_hears_exactly_the_rest(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("again")))["id"])
    everything = await heard(service.api, run["id"])
    for at, event in enumerate(everything[:-1], start=1):
        assert await heard(service.api, run["id"], event.id) == everything[at:]
    # What no event says lies between two of them.
    assert await heard(service.api, run["id"], "2") == everything[1:]
    answer = await service.api.get(url(run["id"]), headers={"last-event-id": "end"})
    assert (answer.status_code, answer.content) == (204, b"")


async def test_nothing_is_lost_between_two_connections(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        created = await service.create("chain1", drawn("cut"))
        async with listening(service.api, created["id"]) as events:
            first = await anext(events)
        async with service.worker():
            await service.succeeded(created["id"])
        rest = await heard(service.api, created["id"], first.id)
        assert [first, *rest] == states(await heard(service.api, created["id"]))


async def test_a_listener_is_told_what_a_run_waits_for(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False, config=SLOW) as service:
        created = await service.create("chain1", drawn("waits"))
        waiting: list[Any] = []
        async with listening(service.api, created["id"]) as events, asyncio.timeout(30):
            async for event in events:
                if event.name == "waiting" and event.data["waiting_on"]:
                    waiting.append(event)
                    break
        assert waiting[0].id is None
        assert waiting[0].data["waiting_on"]["who"] == "worker"


async def test_a_run_ended_from_outside_ends_its_events(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        created = await service.create("chain1", drawn("terminated"))
        async with listening(service.api, created["id"]) as events:
            before = await anext(events)
            await service.client.get_workflow_handle(created["id"]).terminate("because")
            after = states([event async for event in events])
        assert before.data["status"] == "queued"
        assert [event.name for event in after] == ["run", "end"]
        assert listed(after[0].data) == listed(await service.get(created["id"]))
        assert after[0].data["status"] == "failed"


async def test_what_temporal_has_forgotten_is_told_from_the_archive(service: Service) -> None:
    created = await service.create("chain1", drawn("remembered"))
    caller = (await plan_of(service.client, created["id"])).caller
    async with opened(service.settings.archive_url) as archive:
        old = await put_away(archive, *ended_run(caller))
    events = await heard(service.api, old, "17")
    assert [event.name for event in events] == ["run", "end"]
    assert listed(events[0].data) == listed(await service.get(old))


async def test_the_stream_passes_proxies_and_stays_in_no_cache(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("headers")))["id"])
    answer = await service.api.get(url(run["id"]))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert "no-store" in answer.headers.get_list("cache-control")


async def test_a_foreign_run_has_no_events(service: Service) -> None:
    run = await service.create("chain1", drawn("not yours"))
    foreign = await service.other.get(url(run["id"]), headers={"x-request-id": "same"})
    absent = await service.other.get(url(str(uuid4())), headers={"x-request-id": "same"})
    assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)
    assert foreign.status_code == 404
    assert (await service.anyone.get(url(run["id"]))).status_code == 401


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "9" * 40])
async def test_a_last_event_id_of_something_else_is_refused(service: Service, given: str) -> None:
    run = await service.create("chain1", drawn("odd id"))
    answer = await service.api.get(url(run["id"]), headers={"last-event-id": given})
    assert answer.status_code == 400
    assert answer.json()["error"]["errors"][0]["path"] == ["Last-Event-ID"]


async def test_too_many_listeners_are_refused_until_one_leaves(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        created = await service.create("chain1", drawn("crowd"))

        async def listen(is_in: asyncio.Event) -> None:
            async with listening(service.api, created["id"]) as events:
                async for _ in events:
                    is_in.set()

        arrived = [asyncio.Event() for _ in range(20)]
        crowd = [asyncio.create_task(listen(one)) for one in arrived]
        try:
            await asyncio.gather(*(one.wait() for one in arrived))
            refused = await service.api.get(url(created["id"]))
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_listeners")
            assert int(refused.headers["retry-after"]) > 0
            crowd[0].cancel()

            async def admitted() -> int:
                async with service.api.stream("GET", url(created["id"])) as answer:
                    return answer.status_code

            await eventually(admitted, lambda status: status == 200)
        finally:
            for one in crowd:
                one.cancel()
            await asyncio.wait(crowd)
