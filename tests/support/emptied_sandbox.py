"""Fixtures of the tests that talk to a sandbox: one for all, emptied before each, and a receiver of its webhooks."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.receiver import Receiver, receiving
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import running_sandbox


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
async def sandbox_url() -> AsyncIterator[str]:
    async with running_sandbox() as url:
        yield url


@pytest.fixture
async def sandbox(sandbox_url: str, http: httpx.AsyncClient) -> Sandbox:
    await http.put(f"{sandbox_url}/_sandbox/faults", json=[])
    await http.delete(f"{sandbox_url}/_sandbox/jobs")
    return Sandbox(sandbox_url, http)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running
