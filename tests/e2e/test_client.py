"""The client package against the whole service: started, watched, fetched, given up on, verified."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from babychain_client import (
    AsyncBabyChain,
    BabyChain,
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotFound,
    RunNotSucceeded,
    WaitTimeout,
    WebhookInvalid,
    verify_webhook,
)
from sandbox.config import Config
from tests.support.bodies import drawn, restyled
from tests.support.pictures import jpeg
from tests.support.runs import SECRETS
from tests.support.service import KEY, Service, running_service

SLOW = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=600, video_seconds=600, media="tiny")


def address(service: Service) -> str:
    return str(service.api.base_url)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncBabyChain]:
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        AsyncBabyChain(address(service), KEY, http=http) as connected,
    ):
        yield connected


@pytest.fixture
def threaded(service: Service) -> Iterator[BabyChain]:
    """The synchronous client: to be used in a thread, since the service lives in this one."""
    with httpx.Client(trust_env=False) as http, BabyChain(address(service), KEY, http=http) as connected:
        yield connected


async def test_a_run_is_started_waited_for_and_fetched_whole(client: AsyncBabyChain, tmp_path: Path) -> None:
    run = await client.run("chain1", drawn("fetched")["input"], metadata={"order": "1"})
    assert not run.state.ended
    ended = (await run.wait()).require_success()
    assert (ended.id, ended.chain, ended.metadata) == (run.id, "chain1", {"order": "1"})
    picture, video = await run.download(tmp_path / "out")
    assert (picture.name, video.name) == ("text_to_image.jpeg", "image_to_video.mp4")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["image_to_video.mp4", "text_to_image.jpeg"]
    # A file is stored under its hash.
    assert hashlib.sha256(video.read_bytes()).hexdigest() in ended.outputs[0]


async def test_the_synchronous_client_does_the_same(threaded: BabyChain, tmp_path: Path) -> None:
    def work() -> tuple[list[str], list[Path]]:
        run = threaded.run("chain1", drawn("in a thread")["input"])
        kinds = [event.kind for event in run.stream()]
        assert run.wait().succeeded
        return kinds, run.download(tmp_path)

    kinds, files = await asyncio.to_thread(work)
    assert kinds[0] == "run"
    assert kinds[-1] == "end"
    assert [file.suffix for file in files] == [".jpeg", ".mp4"]


async def test_a_stream_tells_each_state_and_what_is_waited_for(client: AsyncBabyChain) -> None:
    run = await client.run("chain1", drawn("streamed")["input"])
    statuses = [event.run.status async for event in run.stream() if event.run]
    assert statuses[0] == "queued"
    assert statuses[-1] == "succeeded"
    assert run.state.succeeded


async def test_one_key_is_one_run_and_another_body_under_it_is_refused(client: AsyncBabyChain) -> None:
    key = f"order-{uuid4()}"
    first = await client.run("chain1", drawn("twice")["input"], idempotency_key=key)
    assert (await client.run("chain1", drawn("twice")["input"], idempotency_key=key)).id == first.id
    with pytest.raises(Conflict) as refused:
        await client.run("chain1", drawn("another")["input"], idempotency_key=key)
    assert refused.value.code == "idempotency_conflict"


async def test_every_fault_of_a_body_is_named(client: AsyncBabyChain) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await client.run("chain1", {"text_to_image_params": {"prompt": 7, "width": "wide"}})
    assert len(refused.value.faults) >= 2
    assert refused.value.request_id
    assert all(str(fault) in str(refused.value) for fault in refused.value.faults)


async def test_an_estimate_starts_nothing(service: Service, client: AsyncBabyChain) -> None:
    estimate = await client.estimate("chain1", drawn("only estimated")["input"])
    assert estimate.cost.high is not None
    assert estimate.cost.high > 0
    assert await service.submits(prompt="only estimated") == []


async def test_a_wait_that_is_given_up_names_the_run_and_stops_nothing(
    service: Service, client: AsyncBabyChain
) -> None:
    run = await client.run("chain1", drawn("given up")["input"])
    with pytest.raises(WaitTimeout) as given_up:
        await run.wait(timeout=0)
    assert given_up.value.run_id == run.id
    assert run.id in str(given_up.value)
    assert "goes on" in str(given_up.value)
    assert (await client.wait(run.id)).succeeded


async def test_a_cancelled_wait_names_the_run(client: AsyncBabyChain) -> None:
    run = await client.run("chain1", drawn("cancelled wait")["input"])
    waiting = asyncio.create_task(run.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await waiting
    assert run.id in "".join(cancelled.value.__notes__)
    assert (await client.wait(run.id)).succeeded


async def test_a_long_run_outlives_a_wait_and_ends_by_a_cancel(temporal: Client, tmp_path: Path) -> None:
    async with (
        running_service(temporal, tmp_path, config=SLOW) as service,
        httpx.AsyncClient(trust_env=False) as http,
        AsyncBabyChain(address(service), KEY, http=http) as client,
    ):
        run = await client.run("chain1", drawn("canceled")["input"])
        with pytest.raises(WaitTimeout) as given_up:
            await run.wait(timeout=0.5)
        assert not given_up.value.state.ended
        ended = await run.cancel()
        assert ended.status == "canceled"
        with pytest.raises(RunNotSucceeded) as ending:
            ended.require_success()
        assert ending.value.run_id == run.id


async def test_runs_are_listed_over_several_pages(client: AsyncBabyChain) -> None:
    tag = f"tag-{uuid4()}"
    ids = set()
    for number in range(3):
        run = await client.run("chain1", drawn(f"listed {number}")["input"], metadata={"tags": [tag]})
        await run.wait()
        ids.add(run.id)
    assert {run.id async for run in client.list_runs(tag=tag, limit=1)} == ids


async def test_an_uploaded_picture_starts_a_chain(client: AsyncBabyChain, tmp_path: Path) -> None:
    file = tmp_path / "boat.jpeg"
    file.write_bytes(jpeg("boat", (640, 640)))
    asset = await client.upload(file)
    run = await client.run("chain2", restyled("from a file", source_image_url=asset)["input"])
    assert (await run.wait()).succeeded


async def test_a_wrong_key_and_another_callers_run_are_told_apart(service: Service, client: AsyncBabyChain) -> None:
    run = await client.run("chain1", drawn("not yours")["input"])
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(NotAllowed):
            await AsyncBabyChain(address(service), "wrong", http=http).state(run.id)
    with pytest.raises(NotFound):
        await client.state(str(uuid4()))


async def test_a_callback_of_the_service_is_verified_and_a_changed_one_is_not(
    service: Service, client: AsyncBabyChain
) -> None:
    run = await client.run("chain1", drawn("called back")["input"], webhook_url=service.hook)
    [call] = await service.callbacks(run.id)
    event = verify_webhook(call.body, call.headers, SECRETS["callback_secret"])
    assert event.run is not None
    assert (event.run.id, event.run.status, event.id) == (run.id, "succeeded", f"evt_{run.id}")
    with pytest.raises(WebhookInvalid):
        verify_webhook(call.body + b" ", call.headers, SECRETS["callback_secret"])
    deliveries = await client.deliveries(run.id)
    assert [one["status"] for one in deliveries] == ["delivered"]


async def test_a_run_is_retried_and_an_ended_one_deleted(service: Service, client: AsyncBabyChain) -> None:
    run = await client.run("chain1", drawn("retried by the client")["input"])
    await run.wait()
    retried = await run.retry(from_step="image_to_video", input={"image_to_video_params": {"duration": 5}})
    assert retried.id != run.id
    assert (await retried.wait()).succeeded
    assert len(await service.submits(prompt="retried by the client")) == 3
    await client.delete(run.id)
    with pytest.raises(NotFound):
        await run.refresh()
