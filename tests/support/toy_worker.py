"""`python -m tests.support.toy_worker <task queue> <toy's address>`: the real worker, with the toy as its provider."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack

import structlog

import telemetry
import worker
from settings import Settings
from temporal.connection import connect
from tests.support import toy


async def main(task_queue: str, url: str) -> None:
    settings = Settings.load()
    telemetry.configure("toy-worker", settings.log_level, settings.secrets())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with AsyncExitStack() as stack:
        running = await worker.build(settings, await connect(), stack, task_queue=task_queue, load=toy.loader(url))
        async with running:
            structlog.get_logger("babychain.worker").info("worker_started", task_queue=task_queue)
            await stop.wait()


if __name__ == "__main__":
    worker.run(main(*sys.argv[1:]))
