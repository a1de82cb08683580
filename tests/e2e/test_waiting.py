"""Waiting for a run's end in one call, and what a run says about what it waits for itself."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from sandbox.config import Config
from tests.support.archived import ended_run, opened, plan_of, put_away
from tests.support.bodies import drawn
from tests.support.service import Json, Service, running_service
from tests.support.waiting import eventually

SLOW = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=600, video_seconds=600, media="tiny")
CREATE = "/api/v1/chains/chain1/runs"


async def read(service: Service, run_id: str, prefer: str) -> httpx.Response:
    return await service.api.get(f"/api/v1/chains/get/{run_id}", headers={"prefer": prefer})


async def waiting(service: Service, run_id: str, who: str) -> Json:
    """The run, once it says that it waits for this."""
    return await eventually(
        lambda: service.get(run_id), lambda run: run["waiting_on"] is not None and run["waiting_on"]["who"] == who
    )


async def test_a_create_that_waits_answers_with_the_ended_run(service: Service) -> None:
    answer = await service.api.post(CREATE, json=drawn("patient"), headers={"prefer": "respond-async, wait=30"})
    run = answer.json()
    assert (answer.status_code, run["status"]) == (202, "succeeded")
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.headers["location"] == f"/api/v1/chains/get/{run['id']}"
    assert run == await service.get(run["id"])


async def test_a_read_that_waits_answers_at_the_end_however_the_run_ends(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, config=SLOW) as service:
        run_id = (await service.create("chain1", drawn("waited for")))["id"]
        pending = asyncio.create_task(read(service, run_id, "wait=600"))
        await waiting(service, run_id, "provider")
        await service.cancel(run_id)
        answer = await pending
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
        assert answer.headers["preference-applied"] == "wait=60"
        again = await read(service, run_id, "wait=5")
        assert again.json() == answer.json()


async def test_a_wait_that_is_over_or_given_up_stops_nothing(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        run_id = (await service.create("chain1", drawn("given up")))["id"]
        with pytest.raises(httpx.ReadTimeout):
            await service.api.get(f"/api/v1/chains/get/{run_id}", headers={"prefer": "wait=30"}, timeout=0.2)
        answer = await read(service, run_id, "wait=1")
        assert (answer.status_code, answer.json()["status"]) == (200, "queued")
        async with service.worker():
            await service.succeeded(run_id)


async def test_a_wait_given_up_frees_its_place(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        run_id = (await service.create("chain1", drawn("impatient")))["id"]
        waits = [asyncio.create_task(read(service, run_id, "wait=60")) for _ in range(25)]

        async def listen() -> int:
            async with service.api.stream("GET", f"/api/v1/chains/runs/{run_id}/events") as answer:
                return answer.status_code

        await eventually(listen, lambda status: status == 429)
        # One too many is not refused: it does not wait.
        assert "preference-applied" not in (await read(service, run_id, "wait=60")).headers
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)
        await eventually(listen, lambda status: status == 200)


@pytest.mark.parametrize("prefer", ["wait=soon", "wait", "wait=-1", "wait=0", "handling=lenient", ""])
async def test_a_preference_that_cannot_be_read_is_none(service: Service, prefer: str) -> None:
    run = await service.create("chain1", drawn("whatever"))
    answer = await read(service, run["id"], prefer)
    assert answer.status_code == 200
    assert "preference-applied" not in answer.headers


async def test_without_a_worker_the_run_says_so(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        run_id = (await service.create("chain1", drawn("nobody there")))["id"]
        run = await waiting(service, run_id, "worker")
        assert run["waiting_on"]["message"] == "No worker is running. Start one with `babychain serve worker`."
        assert run["waiting_on"]["next_check"] is None
        assert list(run)[-2:] == ["waiting_on", "expected"]
        async with service.worker():
            ended = await service.succeeded(run_id)
        assert not {"waiting_on", "expected"} & set(ended)


async def test_a_provider_at_work_is_what_the_run_waits_for(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, config=SLOW) as service:
        run_id = (await service.create("chain1", drawn("long work")))["id"]
        await eventually(service.sandbox.paid_starts, lambda count: count == 1)
        shown = await eventually(
            lambda: service.get(run_id), lambda run: "works on" in str((run["waiting_on"] or {}).get("message"))
        )
        said = shown["waiting_on"]
        assert said["who"] == "provider"
        assert "bfl works on the job of bfl/flux-2-pro" in said["message"]
        assert datetime.fromisoformat(said["since"]) <= datetime.now(UTC)
        await service.cancel(run_id)


async def test_a_provider_that_fails_is_told_from_one_that_takes_no_more(temporal: Client, tmp_path: Path) -> None:
    faults: dict[str, tuple[str, Json]] = {
        "BFL can't be asked about its jobs now (HTTP 503).": ("provider", {"operation": "status", "status": 503}),
        # Last: every start at the provider keeps the pause that it asks for.
        "BFL has no room now (HTTP 429).": ("provider_limit", {"operation": "submit", "status": 429}),
    }
    async with running_service(temporal, tmp_path) as service:
        for message, (who, fault) in faults.items():
            rule = {"provider": "bfl", "kind": "status", "headers": {"retry-after": "30"}}
            await service.sandbox.put_faults(rule | fault)
            run_id = (await service.create("chain1", drawn(f"held up by {who}")))["id"]
            run = await eventually(
                lambda of=run_id: service.get(of),  # type: ignore[misc]
                lambda run, of=message: (run["waiting_on"] or {}).get("message") == of,  # type: ignore[misc]
            )
            assert run["waiting_on"]["who"] == who
            assert datetime.fromisoformat(run["waiting_on"]["next_check"]) > datetime.now(UTC)
            # Its cancel would wait for the try that is due.
            await service.client.get_workflow_handle(run_id).terminate("seen")


async def test_how_long_a_run_may_take_is_said_once_enough_is_known(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        first = (await service.create("chain1", drawn("unknown pace")))["id"]
        wanted = await plan_of(temporal, first)
        assert (await service.get(first))["expected"] is None
    async with opened(service.settings.archive_url) as archive:
        for seconds in range(1, 21):
            known = ended_run(wanted.caller, seconds=seconds, steps=wanted.steps, mode=wanted.mode)
            await put_away(archive, *known)
    async with running_service(temporal, tmp_path, worker=False) as service:
        run = await service.create("chain1", drawn("known pace"))
        # Two steps, each of which took 1 to 20 seconds.
        assert run["expected"] == {"p50_seconds": 21.0, "p90_seconds": 36.2}
        assert (await service.get(run["id"]))["expected"] == run["expected"]
