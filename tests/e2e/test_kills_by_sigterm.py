"""A worker that is asked to stop comes to an end with what it has begun."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx

from domain.runs import RunStatus
from storage.database import upgrade
from temporal.names import TASK_QUEUE
from tests.support.orders import order
from tests.support.processes import running_worker_process
from tests.support.runs import Bench
from tests.support.runs import test_settings as settings_of
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.temporal_server import running_temporal
from tests.support.waiting import eventually

SEEDREAM = "bytedance/seedream-4.5"


async def test_sigterm_under_load_finishes_what_is_being_paid_and_loses_no_run(tmp_path: Path) -> None:
    config = replace(QUICK, picture_seconds=1.5)
    async with (
        # A server of this test alone: a deployed worker listens on the one task queue there is.
        running_temporal() as server,
        running_sandbox(config) as sandbox_url,
        httpx.AsyncClient(trust_env=False, timeout=30) as http,
    ):
        settings = settings_of(tmp_path, sandbox_url=sandbox_url, shutdown_grace=20.0)
        await upgrade(settings.archive_url)
        sandbox, bench, address = (
            Sandbox(sandbox_url, http),
            Bench(server, TASK_QUEUE),
            server.service_client.config.target_host,
        )
        plans = [order(SEEDREAM) for _ in range(30)]
        async with running_worker_process(settings, address) as first:
            handles = [await bench.start(plan) for plan in plans[:15]]
            await eventually(sandbox.paid_starts, lambda started: started == 15)
            handles += [await bench.start(plan) for plan in plans[15:]]
            first.terminate()
            assert await first.ended(within=20) == 0, "\n".join(first.lines[-40:])
        async with running_worker_process(settings, address):
            outcomes = await asyncio.gather(*(handle.result() for handle in handles))
        assert {outcome.status for outcome in outcomes} == {RunStatus.SUCCEEDED}
        assert await sandbox.paid_starts() == 30
        assert len(await sandbox.jobs()) == 30
        for plan in plans:
            assert len((await bench.step(plan.run_id)).attempts) == 1
