"""The worker is killed (-9) while runs are at every named point of a step: what became of each, and what was paid."""

import asyncio
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

import api.main
from domain.plan import ChainPlan
from domain.runs import RunStatus
from storage.database import upgrade
from temporal.names import TASK_QUEUE
from tests.support import killed_runs as points
from tests.support.processes import running_worker_process
from tests.support.runs import Bench
from tests.support.runs import test_settings as settings_of
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.serving import free_port, serving
from tests.support.waiting import eventually

AT_ONCE = 4
"""Runs at each point when the worker is killed: more would not all be under way at once in one worker."""

POINTS = {
    points.PREPARING: "C: before the request is written",
    points.LOST_FLUX: "B, by its webhook: sent, not answered",
    points.LOST_SEEDANCE: "B, by its list: sent, not answered",
    points.LOST_SEEDREAM: "C: sent, not answered",
    points.RECORDED: "B: answered, waiting for the webhook",
    points.WATCHED: "B: answered, being watched",
    points.COLLECTED: "B: done, being downloaded",
    points.COLLECTED_AT_ONCE: "C: done, being downloaded",
    points.LOST_KEYED: "A, by its key: sent, not answered",
    points.WATCHED_KEYED: "A: answered, being watched",
    points.COLLECTED_KEYED: "A: done, being downloaded",
}
RIGHT = {points.LOST_SEEDREAM: "start_outcome_unknown"}
"""What is in doubt and can't be found is not paid again; everything else succeeds."""


async def show(console: Console, client: Client, folder: Path, *, kills: int) -> bool:
    ended: dict[str, Counter[str]] = defaultdict(Counter)
    paid: Counter[str] = Counter()
    rounds, left = 0, kills
    while left > 0:
        count = min(AT_ONCE, left)
        await _round(client, folder / f"kills-{rounds}", count, ended, paid)
        rounds, left = rounds + 1, left - count
    return _shown(console, kills, ended, paid)


def _shown(console: Console, kills: int, ended: dict[str, Counter[str]], paid: Counter[str]) -> bool:
    table = Table("class and point", "runs", "ended", "paid starts", title=f"{kills} runs killed at each point")
    good = True
    for model, point in POINTS.items():
        outcomes = ended[model]
        good &= set(outcomes) == {RIGHT.get(model, "succeeded")} and paid[model] == kills
        said = ", ".join(f"{count}× {outcome}" for outcome, count in outcomes.items())
        table.add_row(point, str(outcomes.total()), said, str(paid[model]))
    console.print(table)
    return good


async def _round(client: Client, folder: Path, count: int, ended: dict[str, Counter[str]], paid: Counter[str]) -> None:
    """One kill, with `count` runs at each point."""
    port, host = free_port(), points.PictureHost()
    async with AsyncExitStack() as stack:
        sandbox_url = await stack.enter_async_context(running_sandbox(QUICK))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        host_url = await stack.enter_async_context(serving(host.app()))
        settings = settings_of(
            folder, sandbox_url=sandbox_url, public_url=f"http://127.0.0.1:{port}", trusted_origins=host_url
        )
        await upgrade(settings.archive_url)
        await stack.enter_async_context(serving(api.main.build(settings, client), port=port))
        sandbox, bench = Sandbox(sandbox_url, http), Bench(client, TASK_QUEUE)
        await sandbox.put_faults(*(rule | {"count": rule.get("count", 1) * count} for rule in points.FAULTS))
        plans = {model: [points.plan_for(model, host_url) for _ in range(count)] for model in POINTS}
        async with running_worker_process(settings, points.address_of(client), *points.WORKER) as first:
            handles = [await bench.start(plan) for several in plans.values() for plan in several]
            await _all_there(bench, sandbox, host, plans, count)
            first.kill()
            await first.ended()
        host.gives = True
        await sandbox.put_faults()
        async with running_worker_process(settings, points.address_of(client), *points.WORKER):
            await asyncio.gather(*(points.ended(handle) for handle in handles))
        for model, several in plans.items():
            for plan in several:
                snapshot = await bench.snapshot(plan.run_id)
                good = snapshot.status is RunStatus.SUCCEEDED
                ended[model]["succeeded" if good else snapshot.error.code if snapshot.error else "hanging"] += 1
        for row in await sandbox.jobs():
            model = next((name for name in POINTS if points.raw(name) == row["model"]), "")
            paid[model] += row["operation"] == "submit" and row["job_id"] is not None


async def _all_there(
    bench: Bench, sandbox: Sandbox, host: points.PictureHost, plans: dict[str, list[ChainPlan]], count: int
) -> None:
    async def look() -> dict[str, int]:
        rows = await sandbox.jobs()

        def having(model: str, is_there: Any) -> int:
            return sum(bool(is_there(row)) for row in rows if row["model"] == points.raw(model))

        recorded = [await bench.step(plan.run_id) for plan in plans[points.RECORDED]]
        watches = {
            model: sum([bool(await points.watch_of(bench, plan)) for plan in plans[model]])
            for model in (points.WATCHED, points.WATCHED_KEYED)
        }
        return {
            points.PREPARING: host.asked,
            points.LOST_FLUX: having(points.LOST_FLUX, lambda row: row["job_id"]),
            points.LOST_SEEDANCE: having(points.LOST_SEEDANCE, lambda row: row["job_id"]),
            points.LOST_SEEDREAM: having(points.LOST_SEEDREAM, lambda row: row["state"] == "succeeded"),
            points.RECORDED: sum(bool(step.attempts and step.attempts[0].job) for step in recorded),
            points.COLLECTED: having(points.COLLECTED, lambda row: row["downloads"]),
            points.COLLECTED_AT_ONCE: having(points.COLLECTED_AT_ONCE, lambda row: row["downloads"]),
            points.LOST_KEYED: having(points.LOST_KEYED, lambda row: row["job_id"]),
            points.COLLECTED_KEYED: having(points.COLLECTED_KEYED, lambda row: row["downloads"]),
            **watches,
        }

    await eventually(look, lambda there: set(there.values()) == {count}, longest=60)
