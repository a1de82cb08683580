"""Workers that have not all the same keys: who can't ask a provider about a job leaves it to those who can."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import httpx
from temporalio.client import Client

from domain.runs import RunStatus
from providers import Loaded
from tests.support import toy
from tests.support.plans import toy_plan
from tests.support.runs import running_worker
from tests.support.runs import test_settings as settings_of
from tests.support.serving import serving
from tests.support.waiting import eventually


def without_a_key(env: Mapping[str, str], http: httpx.AsyncClient) -> Loaded:
    return Loaded({}, toy.MODELS, {toy.NAME: "TOY_API_KEY"})


async def test_a_paid_job_that_a_worker_without_its_key_comes_upon_is_watched_on_by_the_next(
    temporal: Client, tmp_path: Path
) -> None:
    server = toy.ToyServer(ready_after=1_000)
    plan, queue = toy_plan(models=("toy/image",), instead=("toy/hopeless",)), f"test-{uuid4()}"
    async with serving(server.app()) as url:
        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        async with running_worker(temporal, settings, load=toy.loader(url), task_queue=queue) as bench:
            handle = await bench.start(plan)
            await eventually(lambda: bench.step(plan.run_id), lambda step: bool(step.attempts and step.attempts[0].job))

        async def last_word() -> str:
            description = (await handle.describe()).raw_description
            return " ".join(pending.last_failure.message for pending in description.pending_activities)

        async with running_worker(temporal, settings, load=without_a_key, task_queue=queue):
            await eventually(last_word, lambda word: "no key" in word, longest=30)
        server.ready_after = 0
        async with running_worker(temporal, settings, load=toy.loader(url), task_queue=queue):
            assert (await handle.result()).status is RunStatus.SUCCEEDED
    assert (len(server.jobs), server.cancels) == (1, 0)
