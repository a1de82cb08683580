"""Toy: what it answers, and what that means."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.errors import BadCredentials, JobFailed
from domain.media import InputFile
from domain.provider import (
    Accepted,
    CancelOutcome,
    Failed,
    Job,
    JobState,
    Pending,
    Provider,
    SafetyClass,
    Succeeded,
    Unsure,
)
from providers import toy
from tests.contract.adapters import Control, adapter, ended, hide_nothing, request
from tests.support.pictures import jpeg

MODEL = toy.MODELS["toy/sketch-1"]
PROMPT = {"prompt": "a paper boat"}


async def start(provider: Provider, *pictures: InputFile, key: str | None = None) -> Job:
    """Toy remembers keys, so each job has its own unless a test says otherwise."""
    answer = await provider.submit(request(MODEL, PROMPT, *pictures), key or str(uuid4()), None)
    assert isinstance(answer, Accepted)
    return answer.job


def test_a_lost_submit_is_sent_again_under_its_key() -> None:
    assert MODEL.safety(webhooks_reach_us=False) is SafetyClass.A


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"status": "busy"}, Pending),
        ({"status": "done", "sketch": "https://toy.example/1.jpg"}, Succeeded),
        ({"status": "done"}, Unsure),
        ({"status": "failed", "reason": "The pencil broke."}, Failed),
        ({"status": "levitating"}, Unsure),
        ({}, Unsure),
    ],
)
def test_what_each_word_of_its_status_means(answer: Mapping[str, Any], state: type[JobState]) -> None:
    assert isinstance(toy.read_state(answer, hide_nothing), state)


@pytest.mark.parametrize("pictures", [(), (InputFile(data=jpeg("boat"), media_type="image/jpeg"),)])
async def test_a_sketch_is_made_and_can_be_fetched_without_a_key(
    sandbox: Control, http: httpx.AsyncClient, pictures: tuple[InputFile, ...]
) -> None:
    provider = adapter(toy, sandbox.url, http)
    state = await ended(provider, await start(provider, *pictures))
    assert isinstance(state, Succeeded)
    assert (await http.get(state.outputs[0].url)).headers["content-type"] == "image/jpeg"


async def test_the_same_key_leads_to_the_same_job_and_is_paid_once(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = adapter(toy, sandbox.url, http)
    jobs = [await start(provider, key="one-attempt") for _ in range(3)]
    assert len(set(map(str, jobs))) == 1
    assert await sandbox.paid_starts() == 1


async def test_an_empty_account_is_told_as_a_wrong_key_is(sandbox: Control, http: httpx.AsyncClient) -> None:
    await sandbox.put_faults({"kind": "no_credit"})
    with pytest.raises(BadCredentials, match="piggy bank"):
        await start(adapter(toy, sandbox.url, http))


async def test_a_job_that_fails_says_why(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = adapter(toy, sandbox.url, http)
    await sandbox.put_faults({"kind": "failed"})
    state = await ended(provider, await start(provider))
    assert isinstance(state, Failed)
    assert isinstance(state.error, JobFailed)
    assert "pencil" in state.error.message


async def test_a_running_job_is_stopped_and_an_ended_one_is_not(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = adapter(toy, sandbox.url, http)
    await sandbox.put_faults({"kind": "never_ends"})
    running = await start(provider)
    assert await provider.cancel(running) is CancelOutcome.STOPPED
    done = await start(provider)
    await ended(provider, done)
    assert await provider.cancel(done) is CancelOutcome.NOT_STOPPED


async def test_a_job_that_nobody_knows_is_looked_at_again(sandbox: Control, http: httpx.AsyncClient) -> None:
    assert isinstance(await adapter(toy, sandbox.url, http).status(Job("no-such-job")), Unsure)
