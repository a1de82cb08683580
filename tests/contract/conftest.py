"""Adapters talk to the sandbox here, over real HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from net.client import provider_client
from net.origins import TrustedOrigins
from tests.support.emptied_sandbox import http, receiver, sandbox, sandbox_url

__all__ = ["http", "receiver", "sandbox", "sandbox_url"]


@pytest.fixture(scope="session")
async def worker_http(sandbox_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The guarded client that a worker gives its adapters."""
    origins = f"{sandbox_url},{sandbox_url.replace('127.0.0.1', 'localhost')}"
    async with provider_client(TrustedOrigins.parse(origins)) as client:
        yield client
