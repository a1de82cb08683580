"""A worker that is told to stop does, also beside work that never ends."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from temporal.stopping import working

begun = asyncio.Event()
released = asyncio.Event()


@activity.defn
async def deaf() -> None:
    begun.set()
    while not released.is_set():
        try:
            await released.wait()
        except asyncio.CancelledError:
            continue


@workflow.defn(sandboxed=False)
class Calls:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(deaf, start_to_close_timeout=timedelta(minutes=5))


def worker(client: Client, queue: str) -> Worker:
    return Worker(client, task_queue=queue, workflows=[Calls], activities=[deaf])


async def test_an_activity_that_ignores_its_cancellation_does_not_hold_the_worker(temporal: Client) -> None:
    queue = f"test-{uuid4()}"
    stopping = worker(temporal, queue)
    with capture_logs() as lines:
        async with working(stopping, stops_within=0.2):
            handle = await temporal.start_workflow(Calls.run, id=queue, task_queue=queue)
            await begun.wait()
    assert [line["event"] for line in lines] == ["worker_stop_overdue"]
    assert not stopping.is_shutdown
    released.set()
    await stopping.shutdown()
    await handle.terminate()


async def test_a_worker_that_breaks_says_so(temporal: Client) -> None:
    client = await Client.connect(temporal.service_client.config.target_host, namespace="no-such-namespace")

    async def work() -> None:
        async with working(worker(client, "anything"), stops_within=5):
            await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="no-such-namespace"):
        await work()
