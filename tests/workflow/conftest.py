"""A toy provider, and a worker on the time-skipping server that talks to it over real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support import toy
from tests.support.receiver import Receiver
from tests.support.runs import Bench, running_worker, test_settings
from tests.support.serving import serving


@dataclass(frozen=True)
class Workshop:
    bench: Bench
    toy: toy.ToyServer
    receiver: Receiver
    receiver_url: str


@pytest.fixture
async def workshop(skipping: WorkflowEnvironment, tmp_path: Path) -> AsyncIterator[Workshop]:
    server, receiver = toy.ToyServer(), Receiver()
    async with serving(server.app()) as toy_url, serving(receiver.app()) as receiver_url:
        settings = test_settings(tmp_path, provider_mode="byok", trusted_origins=f"{toy_url},{receiver_url}")
        async with running_worker(skipping.client, settings, load=toy.loader(toy_url)) as bench:
            yield Workshop(bench, server, receiver, f"{receiver_url}/hook")
