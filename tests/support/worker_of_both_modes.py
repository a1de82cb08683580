"""`python -m tests.support.worker_of_both_modes`: the real worker in sandbox mode, with BabySea's adapter beside."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack

import httpx
import structlog

import providers
import telemetry
import worker
from settings import Settings
from temporal.connection import connect


async def main() -> None:
    settings = Settings.load()
    telemetry.configure("worker", settings.log_level, settings.secrets())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    babysea = {"BABYSEA_API_KEY": "sandbox-babysea", "BABYSEA_API_BASE_URL": f"{settings.sandbox_url}/babysea"}

    def load(env: Mapping[str, str], http: httpx.AsyncClient) -> providers.Loaded:
        return providers.load({**env, **babysea}, http)

    async with AsyncExitStack() as stack, await worker.build(settings, await connect(), stack, load=load):
        structlog.get_logger("babychain.worker").info("worker_started")
        await stop.wait()


if __name__ == "__main__":
    worker.run(main())
