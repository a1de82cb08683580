"""Let time pass on the time-skipping server. By itself it skips only while a run's own result() is awaited."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest
from temporalio.client import Client


@asynccontextmanager
async def time_passing(client: Client) -> AsyncIterator[None]:
    await client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
    try:
        yield
    finally:
        await client.test_service.lock_time_skipping(LockTimeSkippingRequest())
