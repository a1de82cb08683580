"""Runs at eleven points where a payment could be lost or made twice, and what their worker's death makes of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Response
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowHistory

import api.main
from domain.plan import ChainPlan
from domain.provider import Looks
from domain.runs import RunOutcome, Snapshot
from settings import Settings
from storage.database import upgrade
from temporal.names import TASK_QUEUE
from tests.support.histories import history_of
from tests.support.orders import catalogue, order
from tests.support.pictures import jpeg
from tests.support.processes import Program, running_worker_process
from tests.support.runs import Bench
from tests.support.runs import test_settings as settings_of
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.serving import free_port, serving
from tests.support.waiting import eventually

LOST_FLUX, LOST_SEEDANCE, LOST_SEEDREAM = "bfl/flux-2-pro", "bytedance/seedance-1.5-pro", "bytedance/seedream-4.5"
PREPARING = "bytedance/seedream-4"
RECORDED = "bfl/flux-2-max"
WATCHED = "bfl/flux-2-flex"
COLLECTED = "bytedance/seedance-1-pro"
COLLECTED_AT_ONCE = "bytedance/seedream-5-lite"
LOST_KEYED, WATCHED_KEYED, COLLECTED_KEYED = "bfl/flux-schnell", "bfl/flux-2-klein-4b", "bfl/flux-2-klein-9b"
KEYED = (LOST_KEYED, WATCHED_KEYED, COLLECTED_KEYED)
"""BabySea's: the plan says whose job it is, and the worker that is killed has the adapters of both modes."""
WORKER = ("tests.support.worker_of_both_modes",)
EVERY_POINT = (
    LOST_FLUX, LOST_SEEDANCE, LOST_SEEDREAM, PREPARING, RECORDED, WATCHED, COLLECTED, COLLECTED_AT_ONCE, *KEYED,
)  # fmt: skip

AT_ONCE = Looks(grace=0.0, quick_window=60.0, quick_pause=0.5, pause=1.0, longest_pause=2.0)
FOREVER = 600.0


def raw(model: str) -> str:
    return catalogue(mode_of(model)).models[model].raw_id


def mode_of(model: str) -> str:
    return "babysea" if model in KEYED else "sandbox"


def plan_for(model: str, host_url: str) -> ChainPlan:
    """A run that comes to its point and stays there."""
    if model == PREPARING:
        return order(model, picture=f"{host_url}/boat.jpeg")
    if model in KEYED:
        # The webhook of BabySea's account leads to no deployment in this mode.
        return order(model, mode="babysea", looks=AT_ONCE, webhook=False)
    return order(model, looks=AT_ONCE) if model == WATCHED else order(model)


FAULTS: list[dict[str, Any]] = [
    *(
        {"kind": "hang", "model": raw(model), "when": "after", "seconds": FOREVER}
        for model in (LOST_FLUX, LOST_SEEDANCE, LOST_SEEDREAM, LOST_KEYED)
    ),
    {"kind": "late", "model": raw(RECORDED), "delay": 8.0},
    {"kind": "drop", "model": raw(WATCHED), "count": 9},
    *(
        {"kind": "never_ends", "operation": "status", "model": raw(model), "count": 1000}
        for model in (WATCHED, WATCHED_KEYED)
    ),
    *(
        {"kind": "slow", "operation": "result", "model": raw(model), "seconds": FOREVER}
        for model in (COLLECTED, COLLECTED_AT_ONCE, COLLECTED_KEYED)
    ),
]


@dataclass
class PictureHost:
    """A caller's own host, which gives its picture only once it is told to."""

    asked: int = 0
    gives: bool = False

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/boat.jpeg")
        async def boat() -> Response:
            self.asked += 1
            if not self.gives:
                await asyncio.Event().wait()
            return Response(jpeg("boat"), media_type="image/jpeg")

        return app


@dataclass(frozen=True)
class Aftermath:
    """What became of the runs that the killed worker left behind, by model."""

    snapshots: dict[str, Snapshot]
    histories: dict[str, WorkflowHistory]
    rows: dict[str, list[dict[str, Any]]]
    reads_known_at_the_kill: int
    reads_known_to_the_second_watch: int
    picture_asked: int


def address_of(client: Client) -> str:
    return client.service_client.config.target_host


async def ended(handle: WorkflowHandle[Any, RunOutcome]) -> None:
    try:
        async with asyncio.timeout(120):
            await handle.result()
    except WorkflowFailureError:
        pass  # the snapshot says why


@dataclass(frozen=True)
class Scene:
    """Everything but the worker."""

    bench: Bench
    sandbox: Sandbox
    host: PictureHost
    host_url: str
    settings: Settings

    def worker(self) -> AbstractAsyncContextManager[Program]:
        return running_worker_process(self.settings, address_of(self.bench.client), *WORKER)


@asynccontextmanager
async def running_scene(client: Client, folder: Path) -> AsyncIterator[Scene]:
    port, host = free_port(), PictureHost()
    async with (
        running_sandbox(QUICK) as sandbox_url,
        httpx.AsyncClient(trust_env=False, timeout=30) as http,
        serving(host.app()) as host_url,
    ):
        settings = settings_of(
            folder, sandbox_url=sandbox_url, public_url=f"http://127.0.0.1:{port}", trusted_origins=host_url
        )
        await upgrade(settings.archive_url)
        async with serving(api.main.build(settings, client), port=port):
            yield Scene(Bench(client, TASK_QUEUE), Sandbox(sandbox_url, http), host, host_url, settings)


async def kill_at_every_point(client: Client, folder: Path) -> Aftermath:
    """Bring one run to each point, kill their worker, and let another one take over."""
    async with running_scene(client, folder) as scene:
        bench, sandbox = scene.bench, scene.sandbox
        await sandbox.put_faults(*FAULTS)
        plans = {model: plan_for(model, scene.host_url) for model in EVERY_POINT}
        async with scene.worker() as first:
            handles = [await bench.start(plan) for plan in plans.values()]
            await all_at_their_points(bench, sandbox, scene.host, plans)
            first.kill()
            await first.ended()
        scene.host.gives = True
        # The watched jobs are done meanwhile. Its download leaves time to look at the second watch.
        await sandbox.put_faults({"kind": "slow", "operation": "result", "model": raw(WATCHED), "seconds": 3.0})
        reads_at_the_kill = (await watch_of(bench, plans[WATCHED]))["reads"]
        async with scene.worker():
            again = await eventually(
                lambda: watch_of(bench, plans[WATCHED]),
                lambda seen: seen.get("attempt") == 2 and seen["reads"] > reads_at_the_kill,
                longest=60,
            )
            await asyncio.gather(*(ended(handle) for handle in handles))
        rows = await sandbox.jobs()
        return Aftermath(
            snapshots={model: await bench.snapshot(plan.run_id) for model, plan in plans.items()},
            histories={model: await history_of(client, plan.run_id) for model, plan in plans.items()},
            rows={model: [row for row in rows if row["model"] == raw(model)] for model in plans},
            reads_known_at_the_kill=reads_at_the_kill,
            reads_known_to_the_second_watch=again["reads"],
            picture_asked=scene.host.asked,
        )


async def all_at_their_points(bench: Bench, sandbox: Sandbox, host: PictureHost, plans: dict[str, ChainPlan]) -> None:
    async def look() -> dict[str, bool]:
        rows = {row["model"]: row for row in await sandbox.jobs()}
        recorded = await bench.step(plans[RECORDED].run_id)
        watch, keyed_watch = [await watch_of(bench, plans[model]) for model in (WATCHED, WATCHED_KEYED)]

        def seen(model: str, field: str) -> Any:
            return rows.get(raw(model), {}).get(field) or 0

        return {
            LOST_FLUX: bool(seen(LOST_FLUX, "job_id")),
            LOST_SEEDANCE: bool(seen(LOST_SEEDANCE, "job_id")),
            LOST_SEEDREAM: seen(LOST_SEEDREAM, "state") == "succeeded",
            PREPARING: host.asked == 1,
            RECORDED: bool(recorded.attempts and recorded.attempts[0].job),
            WATCHED: seen(WATCHED, "polls") >= 2 and bool(watch),
            COLLECTED: seen(COLLECTED, "downloads") == 1,
            COLLECTED_AT_ONCE: seen(COLLECTED_AT_ONCE, "downloads") == 1,
            LOST_KEYED: bool(seen(LOST_KEYED, "job_id")),
            WATCHED_KEYED: bool(keyed_watch),
            COLLECTED_KEYED: seen(COLLECTED_KEYED, "downloads") == 1,
        }

    await eventually(look, lambda points: all(points.values()), longest=30)


async def watch_of(bench: Bench, plan: ChainPlan) -> dict[str, int]:
    """What the server knows of the run's watch: its attempt, and how many reads its last heartbeat told of."""
    described = await bench.client.get_workflow_handle(plan.run_id).describe()
    for pending in described.raw_description.pending_activities:
        if pending.activity_type.name == "watch" and pending.heartbeat_details.payloads:
            [details] = await bench.client.data_converter.decode(pending.heartbeat_details.payloads)
            return {"attempt": pending.attempt, "reads": details["reads"]}
    return {}
