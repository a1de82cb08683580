"""A lost job that reports itself while the provider's list is being searched for it."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from domain.provider import Absent, Job, JobRequest, SafetyClass, Window
from domain.runs import ProviderReported, RunStatus
from providers import Loaded
from tests.support import toy
from tests.support.histories import history_of, of_type
from tests.support.plans import toy_plan
from tests.support.runs import running_worker
from tests.support.runs import test_settings as settings_of
from tests.support.serving import serving
from tests.support.waiting import eventually


class Listing(toy.Toy):
    """A toy with a list of jobs, which does not answer until it is told to."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        super().__init__(http, url)
        self.searches = 0
        self.answers = asyncio.Event()

    async def find(self, request: JobRequest, window: Window) -> Job | Absent | None:
        self.searches += 1
        await self.answers.wait()
        return None


async def test_a_job_that_reports_itself_is_adopted_though_the_list_does_not_answer(
    temporal: Client, tmp_path: Path
) -> None:
    server = toy.ToyServer(submit_answers=["lost"])
    [planned] = (plan := toy_plan(models=("toy/hopeless",))).steps
    findable = replace(planned.candidates[0], safety=SafetyClass.B, findable=True, webhook=True)
    plan = replace(plan, steps=(replace(planned, candidates=(findable,)),))
    async with serving(server.app()) as url:
        listing: list[Listing] = []

        def load(env: Mapping[str, str], http: httpx.AsyncClient) -> Loaded:
            listing.append(Listing(http, url))
            return Loaded({toy.NAME: listing[0]}, toy.MODELS, {toy.NAME: "TOY_API_KEY"})

        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        async with running_worker(temporal, settings, load=load, task_queue=f"test-{uuid4()}") as bench:
            handle = await bench.start(plan)
            await eventually(lambda: asyncio.sleep(0, listing[0].searches), bool)
            [job] = server.jobs.values()
            await handle.signal("provider_reported", ProviderReported("step_0", 1, job_id=job, status="running"))
            assert (await handle.result()).status is RunStatus.SUCCEEDED
            listing[0].answers.set()
            [attempt] = (await bench.step(plan.run_id)).attempts
        assert (attempt.job, server.submits) == (job, 1)
        history = await history_of(temporal, plan.run_id)
        assert not of_type(history, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
