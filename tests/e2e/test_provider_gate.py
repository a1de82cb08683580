"""The gate before a provider, with real workers: limits, breakers and switches hold for all of them together."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from temporalio.client import Client, WorkflowFailureError

from cli import providers as command
from domain.breaker import STARTS_A_SECOND
from domain.costs import spent_on_run
from domain.plan import ChainPlan
from domain.provider import Looks
from domain.runs import CancelRequested, CancelResult, RunStatus
from settings import Settings
from storage.database import open_database, upgrade
from storage.provider_gate import ProviderGate
from temporal.names import TASK_QUEUE
from tests.support import toy
from tests.support.orders import order
from tests.support.plans import toy_plan
from tests.support.processes import Program, running_program
from tests.support.runs import SECRETS, Bench, running_worker
from tests.support.runs import test_settings as settings_of
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.service import KEY, Service, running_service
from tests.support.serving import serving
from tests.support.stack import running_stack
from tests.support.temporal_server import running_temporal
from tests.support.waiting import eventually

FLUX = "bfl/flux-2-pro"
LOOK_OFTEN = Looks(grace=0.0, quick_window=60.0, quick_pause=0.2, pause=1.0, longest_pause=2.0)
REQUEST: dict[str, Any] = {
    "input": {
        "chain_models": {"text_to_image_model": FLUX, "image_to_video_model": "bytedance/seedance-1.5-pro"},
        "text_to_image_params": {"prompt": "a paper boat"},
        "image_to_video_params": {"content": [{"type": "text", "text": "the boat drifts"}], "duration": 4},
    }
}


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Client]:
    """A Temporal server of this module alone: a deployed worker listens on the one task queue there is."""
    async with running_temporal() as client:
        yield client


def worker_process(server: Client, settings: Settings, limits: str) -> AbstractAsyncContextManager[Program]:
    plain = settings.model_dump(exclude=set(SECRETS), exclude_none=True)
    env = {f"BABYCHAIN_{name.upper()}": str(value) for name, value in (SECRETS | plain).items()}
    address = server.service_client.config.target_host
    return running_program("worker", env=env | {"TEMPORAL_ADDRESS": address, "BABYCHAIN_PROVIDER_LIMITS": limits})


def flux(**more: Any) -> ChainPlan:
    return order(FLUX, webhook=False, looks=LOOK_OFTEN, **more)


def most_at_once(rows: list[dict[str, Any]]) -> int:
    """By the simulator's own books: how many paid jobs were alive at the same moment."""
    paid = [row["times"] for row in rows if row["job_id"] is not None]
    changes = sorted([(times["received"], 1) for times in paid] + [(times["ended"], -1) for times in paid])
    alive = [0]
    for _, change in changes:
        alive.append(alive[-1] + change)
    return max(alive)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_two_worker_processes_never_run_more_jobs_than_the_account_may_and_use_every_place(
    server: Client, tmp_path: Path
) -> None:
    config = replace(QUICK, picture_seconds=0.5)
    async with running_sandbox(config) as url, httpx.AsyncClient(trust_env=False, timeout=30) as http:
        settings = settings_of(tmp_path, sandbox_url=url)
        await upgrade(settings.archive_url)
        bench = Bench(server, TASK_QUEUE)
        async with worker_process(server, settings, "bfl=3") as one, worker_process(server, settings, "bfl=3") as two:
            await one.says("worker_started")
            await two.says("worker_started")
            handles = [await bench.start(flux()) for _ in range(50)]
            outcomes = await asyncio.gather(*(handle.result() for handle in handles))
        rows = await Sandbox(url, http).jobs()
    assert {outcome.status for outcome in outcomes} == {RunStatus.SUCCEEDED}
    assert most_at_once(rows) == 3
    assert len(rows) == 50
    for worker in (one, two):
        assert any("job_started" in line for line in worker.lines)


async def test_the_place_of_a_killed_worker_is_taken_by_the_next_within_thirty_seconds(
    server: Client, tmp_path: Path
) -> None:
    async with running_sandbox() as url, httpx.AsyncClient(trust_env=False, timeout=30) as http:
        settings = settings_of(tmp_path, sandbox_url=url)
        await upgrade(settings.archive_url)
        bench, sandbox = Bench(server, TASK_QUEUE), Sandbox(url, http)
        await sandbox.put_faults({"kind": "hang", "model": "flux-2-pro", "when": "before", "seconds": 300, "count": 1})
        async with worker_process(server, settings, "bfl=1") as doomed:
            await doomed.says("worker_started")
            await bench.start(flux(deadline=5.0))
            await eventually(sandbox.jobs, lambda rows: len(rows) == 1)
            async with worker_process(server, settings, "bfl=1") as other:
                await other.says("worker_started")
                doomed.kill()
                killed = datetime.now(UTC)
                handle = await bench.start(flux())
                assert (await handle.result()).status is RunStatus.SUCCEEDED
                received = moment((await sandbox.jobs())[-1]["times"]["received"])
                assert 0 < (received - killed).total_seconds() <= 30


async def test_a_dead_provider_is_asked_by_probes_alone_and_finds_a_queue_when_it_returns(
    server: Client, tmp_path: Path
) -> None:
    toys = toy.ToyServer(submit_answers=[503] * 10_000)
    asked: list[float] = []
    async with serving(counting(toys.app(), asked)) as url:
        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        async with running_worker(server, settings, load=toy.loader(url)) as bench:
            gate = ProviderGate(engine := open_database(settings.archive_url))
            first = [await bench.start(toy_plan(models=("toy/image",))) for _ in range(5)]
            known = await eventually(gate.known, lambda known: known.account("toy").trouble is not None)
            assert known.account("toy").trouble == "outage"
            before = len(asked)
            others = [await bench.start(toy_plan(models=("toy/image",))) for _ in range(60)]
            await eventually(gate.known, lambda known: known.account("toy").openings >= 2)
            await eventually(lambda: gate.use(datetime.now(UTC)), lambda use: use["toy"].waiting >= 60)
            assert len(asked) - before <= 2
            toys.submit_answers.clear()
            back = len(asked)
            outcomes = await asyncio.gather(*(handle.result() for handle in first + others))
            await engine.dispose()
    assert {outcome.status for outcome in outcomes} == {RunStatus.SUCCEEDED}
    assert len(asked) - back == len(toys.jobs) == 65
    after = asked[back:]
    assert max(sum(start <= at < start + 1 for at in after) for start in after) <= 2 * STARTS_A_SECOND


def counting(app: FastAPI, asked: list[float]) -> FastAPI:
    @app.middleware("http")
    async def note(request: Request, answer: Callable[[Request], Any]) -> Response:
        if request.method == "POST":
            asked.append(time.monotonic())
        answered: Response = await answer(request)
        return answered

    return app


async def test_an_account_without_credit_is_asked_once_and_the_next_step_fails_without_sending(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults({"kind": "status", "status": 402, "model": "flux-2-pro"})
        assert await stack.failure_code(flux()) == "provider_quota_exceeded"
        snapshot = await stack.finish(flux())
        assert snapshot.error is not None and snapshot.error.code == "provider_quota_exceeded"
        assert "nothing was sent" in snapshot.error.message and "since" in snapshot.error.facts
        assert len(await stack.sandbox.jobs()) == 1


async def test_the_job_of_a_run_that_an_operator_terminated_gives_its_place_back_when_it_ends(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_stack(temporal, tmp_path, provider_limits="bfl=1") as stack:
        await stack.sandbox.put_faults({"kind": "late", "model": "flux-2-pro", "delay": 2.0, "count": 1})
        handle = await stack.bench.start(flux())
        await eventually(lambda: stack.bench.step(handle.id), lambda step: bool(step.attempts and step.attempts[0].job))
        await handle.terminate()
        await stack.succeed(flux())
        first, second = [row["times"] for row in await stack.sandbox.jobs()]
        assert first["ended"] <= second["received"]


async def test_a_run_that_is_canceled_while_it_waits_in_line_starts_nothing_and_costs_nothing(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_stack(temporal, tmp_path, provider_limits="bfl=1") as stack:
        await stack.sandbox.put_faults({"kind": "never_ends", "model": "flux-2-pro", "count": 1})
        first = await stack.bench.start(flux())
        await eventually(lambda: stack.bench.step(first.id), lambda step: bool(step.attempts and step.attempts[0].job))
        plan = flux()
        second = await stack.bench.start(plan)
        gate = ProviderGate(engine := open_database(stack.settings.archive_url))
        await eventually(lambda: gate.use(datetime.now(UTC)), lambda use: use["bfl"].waiting == 1)
        await second.signal("cancel", CancelRequested())
        with pytest.raises(WorkflowFailureError):
            await second.result()
        await first.signal("cancel", CancelRequested())
        with pytest.raises(WorkflowFailureError):
            await first.result()
        snapshot = await stack.bench.snapshot(plan.run_id)
        assert snapshot.steps[0].cancel_outcome is CancelResult.NOT_STARTED
        assert spent_on_run(plan, snapshot).total.high == 0
        assert len(await stack.sandbox.jobs()) == 1
        await engine.dispose()


@pytest.fixture
async def service(temporal: Client, tmp_path: Path) -> AsyncIterator[Service]:
    async with running_service(temporal, tmp_path) as running:
        yield running


async def account(service: Service, name: str = "bfl") -> dict[str, Any]:
    answer = await service.api.get("/api/v1/providers")
    assert answer.status_code == 200, answer.text
    return next(row for row in answer.json()["data"] if row["name"] == name)


async def test_a_disabled_provider_gets_nothing_new_within_five_seconds_and_its_running_job_ends_well(
    service: Service,
) -> None:
    await service.sandbox.put_faults({"kind": "late", "model": "flux-2-pro", "delay": 8.0, "count": 1})
    running = await service.create("chain1", REQUEST)
    await eventually(service.sandbox.paid_starts, lambda started: started == 1)
    answer = await service.api.post("/api/v1/providers/bfl/disable", json={"reason": "prices"})
    assert answer.json()["disabled"]["reason"] == "prices"
    later = []

    async def one_more_is_held() -> int:
        later.append((await service.create("chain1", REQUEST))["id"])
        return int((await account(service))["waiting"])

    await eventually(one_more_is_held, bool, longest=5.0)
    held = (await service.create("chain1", REQUEST))["id"]
    await service.succeeded(running["id"])
    assert (await service.get(held))["status"] == "running"
    assert (await service.api.post("/api/v1/providers/bfl/enable")).json()["disabled"] is None
    for run in (*later, held):
        await service.succeeded(run)


async def test_a_disabled_model_leaves_the_other_models_of_its_provider_alone(service: Service) -> None:
    answer = await service.api.post(f"/api/v1/models/{FLUX}/disable")
    assert answer.status_code == 200 and answer.json()["disabled"]["reason"] is None
    shown = {model["id"]: model["disabled"] for model in (await account(service))["models"]}
    assert shown[FLUX] is not None and shown["bfl/flux-2-max"] is None
    held = await service.create("chain1", REQUEST)
    await eventually(lambda: account(service), lambda row: row["waiting"] == 1)
    other = {"chain_models": REQUEST["input"]["chain_models"] | {"text_to_image_model": "bfl/flux-2-max"}}
    await service.succeeded((await service.create("chain1", {"input": REQUEST["input"] | other}))["id"])
    assert (await service.get(held["id"]))["status"] == "running"
    assert (await service.api.post(f"/api/v1/models/{FLUX}/enable")).json()["disabled"] is None
    await service.succeeded(held["id"])


async def test_providers_show_their_breaker_their_seconds_and_their_mix_of_errors(service: Service) -> None:
    await service.succeeded((await service.create("chain1", REQUEST))["id"])
    await service.sandbox.put_faults({"kind": "status", "status": 402, "model": "flux-2-pro"})
    await service.ended((await service.create("chain1", REQUEST))["id"])
    row = await eventually(lambda: account(service), lambda row: row["last_hour"]["attempts"] == 2)
    assert (row["offered"], row["mode"], row["safety_classes"]) == (True, "sandbox", ["B"])
    assert (row["breaker"]["state"], row["breaker"]["reason"]) == ("open", "credit_exhausted")
    assert row["breaker"]["since"] < row["breaker"]["next_probe_at"]
    for figures in (row["last_hour"], row["last_day"]):
        assert (figures["succeeded"], figures["success_share"]) == (1, 0.5)
        assert 0 < figures["seconds"]["p50"] <= figures["seconds"]["p95"]
        assert figures["errors"] == {"provider_quota_exceeded": 1}
    assert (await account(service, "byteplus"))["breaker"]["state"] == "closed"
    enabled = await service.api.post("/api/v1/providers/bfl/enable")
    assert enabled.json()["breaker"]["state"] == "closed"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("providers/nobody/disable", None, 404, "not_found"),
        ("models/bfl/nothing/disable", None, 404, "model_not_found"),
        ("providers/bfl/disable", {"reason": 7}, 400, "invalid_request"),
        ("providers/bfl/disable", {"reason": "a\0b"}, 400, "invalid_request"),
        ("providers/bfl/disable", {"reasons": "x"}, 400, "invalid_request"),
    ],
)
async def test_a_wrong_switch_is_refused_by_name(
    service: Service, path: str, body: dict[str, Any] | None, status: int, code: str
) -> None:
    answer = await service.api.post(f"/api/v1/{path}", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (await service.anyone.post(f"/api/v1/{path}")).status_code == 401
    assert (await account(service))["disabled"] is None


async def test_the_command_line_shows_and_switches(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BABYCHAIN_PUBLIC_URL", service.settings.base_url)
    monkeypatch.setenv("BABYCHAIN_API_KEY", KEY)
    for words, said in (
        (["disable", "bfl", "--reason", "prices"], "bfl is switched off"),
        (["list"], "disabled"),
        (["enable", "bfl"], "bfl is switched on"),
        (["disable", FLUX], f"{FLUX} is switched off"),
    ):
        assert await asyncio.to_thread(command.app, words, result_action="return_value") == 0
        assert said in capsys.readouterr().out
    row = await account(service)
    assert row["disabled"] is None
    assert [model["id"] for model in row["models"] if model["disabled"]] == [FLUX]
