"""The tables that are printed. Nothing is judged here: machines differ, ratios less so."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

from bench.measure import Burst, RunTimes
from bench.where import Spent, Stretch

_PROGRAMS = {
    "api": "API",
    "worker": "worker",
    "temporal": "Temporal server, beside it",
    "sandbox": "sandbox, beside it",
}
_OURS = ("api", "worker")


@dataclass(frozen=True)
class HistorySize:
    name: str
    events: int
    bytes: int


def machine() -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    python = f"Python {platform.python_version()}"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {python}, load {load}"


def print_overhead(console: Console, times: dict[str, list[RunTimes]]) -> None:
    ours, floor = ([run.overhead for run in times[name]] for name in ("ours", "floor"))
    table = _compare()
    table.add_row("p50, ms", *_compared(median(ours) * 1e3, median(floor) * 1e3))
    table.add_row("p95, ms", *_compared(p95(ours) * 1e3, p95(floor) * 1e3))
    _print(console, f"One run at a time: create sent → callback received, without the jobs ({len(ours)} each)", table)


def print_bursts(console: Console, found: dict[str, Burst], in_flight: int) -> None:
    ours, floor = found["ours"], found["floor"]
    table = _compare()
    table.add_row("runs per second", *_compared(ours.runs / ours.seconds, floor.runs / floor.seconds))
    if ours.cpu and floor.cpu:
        table.add_row("CPU ms per run: API + worker", *_compared(_cpu(ours, *_OURS), _cpu(floor, *_OURS)))
        for program, shown in _PROGRAMS.items():
            table.add_row(f"  {shown}", *_compared(_cpu(ours, program), _cpu(floor, program)))
    _print(console, f"{in_flight} runs in flight ({ours.runs} each)", table)


def print_calls(console: Console, calls: dict[str, list[float]]) -> None:
    table = _table("p50, ms", "p95, ms")
    for name, seconds in calls.items():
        table.add_row(name, _ms(median(seconds)), _ms(p95(seconds)))
    _print(console, f"The API alone, one call at a time ({min(map(len, calls.values()))} each)", table)


def print_histories(console: Console, sizes: Sequence[HistorySize]) -> None:
    table = _table("events", "bytes")
    for size in sizes:
        table.add_row(size.name, str(size.events), f"{size.bytes:,}")
    _print(console, "History of a two-step run", table)


def print_where(console: Console, name: str, runs: list[list[Stretch]], spent: Sequence[Spent]) -> None:
    moments = _table("since the last, ms", "since create, ms")
    typical = sorted(runs, key=lambda run: run[-1].since_start)[len(runs) // 2]
    for stretch in typical:
        moments.add_row(stretch.what, _ms(stretch.seconds), _ms(stretch.since_start))
    _print(console, f"{name}: one run, moment by moment", moments)
    kinds = _table("times", "ms per run", "share")
    total = sum(one.seconds for one in spent)
    for one in spent:
        kinds.add_row(one.kind, f"{one.times:g}", _ms(one.seconds), f"{one.seconds / total:.0%}")
    _print(console, f"{name}: by kind, median of {len(runs)} runs", kinds)


def p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1]


def _print(console: Console, title: str, table: Table) -> None:
    # A table's own title would be wrapped to the width of its columns.
    console.print(f"\n[bold]{title}[/bold]")
    console.print(table)


def _table(*columns: str) -> Table:
    table = Table("")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _compare() -> Table:
    return _table("ours", "floor", "ours / floor")


def _compared(ours: float, floor: float) -> tuple[str, str, str]:
    return f"{ours:.1f}", f"{floor:.1f}", f"{ours / floor:.2f}" if floor else "–"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f}"


def _cpu(burst: Burst, *programs: str) -> float:
    return sum(burst.cpu[program] for program in programs) / burst.runs * 1e3
