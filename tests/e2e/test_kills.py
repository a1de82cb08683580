"""Workers that die, freeze and wake up again, at every point where a payment could be lost or made twice.

One worker is killed while runs are at eleven different points; each test looks at what became of one of them.
A dead worker is noticed by its missing heartbeats, which takes 25 seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Response
from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowHistory

import api.main
from domain.plan import ChainPlan
from domain.provider import Looks
from domain.runs import AttemptOutcome, RunOutcome, RunStatus, Snapshot
from storage.database import upgrade
from temporal.names import TASK_QUEUE
from tests.support import toy
from tests.support.histories import history_of, of_type, starts
from tests.support.orders import STEP, catalogue, order
from tests.support.pictures import jpeg
from tests.support.plans import toy_plan
from tests.support.processes import Program, running_worker_process
from tests.support.runs import Bench, running_worker
from tests.support.runs import test_settings as settings_of
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.serving import free_port, serving
from tests.support.temporal_server import running_temporal
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


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Client]:
    """A Temporal server of this module alone: a deployed worker listens on the one task queue there is."""
    async with running_temporal() as client:
        yield client


def address_of(client: Client) -> str:
    return client.service_client.config.target_host


async def ended(handle: WorkflowHandle[Any, RunOutcome]) -> None:
    try:
        async with asyncio.timeout(120):
            await handle.result()
    except WorkflowFailureError:
        pass  # the snapshot says why


@pytest.fixture(scope="module")
async def aftermath(server: Client, tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    port, host = free_port(), PictureHost()
    async with AsyncExitStack() as stack:
        sandbox_url = await stack.enter_async_context(running_sandbox(QUICK))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        host_url = await stack.enter_async_context(serving(host.app()))
        settings = settings_of(
            tmp_path_factory.mktemp("kill"),
            sandbox_url=sandbox_url,
            public_url=f"http://127.0.0.1:{port}",
            trusted_origins=host_url,
        )
        await upgrade(settings.archive_url)
        await stack.enter_async_context(serving(api.main.build(settings, server), port=port))
        sandbox, bench = Sandbox(sandbox_url, http), Bench(server, TASK_QUEUE)
        await sandbox.put_faults(*FAULTS)

        plans = {model: plan_for(model, host_url) for model in EVERY_POINT}

        async with running_worker_process(settings, address_of(server), *WORKER) as first:
            handles = [await bench.start(plan) for plan in plans.values()]
            await all_at_their_points(bench, sandbox, host, plans)
            first.kill()
            await first.ended()
        host.gives = True
        # The watched jobs are done meanwhile. Its download leaves time to look at the second watch.
        await sandbox.put_faults({"kind": "slow", "operation": "result", "model": raw(WATCHED), "seconds": 3.0})
        reads_at_the_kill = (await watch_of(bench, plans[WATCHED]))["reads"]

        await stack.enter_async_context(running_worker_process(settings, address_of(server), *WORKER))
        again = await eventually(
            lambda: watch_of(bench, plans[WATCHED]),
            lambda seen: seen.get("attempt") == 2 and seen["reads"] > reads_at_the_kill,
            longest=60,
        )
        await asyncio.gather(*(ended(handle) for handle in handles))
        rows = await sandbox.jobs()
        return Aftermath(
            snapshots={model: await bench.snapshot(plan.run_id) for model, plan in plans.items()},
            histories={model: await history_of(server, plan.run_id) for model, plan in plans.items()},
            rows={model: [row for row in rows if row["model"] == raw(model)] for model in plans},
            reads_known_at_the_kill=reads_at_the_kill,
            reads_known_to_the_second_watch=again["reads"],
            picture_asked=host.asked,
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


# ---- killed in the middle of a submit -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", EVERY_POINT)
async def test_wherever_the_worker_dies_the_step_is_paid_once(aftermath: Aftermath, model: str) -> None:
    submits = [row for row in aftermath.rows[model] if row["operation"] == "submit"]
    assert [row["job_id"] is not None for row in submits] == ([True, False] if model == LOST_KEYED else [True])


async def test_a_job_that_babysea_started_while_its_worker_died_is_asked_for_under_the_same_key(
    aftermath: Aftermath,
) -> None:
    snapshot = aftermath.snapshots[LOST_KEYED]
    assert snapshot.status is RunStatus.SUCCEEDED
    [attempt] = snapshot.steps[0].attempts
    assert len({row["headers"]["idempotency-key"] for row in aftermath.rows[LOST_KEYED]}) == 1
    assert attempt.job == aftermath.rows[LOST_KEYED][0]["job_id"]


@pytest.mark.parametrize("model", [LOST_FLUX, LOST_SEEDANCE])
async def test_a_job_accepted_while_its_worker_died_is_found_and_adopted(aftermath: Aftermath, model: str) -> None:
    snapshot = aftermath.snapshots[model]
    assert snapshot.status is RunStatus.SUCCEEDED
    [attempt] = snapshot.steps[0].attempts
    assert attempt.note is not None
    assert "adopted" in attempt.note
    assert attempt.job == aftermath.rows[model][0]["job_id"]


async def test_a_picture_paid_while_its_worker_died_ends_unknown_with_the_cost_at_risk(aftermath: Aftermath) -> None:
    """It has neither key nor list nor webhook: nobody can find it again, and nobody sends it again."""
    snapshot = aftermath.snapshots[LOST_SEEDREAM]
    assert snapshot.status is RunStatus.FAILED
    assert snapshot.error is not None
    assert snapshot.error.code == "start_outcome_unknown"
    assert snapshot.error.facts["cost_at_risk"] == "0.04"
    assert snapshot.steps[0].attempts[0].outcome is AttemptOutcome.UNKNOWN


async def test_a_request_that_was_never_written_is_sent_once_the_worker_is_replaced(aftermath: Aftermath) -> None:
    """Even without a key: the last heartbeat proves that the first worker died before it sent anything."""
    assert aftermath.picture_asked == 2
    assert aftermath.snapshots[PREPARING].status is RunStatus.SUCCEEDED
    assert len(aftermath.snapshots[PREPARING].steps[0].attempts) == 1


# ---- killed afterwards ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [RECORDED, WATCHED, COLLECTED, COLLECTED_AT_ONCE, WATCHED_KEYED, COLLECTED_KEYED])
async def test_a_run_whose_job_is_recorded_goes_on_where_it_was(aftermath: Aftermath, model: str) -> None:
    snapshot = aftermath.snapshots[model]
    assert snapshot.status is RunStatus.SUCCEEDED
    assert [attempt.note for attempt in snapshot.steps[0].attempts] == [None]


@pytest.mark.parametrize(
    ("model", "activity"),
    [
        (WATCHED, "watch"),
        (WATCHED_KEYED, "watch"),
        (COLLECTED, "collect"),
        (COLLECTED_AT_ONCE, "collect"),
        # Where no webhook can come, it is the watch that brings the file in.
        (COLLECTED_KEYED, "watch"),
    ],
)
async def test_work_that_falls_silent_is_noticed_by_its_heartbeat_and_taken_over(
    aftermath: Aftermath, model: str, activity: str
) -> None:
    [start] = starts(aftermath.histories[model], f"{STEP}.1.{activity}")
    facts = start.activity_task_started_event_attributes
    assert facts.attempt == 2
    assert facts.last_failure.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT


async def test_a_watch_goes_on_elsewhere_with_what_it_had_remembered(aftermath: Aftermath) -> None:
    assert aftermath.reads_known_at_the_kill >= 1
    assert aftermath.reads_known_to_the_second_watch == aftermath.reads_known_at_the_kill + 1


# ---- a provider that honours keys -----------------------------------------------------------------------------------


async def test_a_job_behind_a_key_is_asked_for_again_under_the_same_key(server: Client, tmp_path: Path) -> None:
    toys = toy.ToyServer(submit_answers=["silent"])
    queue = f"test-{uuid4()}"
    async with serving(toys.app()) as url:
        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        await upgrade(settings.archive_url)
        plan = toy_plan(models=("toy/image",))
        program = ("tests.support.toy_worker", queue, url)
        async with running_worker_process(settings, address_of(server), *program) as first:
            handle = await Bench(server, queue).start(plan)
            await eventually(counted(toys, "submits"), lambda count: count == 1)
            first.kill()
            await first.ended()
        async with running_worker(server, settings, load=toy.loader(url), task_queue=queue):
            assert (await handle.result()).status is RunStatus.SUCCEEDED
        assert toys.submits == 2
        assert list(toys.jobs) == [f"babychain:{plan.run_id}:{STEP}:1"]


def counted(toys: toy.ToyServer, name: str) -> Any:
    async def count() -> int:
        number: int = getattr(toys, name)
        return number

    return count


# ---- zombies --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frozen:
    """A run whose worker was frozen one step before it sends its request, until the server gave that attempt up."""

    toys: toy.ToyServer
    worker: Program
    handle: WorkflowHandle[Any, RunOutcome]
    another_worker: Callable[[], AbstractAsyncContextManager[Bench]]

    def release(self) -> None:
        """Thaw it, and let it do what it was about to do."""
        assert self.toys.door is not None
        self.toys.door.set()
        self.worker.thaw()


@pytest.fixture
async def frozen(server: Client, tmp_path: Path) -> AsyncIterator[Frozen]:
    toys = toy.ToyServer(door=asyncio.Event())
    queue = f"test-{uuid4()}"
    async with serving(toys.app()) as url:
        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        await upgrade(settings.archive_url)
        [planned] = (plan := toy_plan(models=("toy/hopeless",))).steps
        hasty = replace(planned.candidates[0], submit_timeout=0.1)
        plan = replace(plan, steps=(replace(planned, candidates=(hasty,)),))
        program = ("tests.support.toy_worker", queue, url)
        async with running_worker_process(settings, address_of(server), *program) as worker:
            handle = await Bench(server, queue).start(plan)
            await eventually(counted(toys, "waiting"), lambda count: count == 1)
            worker.freeze()

            async def given_up() -> int:
                history = await history_of(server, plan.run_id)
                return len(of_type(history, EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT))

            await eventually(given_up, bool, longest=40)
            yield Frozen(
                toys,
                worker,
                handle,
                lambda: running_worker(server, settings, load=toy.loader(url), task_queue=queue),
            )


async def test_a_worker_that_wakes_up_just_after_its_attempt_was_given_up_sends_only_the_next(frozen: Frozen) -> None:
    """Nothing in the worker knows of the verdict yet. The fence asks, and only the new attempt gets through."""
    frozen.release()
    assert (await frozen.handle.result()).status is RunStatus.SUCCEEDED
    frozen.worker.terminate()
    assert await frozen.worker.ended() == 0
    assert frozen.toys.submits == 1


async def test_a_worker_that_wakes_up_when_another_has_done_its_job_sends_nothing(frozen: Frozen) -> None:
    assert frozen.toys.door is not None
    frozen.toys.door.set()
    async with frozen.another_worker():
        assert (await frozen.handle.result()).status is RunStatus.SUCCEEDED
    frozen.release()
    # A worker that has ended in order has come to an end with every attempt it had.
    frozen.worker.terminate()
    assert await frozen.worker.ended() == 0
    assert frozen.toys.submits == 1


# ---- an orderly stop ------------------------------------------------------------------------------------------------


async def test_sigterm_under_load_finishes_what_is_being_paid_and_loses_no_run(server: Client, tmp_path: Path) -> None:
    config = replace(QUICK, picture_seconds=1.5)
    async with (
        running_sandbox(config) as sandbox_url,
        httpx.AsyncClient(trust_env=False, timeout=30) as http,
    ):
        settings = settings_of(tmp_path, sandbox_url=sandbox_url, shutdown_grace=20.0)
        await upgrade(settings.archive_url)
        sandbox, bench = Sandbox(sandbox_url, http), Bench(server, TASK_QUEUE)
        plans = [order(LOST_SEEDREAM) for _ in range(30)]
        async with running_worker_process(settings, address_of(server)) as first:
            handles = [await bench.start(plan) for plan in plans[:15]]
            await eventually(sandbox.paid_starts, lambda started: started == 15)
            handles += [await bench.start(plan) for plan in plans[15:]]
            first.terminate()
            assert await first.ended(within=20) == 0, "\n".join(first.lines[-40:])
        async with running_worker_process(settings, address_of(server)):
            outcomes = await asyncio.gather(*(handle.result() for handle in handles))
        assert {outcome.status for outcome in outcomes} == {RunStatus.SUCCEEDED}
        assert await sandbox.paid_starts() == 30
        assert len(await sandbox.jobs()) == 30
        for plan in plans:
            assert len((await bench.step(plan.run_id)).attempts) == 1
