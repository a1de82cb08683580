"""A job that was paid for, and whose end nobody saw: it may run on, so no other is started beside it."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client, WorkflowFailureError

from domain.errors import JobExpired, StepError, UnexpectedResponse
from domain.provider import Job, JobState
from providers import Loaded
from tests.support import toy
from tests.support.plans import toy_plan
from tests.support.runs import running_worker
from tests.support.runs import test_settings as settings_of
from tests.support.serving import serving


class Hidden(toy.Toy):
    """Its jobs can't be read any more."""

    def __init__(self, http: httpx.AsyncClient, url: str, error: StepError) -> None:
        super().__init__(http, url)
        self._error = error

    async def status(self, job: Job) -> JobState:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(
            UnexpectedResponse("The key is not sent there.", code="provider_request_blocked"), id="at another's address"
        ),
        pytest.param(JobExpired("Nobody knows it.", code="provider_task_not_found"), id="not known to this key"),
    ],
)
async def test_it_is_canceled_and_no_other_is_started_beside_it(
    temporal: Client, tmp_path: Path, error: StepError
) -> None:
    server = toy.ToyServer()
    plan = toy_plan(models=("toy/image",), instead=("toy/hopeless",))
    async with serving(server.app()) as url:

        def load(env: Mapping[str, str], http: httpx.AsyncClient) -> Loaded:
            return Loaded({toy.NAME: Hidden(http, url, error)}, toy.MODELS, {toy.NAME: "TOY_API_KEY"})

        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        async with running_worker(temporal, settings, load=load) as bench:
            handle = await bench.start(plan)
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()
    assert error.reason in str(caught.value.cause)
    assert (len(server.jobs), server.cancels) == (1, 1)
