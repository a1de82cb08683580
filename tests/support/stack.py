"""Sandbox, worker and API of one test, wired to each other over real HTTP as in a deployment."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client, WorkflowFailureError

import api.main
import providers
from domain.plan import ChainPlan
from domain.runs import RunStatus, Snapshot
from sandbox.config import Config
from settings import Settings
from tests.support.runs import Bench, running_worker, test_settings
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.serving import free_port, serving


@dataclass(frozen=True)
class Stack:
    bench: Bench
    sandbox: Sandbox
    settings: Settings

    async def finish(self, plan: ChainPlan) -> Snapshot:
        """The run's last word, however it ended."""
        handle = await self.bench.start(plan)
        with suppress(WorkflowFailureError):
            await handle.result()
        return await self.bench.snapshot(plan.run_id)

    async def succeed(self, plan: ChainPlan) -> Snapshot:
        snapshot = await self.finish(plan)
        assert snapshot.status is RunStatus.SUCCEEDED, snapshot.error
        return snapshot

    async def failure_code(self, plan: ChainPlan) -> str:
        snapshot = await self.finish(plan)
        if snapshot.error is None:
            pytest.fail("the run succeeded")
        return snapshot.error.code


@asynccontextmanager
async def running_stack(
    client: Client,
    folder: Path,
    *,
    config: Config = QUICK,
    sandbox_url: str | None = None,
    told: Mapping[str, str] = {},
    **more: Any,
) -> AsyncIterator[Stack]:
    """`sandbox_url` puts providers elsewhere than where the sandbox listens, `told` single ones: it is what adapters
    find in their environment.
    """
    port = free_port()
    async with running_sandbox(config) as url, httpx.AsyncClient(trust_env=False, timeout=30) as http:
        values: dict[str, Any] = {"public_url": f"http://127.0.0.1:{port}", "shutdown_grace": 1.0} | more
        settings = test_settings(folder, sandbox_url=sandbox_url or url, **values)
        async with _deployed(client, settings, port, told) as bench:
            yield Stack(bench, Sandbox(url, http), settings)


@asynccontextmanager
async def running_babysea_stack(
    client: Client, folder: Path, *, config: Config = QUICK, base_url: str | None = None
) -> AsyncIterator[Stack]:
    """A deployment in BabySea mode, to which its account's webhook leads. `base_url` puts BabySea elsewhere."""
    port, secret = free_port(), "whsec_of_this_stack"
    ours = f"http://127.0.0.1:{port}"
    async with running_sandbox(config) as url, httpx.AsyncClient(trust_env=False, timeout=30) as http:
        trusted = [url, url.replace("127.0.0.1", "localhost"), ours, *([base_url] if base_url else [])]
        settings = test_settings(
            folder,
            provider_mode="babysea",
            public_url=ours,
            trusted_origins=",".join(trusted),
            shutdown_grace=1.0,
        )
        hook = [{"url": f"{ours}/api/webhooks/babysea", "secret": secret}]
        (await http.put(f"{url}/babysea/dashboard/webhooks", json=hook)).raise_for_status()
        told = {
            "BABYSEA_API_KEY": "sandbox-babysea",
            "BABYSEA_API_BASE_URL": f"{base_url or url}/babysea",
            "BABYSEA_WEBHOOK_SECRET": secret,
        }
        async with _deployed(client, settings, port, told) as bench:
            yield Stack(bench, Sandbox(url, http), settings)


@asynccontextmanager
async def _deployed(client: Client, settings: Settings, port: int, told: Mapping[str, str]) -> AsyncIterator[Bench]:
    queue = f"test-{uuid4()}"

    def load(env: Mapping[str, str], http: httpx.AsyncClient) -> providers.Loaded:
        return providers.load({**env, **told}, http)

    application = api.main.build(settings, client, task_queue=queue, load=load)
    async with (
        running_worker(client, settings, load=load, task_queue=queue) as bench,
        serving(application, port=port),
    ):
        yield bench
