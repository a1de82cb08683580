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
    table = _table(f"One run at a time: create sent → callback received, without the jobs ({len(ours)} runs each)")
    table.add_row("p50, ms", *_compared(median(ours) * 1e3, median(floor) * 1e3))
    table.add_row("p95, ms", *_compared(p95(ours) * 1e3, p95(floor) * 1e3))
    console.print(table)


def print_bursts(console: Console, found: dict[str, Burst], in_flight: int) -> None:
    ours, floor = found["ours"], found["floor"]
    table = _table(f"{in_flight} runs in flight ({ours.runs} runs each)")
    table.add_row("runs per second", *_compared(ours.runs / ours.seconds, floor.runs / floor.seconds))
    if ours.cpu and floor.cpu:
        table.add_row("CPU ms per run: API + worker", *_compared(_cpu(ours, *_OURS), _cpu(floor, *_OURS)))
        for program, shown in _PROGRAMS.items():
            table.add_row(f"  {shown}", *_compared(_cpu(ours, program), _cpu(floor, program)))
    console.print(table)


def print_calls(console: Console, calls: dict[str, list[float]]) -> None:
    count = min(map(len, calls.values()))
    table = Table(
        "", "p50, ms", "p95, ms", title=f"The API alone, one call at a time ({count} each)", title_justify="left"
    )
    for name, seconds in calls.items():
        table.add_row(name, f"{median(seconds) * 1e3:.1f}", f"{p95(seconds) * 1e3:.1f}")
    console.print(table)


def print_histories(console: Console, sizes: Sequence[HistorySize]) -> None:
    table = Table("", "events", "bytes", title="History of a two-step run", title_justify="left")
    for size in sizes:
        table.add_row(size.name, str(size.events), f"{size.bytes:,}")
    console.print(table)


def print_where(console: Console, name: str, runs: list[list[Stretch]], spent: Sequence[Spent]) -> None:
    table = Table(
        "", "since the last, ms", "since create, ms", title=f"{name}: one run, moment by moment", title_justify="left"
    )
    typical = sorted(runs, key=lambda run: run[-1].since_start)[len(runs) // 2]
    for stretch in typical:
        table.add_row(stretch.what, f"{stretch.seconds * 1e3:.1f}", f"{stretch.since_start * 1e3:.1f}")
    console.print(table)
    total = sum(one.seconds for one in spent)
    table = Table(
        "", "times", "ms per run", "share", title=f"{name}: by kind, median of {len(runs)} runs", title_justify="left"
    )
    for one in spent:
        table.add_row(one.kind, f"{one.times:g}", f"{one.seconds * 1e3:.1f}", f"{one.seconds / total:.0%}")
    console.print(table)


def p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1]


def _table(title: str) -> Table:
    table = Table("", title=title, title_justify="left")
    for column in ("ours", "floor", "ours / floor"):
        table.add_column(column, justify="right")
    return table


def _compared(ours: float, floor: float) -> tuple[str, str, str]:
    return f"{ours:.1f}", f"{floor:.1f}", f"{ours / floor:.2f}" if floor else "–"


def _cpu(burst: Burst, *programs: str) -> float:
    return sum(burst.cpu[program] for program in programs) / burst.runs * 1e3
