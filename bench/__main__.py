"""`python -m bench`: measure, print, leave nothing behind. `--where` shows instead where the time of a run goes."""

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from bench import measure, report, where
from bench.receiver import receiving
from bench.report import HistorySize
from bench.stack import LATENCY, Stack, stack
from cli.failures import CommandFailed
from cli.signals import run
from temporal.names import after_run_id

_SINGLE_RUNS = 40
_ROUNDS, _RUNS_PER_ROUND, _IN_FLIGHT = 3, 50, 20
_CALLS = 200
_TRACED_RUNS = 15
_LONGEST = 240


async def bench(console: Console, *, shows_where: bool) -> int:
    console.print(f"{report.machine()}; jobs of {LATENCY * 1e3:.0f} ms")
    with tempfile.TemporaryDirectory(prefix="babychain-bench-") as folder:
        try:
            async with asyncio.timeout(_LONGEST), receiving() as receiver, stack(Path(folder), receiver) as running:
                await (_trace(console, running) if shows_where else _measure(console, running))
        except TimeoutError:
            raise CommandFailed(f"This machine is too busy: the bench was not done after {_LONGEST} s.") from None
    return 0


async def _measure(console: Console, running: Stack) -> None:
    async with AsyncExitStack() as resources:
        workers = {
            system.name: await resources.enter_async_context(running.worker(system))
            for system in (running.ours, running.floor)
        }
        times = await measure.one_at_a_time(running, _SINGLE_RUNS)
        report.print_overhead(console, times)
        found = await measure.bursts(running, workers, _ROUNDS, _RUNS_PER_ROUND, _IN_FLIGHT)
        report.print_bursts(console, found, _IN_FLIGHT)
    # Without workers nothing but the API and the server moves.
    report.print_calls(console, await _api_calls(running, times["ours"][-1].run_id))
    report.print_histories(console, await _histories(running, times["ours"][-1].run_id, times["floor"][-1].run_id))


async def _api_calls(running: Stack, run_id: str) -> dict[str, list[float]]:
    nobody = "http://127.0.0.1:9/"
    path = f"/api/v1/chains/get/{run_id}"
    trusted = running.receiver.url + "/never"
    return {
        "create": await measure.calls(lambda: measure.create(running.ours, trusted), _CALLS),
        "get": await measure.calls(lambda: running.ours.http.get(path), _CALLS),
        "create at the floor": await measure.calls(lambda: measure.create(running.floor, nobody), _CALLS),
    }


async def _histories(running: Stack, ours: str, floor: str) -> list[HistorySize]:
    named = {"ours: the run": ours, "ours: its after-run": after_run_id(ours), "floor": floor}
    sizes = []
    for name, workflow_id in named.items():
        events = (await running.client.get_workflow_handle(workflow_id).fetch_history()).events
        sizes.append(HistorySize(name, len(events), sum(event.ByteSize() for event in events)))
    return sizes


async def _trace(console: Console, running: Stack) -> None:
    async with running.worker(running.ours), running.worker(running.floor):
        times = await measure.one_at_a_time(running, _TRACED_RUNS)
    for name, runs in times.items():
        stretches = [await where.stretches_of(running.client, run, has_after_run=name == "ours") for run in runs]
        report.print_where(console, name, stretches, where.by_kind(stretches))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--where", action="store_true", help="show where the time of a run goes")
    options = parser.parse_args()
    try:
        sys.exit(run(bench(Console(), shows_where=options.where)))
    except CommandFailed as error:
        for line in error.details:
            print(f"  {line}", file=sys.stderr)
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
