"""One service for the tests of a process: each brings runs, keys and prompts of its own."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.support.service import Service, running_service


@pytest.fixture(scope="session")
async def service(temporal: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """API, worker, sandbox and callback receiver. Who tells the sandbox to fail takes a service of their own."""
    async with running_service(temporal, tmp_path_factory.mktemp("service")) as running:
        yield running
