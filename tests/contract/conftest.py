"""The sandbox that every adapter talks to here, over real HTTP, emptied before each test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.contract.adapters import Control
from tests.support.sandbox_server import running_sandbox
from tests.support.webhook_receiver import Receiver, webhook_receiver


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
async def sandbox_url() -> AsyncIterator[str]:
    async with running_sandbox() as url:
        yield url


@pytest.fixture
async def sandbox(sandbox_url: str, http: httpx.AsyncClient) -> Control:
    await http.put(f"{sandbox_url}/_sandbox/faults", json=[])
    await http.delete(f"{sandbox_url}/_sandbox/jobs")
    return Control(sandbox_url, http)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as running:
        yield running
