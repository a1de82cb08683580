"""A worker whose stop has an end."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from temporalio.worker import Worker

log = structlog.get_logger("babychain.worker")


@asynccontextmanager
async def working(worker: Worker, *, stops_within: float) -> AsyncIterator[None]:
    """`async with worker`, left `stops_within` seconds after it was told to stop, whatever still runs by then.

    An activity that does not heed its cancellation would hold the worker for ever, and so do races inside the SDK (seen
    once with 1.35; https://github.com/temporalio/sdk-python/pull/1837). Work left behind is the server's to time out.
    """
    await worker.__aenter__()
    try:
        yield
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(stops_within) as patience:
                await worker.__aexit__(*sys.exc_info())
        if patience.expired():
            log.error("worker_stop_overdue", after_seconds=stops_within)
