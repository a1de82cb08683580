"""The whole service as callers meet it: API over real HTTP, worker, sandbox providers, and a receiver of callbacks."""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from temporalio.client import Client

from api.main import build
from sandbox.config import Config
from settings import Settings
from storage.database import upgrade
from temporal.connection import connect_options
from tests.support.receiver import Call, Receiver
from tests.support.runs import SECRETS, Bench, running_worker, test_settings
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.serving import free_port, serving
from tests.support.waiting import eventually

Json = dict[str, Any]

KEY: str = SECRETS["api_key"]
OTHER_KEY = "other_bchn_test_0123456789"
ENDED = ("succeeded", "failed", "canceled")


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@dataclass(frozen=True)
class Service:
    api: httpx.AsyncClient
    """Sends the key of the caller whose runs these are."""
    other: httpx.AsyncClient
    """Another caller."""
    anyone: httpx.AsyncClient
    """Sends no key."""
    sandbox: Sandbox
    receiver: Receiver
    hook: str
    """An address of the receiver, trusted by the service."""
    client: Client
    settings: Settings
    task_queue: str
    key: str

    def worker(self) -> AbstractAsyncContextManager[Bench]:
        return running_worker(self.client, self.settings, task_queue=self.task_queue)

    async def create(self, slug: str, body: Json, key: str | None = None) -> Json:
        headers = {} if key is None else {"idempotency-key": key}
        answer = await self.api.post(f"/api/v1/chains/{slug}/runs", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        run: Json = answer.json()
        return run

    async def get(self, run_id: str) -> Json:
        answer = await self.api.get(f"/api/v1/chains/get/{run_id}")
        assert answer.status_code == 200, answer.text
        run: Json = answer.json()
        return run

    async def cancel(self, run_id: str) -> Json:
        answer = await self.api.post(f"/api/v1/chains/cancel/{run_id}")
        assert answer.status_code == 200, answer.text
        run: Json = answer.json()
        return run

    async def ended(self, run_id: str) -> Json:
        return await eventually(lambda: self.get(run_id), lambda run: run["status"] in ENDED, longest=90.0)

    async def succeeded(self, run_id: str) -> Json:
        run = await self.ended(run_id)
        assert run["status"] == "succeeded", run
        return run

    async def callbacks(self, run_id: str, count: int = 1) -> list[Call]:
        """The callbacks of one run, once there are so many."""

        async def arrived() -> list[Call]:
            return [call for call in self.receiver.calls if json.loads(call.body)["id"] == run_id]

        return await eventually(arrived, lambda calls: len(calls) >= count)

    async def submits(self, *, prompt: str) -> list[Json]:
        """The paid starts whose prompt holds these words."""
        rows = await self.sandbox.jobs()
        return [row for row in rows if row["operation"] == "submit" and prompt in json.dumps(row["body"])]


@asynccontextmanager
async def running_service(
    client: Client, folder: Path, *, worker: bool = True, config: Config = QUICK, key: str = KEY, **more: Any
) -> AsyncIterator[Service]:
    """`more` are settings. Without a worker, `Service.worker()` brings one later.

    A caller sees all its runs of this Temporal, but only this service's files: who shows lists takes a key of its own.
    """
    port, queue = free_port(), f"test-{uuid4()}"
    receiver = Receiver()
    traced = Client(**client.config() | {"interceptors": connect_options()["interceptors"]})
    async with AsyncExitStack() as stack:
        hooks = await stack.enter_async_context(serving(receiver.app()))
        sandbox = await stack.enter_async_context(running_sandbox(config))
        values: dict[str, Any] = {
            "api_key": f"{key},{OTHER_KEY}",
            "public_url": f"http://127.0.0.1:{port}",
            "sandbox_url": sandbox,
            "trusted_origins": hooks,
            "shutdown_grace": 1.0,
        }
        settings = test_settings(folder, **values | more)
        await upgrade(settings.archive_url)
        url = await stack.enter_async_context(serving(build(settings, traced, task_queue=queue), port=port))
        api, other, anyone = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=head, timeout=30, trust_env=False))
            for head in (bearer(key), bearer(OTHER_KEY), {})
        ]
        service = Service(
            api, other, anyone, Sandbox(sandbox, anyone), receiver, f"{hooks}/hook", traced, settings, queue, key
        )
        if worker:
            await stack.enter_async_context(service.worker())
        yield service


def path_of(url: str) -> str:
    """What of an address of ours the test's own client asks for."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
