"""`python -m bench.listing`: what reading runs costs, with an archive of 10,000."""

import asyncio
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter
from rich.console import Console

from bench import measure, report
from bench.receiver import receiving
from bench.stack import Stack, stack
from cli.failures import CommandFailed
from cli.signals import run
from domain.labels import labels_of
from domain.plan import ChainPlan
from domain.runs import RunStatus, Snapshot, first_snapshot
from storage.archive import Archive, ArchivedRun
from storage.database import open_database
from temporal.reading import RunReader

_ARCHIVED, _UNDER_WAY = 10_000, 100
_CALLS = 200
_LONGEST = 300

_PLAN = TypeAdapter(ChainPlan)
_SNAPSHOT = TypeAdapter(Snapshot)


async def bench(console: Console) -> int:
    console.print(report.machine())
    with tempfile.TemporaryDirectory(prefix="babychain-bench-") as folder:
        try:
            async with asyncio.timeout(_LONGEST), receiving() as receiver, stack(Path(folder), receiver) as running:
                report.print_calls(console, await read_calls(running))
        except TimeoutError:
            raise CommandFailed(f"This machine is too busy: the bench was not done after {_LONGEST} s.") from None
    return 0


async def read_calls(running: Stack) -> dict[str, list[float]]:
    """No worker runs, so what was created stays under way."""
    http = running.ours.http
    runs = [await measure.create(running.ours, running.receiver.url + "/never") for _ in range(_UNDER_WAY)]
    await fill(running, await RunReader(running.client).plan(runs[0]), _ARCHIVED)
    url = "/api/v1/chains/runs"
    asked = {
        "get": f"/api/v1/chains/get/{runs[0]}",
        f"list: 20 of {_UNDER_WAY} under way": f"{url}?status=queued",
        f"list: 20 of {_ARCHIVED:,} ended": f"{url}?status=succeeded&status=failed",
        "list: the same by one tag of a hundred": f"{url}?status=succeeded&tag=tag-7",
        "list: the same by a tag on every run": f"{url}?status=succeeded&tag=all",
        "list: 100 of both": f"{url}?limit=100",
    }
    return {name: await measure.calls(lambda path=path: http.get(path), _CALLS) for name, path in asked.items()}  # type: ignore[misc]


async def fill(running: Stack, like: ChainPlan, count: int) -> None:
    """Ended runs with the plan of a real one, one a minute back from yesterday."""
    database = open_database(f"sqlite+aiosqlite:///{running.folder / 'data' / 'babychain.db'}")
    archive = Archive(database)
    newest = datetime.now(UTC) - timedelta(days=1)
    try:
        for number in range(count):
            ended = newest - timedelta(minutes=number)
            metadata = {"tags": ["all", f"tag-{number % 100}"], "order": number}
            plan = replace(like, run_id=str(uuid4()), created_at=ended - timedelta(minutes=1), metadata=metadata)
            first = first_snapshot(tuple(step.key for step in plan.steps), plan.created_at)
            snapshot = replace(first, status=RunStatus.SUCCEEDED, current="completed", ended=ended, updated=ended)
            archived = ArchivedRun(
                run_id=plan.run_id,
                caller=plan.caller,
                template=plan.template,
                status=str(snapshot.status),
                created_at=plan.created_at,
                ended_at=ended,
                plan=_PLAN.dump_json(plan).decode(),
                snapshot=_SNAPSHOT.dump_json(snapshot).decode(),
            )
            await archive.put(archived, (), plan.tags, labels_of(plan, snapshot))
    finally:
        await database.dispose()


if __name__ == "__main__":
    try:
        sys.exit(run(bench(Console())))
    except CommandFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)
