"""`python -m bench.overload`: what becomes of creates when ten times as many clients ask as are served best."""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from bench import report
from bench.receiver import receiving
from bench.stack import Stack, create_body, stack
from cli.failures import CommandFailed
from cli.signals import run

_SECONDS = 8.0
_ROUNDS = 3
_FEW, _MANY = 8, 80
_LONGEST = 300


@dataclass
class Load:
    """What some clients got, who ask again as soon as they are answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    accepted: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def goodput(self) -> float:
        return self.statuses[202] / self.seconds

    @property
    def p99(self) -> float:
        return sorted(self.accepted)[int(len(self.accepted) * 0.99)] * 1000 if self.accepted else 0.0


async def bench(console: Console) -> int:
    console.print(report.machine())
    with tempfile.TemporaryDirectory(prefix="babychain-bench-") as folder:
        try:
            async with asyncio.timeout(_LONGEST), receiving() as receiver, stack(Path(folder), receiver) as running:
                loads = await measure(running)
        except TimeoutError:
            raise CommandFailed(f"This machine is too busy: the bench was not done after {_LONGEST} s.") from None
    _print(console, loads)
    return 0


async def measure(running: Stack) -> dict[int, Load]:
    """No worker runs: this is about the API. The two loads take turns."""
    loads = {clients: Load() for clients in (_FEW, _MANY)}
    body = create_body(running.receiver.url + "/never")
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    headers = running.ours.http.headers
    async with httpx.AsyncClient(
        base_url=running.ours.http.base_url, headers=headers, limits=limits, timeout=30, trust_env=False
    ) as http:
        for _ in range(_ROUNDS):
            for clients, load in loads.items():
                began = time.monotonic()
                await asyncio.gather(*(_ask(http, running.ours.create_path, body, load, began) for _ in range(clients)))
                load.seconds += time.monotonic() - began
    return loads


async def _ask(http: httpx.AsyncClient, path: str, body: dict[str, object], load: Load, began: float) -> None:
    while time.monotonic() - began < _SECONDS:
        sent = time.monotonic()
        answer = await http.post(path, json=body)
        load.statuses[answer.status_code] += 1
        if answer.status_code == 202:
            load.accepted.append(time.monotonic() - sent)


def _print(console: Console, loads: dict[int, Load]) -> None:
    best = max(load.goodput for load in loads.values())
    table = Table(title="Creates by clients who ask again at once", title_justify="left")
    for name in ("clients", "accepted a second", "of the best", "p99 of accepted, ms", "refused (503)", "other"):
        table.add_column(name, justify="right")
    for clients, load in loads.items():
        refused = load.statuses[503]
        other = load.statuses.total() - load.statuses[202] - refused
        share = f"{load.goodput / best:.0%}"
        table.add_row(str(clients), f"{load.goodput:.0f}", share, f"{load.p99:.0f}", str(refused), str(other))
    console.print(table)


if __name__ == "__main__":
    try:
        sys.exit(run(bench(Console())))
    except CommandFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)
