"""A worker of this test alone, and runs started straight at the server, without the API."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle

import worker
from domain.plan import ChainPlan
from domain.runs import RunOutcome, Snapshot, StepState, first_snapshot
from settings import Settings
from storage.database import upgrade
from temporal.stopping import working

SECRETS: dict[str, Any] = {
    "secret": "test-secret-0123456789abcdef",
    "api_key": "bchn_test_0123456789",
    "callback_secret": "callback_test_secret",
    "cron_secret": "cron_test_secret",
}

UNLIMITED: dict[str, Any] = {"rate_limit_per_minute": 1_000_000, "read_limit_per_minute": 1_000_000}
"""A suite asks more in a minute than a caller may."""


def test_settings(folder: Path, **more: Any) -> Settings:
    """Settings that no environment variable reaches."""
    values: dict[str, Any] = SECRETS | UNLIMITED | {"data_dir": folder, "provider_mode": "sandbox"} | more
    return Settings.model_validate(values)


@dataclass(frozen=True)
class Bench:
    """Where a test starts runs."""

    client: Client
    task_queue: str

    async def start(self, plan: ChainPlan) -> WorkflowHandle[Any, RunOutcome]:
        snapshot = first_snapshot(tuple(step.key for step in plan.steps), plan.created_at)
        handle: WorkflowHandle[Any, RunOutcome] = await self.client.start_workflow(
            plan.template,
            plan,
            id=plan.run_id,
            task_queue=self.task_queue,
            memo={"snapshot": snapshot, "fingerprint": {}, "v": snapshot.v},
            result_type=RunOutcome,
        )
        return handle

    async def snapshot(self, run_id: str) -> Snapshot:
        description = await self.client.get_workflow_handle(run_id).describe()
        found: Snapshot = await description.memo_value("snapshot", type_hint=Snapshot)
        return found

    async def step(self, run_id: str, index: int = 0) -> StepState:
        return (await self.snapshot(run_id)).steps[index]


@asynccontextmanager
async def running_worker(
    client: Client, settings: Settings, *, load: worker.Load | None = None, task_queue: str | None = None
) -> AsyncIterator[Bench]:
    queue = task_queue or f"test-{uuid4()}"
    await upgrade(settings.archive_url)
    async with AsyncExitStack() as stack:
        more: dict[str, Any] = {} if load is None else {"load": load}
        built = await worker.build(settings, client, stack, task_queue=queue, **more)
        async with working(built, stops_within=settings.shutdown_grace + worker.STOPPING):
            yield Bench(client, queue)
