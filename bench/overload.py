"""`python -m bench.overload`: what becomes of creates when ten times as many are sent as can be taken."""

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import report
from bench.receiver import receiving
from bench.stack import Stack, create_body, stack
from cli.failures import CommandFailed
from cli.signals import run

_SECONDS = 8.0
_ROUNDS = 3
_TIMES = 10
_EAGER = 8
"""Clients who ask again as soon as they are answered: as many as are served best."""
_PACED = 160
"""Clients who send at a fixed rate: some wait for their answer, and the others must keep the rate."""
_LONGEST = 300


@dataclass
class Load:
    clients: int
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def offered(self) -> float:
        return self.statuses.total() / self.seconds

    @property
    def goodput(self) -> float:
        return self.statuses[202] / self.seconds

    @property
    def p99(self) -> float:
        return sorted(self.accepted)[int(len(self.accepted) * 0.99)] * 1000 if self.accepted else 0.0


@dataclass(frozen=True)
class Line:
    """One connection with one request, written once: a real client's library takes more CPU than the API's answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: bytes

    async def ask(self) -> int:
        self.writer.write(self.request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await self.reader.readexactly(int(length))
        return int(head[9:12])


async def bench(console: Console) -> int:
    console.print(report.machine())
    with tempfile.TemporaryDirectory(prefix="babychain-bench-") as folder:
        try:
            async with asyncio.timeout(_LONGEST), receiving() as receiver, stack(Path(folder), receiver) as running:
                loads = await measure(running)
        except TimeoutError:
            raise CommandFailed(f"This machine is too busy: the bench was not done after {_LONGEST} s.") from None
    _print(console, *loads)
    return 0


async def measure(running: Stack) -> tuple[Load, Load]:
    """No worker runs: this is about the API. The two loads take turns."""
    best, much = Load(_EAGER), Load(_PACED)
    for _ in range(_ROUNDS):
        await _put_on(best, running, pause=0.0)
        await _put_on(much, running, pause=_PACED / (_TIMES * best.goodput))
    return best, much


async def _put_on(load: Load, running: Stack, pause: float) -> None:
    began = time.monotonic()
    await asyncio.gather(*(_client(load, running, began, pause, n / load.clients) for n in range(load.clients)))
    load.seconds += time.monotonic() - began


async def _client(load: Load, running: Stack, began: float, pause: float, place: float) -> None:
    due = began + pause * place
    async with _line(running) as line:
        while (sent := time.monotonic()) < began + _SECONDS:
            if sent < due:
                await asyncio.sleep(due - sent)
                sent = time.monotonic()
            # What an answer kept from being sent in time is not sent in a burst after it.
            due = max(due, sent - pause) + pause
            status = await line.ask()
            load.statuses[status] += 1
            if status == 202:
                load.accepted.append(time.monotonic() - sent)


@asynccontextmanager
async def _line(running: Stack) -> AsyncIterator[Line]:
    url, headers = running.ours.http.base_url, running.ours.http.headers
    body = json.dumps(create_body(running.receiver.url + "/never"))
    head = (
        f"POST {running.ours.create_path} HTTP/1.1",
        f"host: {url.host}:{url.port}",
        f"authorization: {headers['authorization']}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    )
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        yield Line(reader, writer, "\r\n".join([*head, "", body]).encode())
    finally:
        writer.close()


def _print(console: Console, best: Load, much: Load) -> None:
    table = Table(title=f"Creates, and creates when {_TIMES} times as many are sent", title_justify="left")
    for name in (
        "clients",
        "sent a second",
        "accepted",
        "of the best",
        "p99 of accepted, ms",
        "refused (503)",
        "other",
    ):
        table.add_column(name, justify="right")
    for load in (best, much):
        refused = load.statuses[503]
        other = load.statuses.total() - load.statuses[202] - refused
        table.add_row(
            str(load.clients),
            f"{load.offered:.0f}",
            f"{load.goodput:.0f}",
            f"{load.goodput / best.goodput:.0%}",
            f"{load.p99:.0f}",
            str(refused),
            str(other),
        )
    console.print(table)


if __name__ == "__main__":
    try:
        sys.exit(run(bench(Console())))
    except CommandFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)
