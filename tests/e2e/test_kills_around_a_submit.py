"""A worker that is killed or frozen around one submit, as the provider sees it: the toy, which counts every request.

A dead worker is noticed by its missing heartbeats, which takes 25 seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from domain.runs import RunOutcome, RunStatus
from settings import Settings
from storage.database import upgrade
from tests.support import toy
from tests.support.histories import history_of, of_type
from tests.support.orders import STEP
from tests.support.plans import toy_plan
from tests.support.processes import Program, running_worker_process
from tests.support.runs import Bench, running_worker
from tests.support.runs import test_settings as settings_of
from tests.support.serving import serving
from tests.support.waiting import eventually
from workflows import policies

# ---- killed between request and answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("honours_keys", [True, False])
async def test_what_was_refused_and_then_lost_with_its_worker_is_never_given_to_another_model(
    temporal: Client, tmp_path: Path, honours_keys: bool
) -> None:
    """The server's verdict on the lost try names the refusal of the try before, which says nothing of the lost one."""
    first, other = ("toy/image", "toy/hopeless") if honours_keys else ("toy/hopeless", "toy/image")
    toys = toy.ToyServer(submit_answers=[429, "silent"])
    queue, plan = f"test-{uuid4()}", toy_plan(models=(first,), instead=(other,))
    async with serving(toys.app()) as url:
        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        await upgrade(settings.archive_url)
        async with running_toy_worker(temporal, settings, queue, url) as doomed:
            handle = await Bench(temporal, queue).start(plan)
            await eventually(counted(toys, "submits"), lambda count: count == 2)
            doomed.kill()
            await doomed.ended()
        async with running_worker(temporal, settings, load=toy.loader(url), task_queue=queue) as bench:
            with suppress(WorkflowFailureError):
                await handle.result()
            snapshot = await bench.snapshot(plan.run_id)
    assert list(toys.jobs) == [f"babychain:{plan.run_id}:{STEP}:1"]
    assert toys.submits == (3 if honours_keys else 2)
    error = snapshot.error.code if snapshot.error else None
    assert error == (None if honours_keys else "start_outcome_unknown")


async def test_a_request_that_was_refused_and_not_sent_again_before_its_worker_died_is_sent_again(
    temporal: Client, tmp_path: Path
) -> None:
    """Even without a key, and though another model stands ready: the mark of the refused request is gone."""
    toys = toy.ToyServer(submit_answers=[429], door=(door := asyncio.Event()))
    queue, plan = f"test-{uuid4()}", toy_plan(models=("toy/hopeless",), instead=("toy/image",))
    async with serving(toys.app()) as url:
        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        await upgrade(settings.archive_url)
        async with running_toy_worker(temporal, settings, queue, url) as doomed:
            handle = await Bench(temporal, queue).start(plan)
            await eventually(counted(toys, "waiting"), lambda count: count == 1)
            door.set()
            door.clear()
            await eventually(counted(toys, "waiting"), lambda count: count == 2)
            doomed.kill()
            await doomed.ended()
        door.set()
        async with running_worker(temporal, settings, load=toy.loader(url), task_queue=queue) as bench:
            assert (await handle.result()).status is RunStatus.SUCCEEDED
            assert len((await bench.step(plan.run_id)).attempts) == 1
    assert toys.submits == 2


def running_toy_worker(
    client: Client, settings: Settings, queue: str, url: str
) -> AbstractAsyncContextManager[Program]:
    address = client.service_client.config.target_host
    return running_worker_process(settings, address, "tests.support.toy_worker", queue, url)


def counted(toys: toy.ToyServer, name: str) -> Callable[[], Awaitable[int]]:
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
async def frozen(temporal: Client, tmp_path: Path) -> AsyncIterator[Frozen]:
    toys = toy.ToyServer(door=asyncio.Event())
    queue = f"test-{uuid4()}"
    async with serving(toys.app()) as url:
        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        await upgrade(settings.archive_url)
        [planned] = (plan := toy_plan(models=("toy/hopeless",))).steps
        # Given up after 15 s: before the preparation's own time is over, so that the fence has the last word.
        hasty = replace(planned.candidates[0], submit_timeout=15.0 - policies.BESIDES_THE_ANSWER.total_seconds())
        plan = replace(plan, steps=(replace(planned, candidates=(hasty,)),))
        async with running_toy_worker(temporal, settings, queue, url) as worker:
            handle = await Bench(temporal, queue).start(plan)
            await eventually(counted(toys, "waiting"), lambda count: count == 1)
            worker.freeze()

            async def given_up() -> int:
                history = await history_of(temporal, plan.run_id)
                return len(of_type(history, EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT))

            await eventually(given_up, bool, longest=40)
            yield Frozen(
                toys,
                worker,
                handle,
                lambda: running_worker(temporal, settings, load=toy.loader(url), task_queue=queue),
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
