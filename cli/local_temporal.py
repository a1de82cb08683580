"""A Temporal server on this machine, tuned, for development, the demo and tests."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client

from cli.failures import CommandFailed
from cli.ports import Port, check_free
from cli.processes import Part, Parts
from cli.temporal_binary import find_temporal
from temporal.connection import is_serving

__all__ = ["PORT", "TUNING", "UI_PORT", "find_temporal", "local_temporal", "server_part", "wait_until_serving"]

PORT = 7233
UI_PORT = 8233

_DYNAMIC_CONFIG = (
    # The development server has one shard and polls its queues 20 times a second, so that every hop of a run waits
    # for a 50 ms tick. Unthrottled, a two-step run takes a third of the time.
    "history.transferProcessorMaxPollRPS=1000",
    "history.timerProcessorMaxPollRPS=1000",
    "history.visibilityProcessorMaxPollRPS=1000",
    "system.enableActivityEagerExecution=true",
    "frontend.namespaceRPS.visibility=1000",
    # A closed run is deleted once the shard has written down how far it has come: every 30 s by default.
    'history.transferProcessorUpdateAckInterval="1s"',
)
TUNING = tuple(word for value in _DYNAMIC_CONFIG for word in ("--dynamic-config-value", value))


def server_part(
    binary: Path, *, port: int, ui_port: int | None = None, db: Path | None = None, namespace: str = "default"
) -> Part:
    """Without a UI port there is no Web UI; without a file everything is forgotten at the end."""
    page = ["--ui-port", str(ui_port)] if ui_port else ["--headless"]
    command = [str(binary), *_START, "--port", str(port), *page, *_store(db), *_named(namespace)]
    # Left alone it takes every core, and the API gets its turn too late: see `python -m bench.overload`.
    cores = os.environ.get("GOMAXPROCS") or str(max(1, (os.cpu_count() or 1) - 1))
    return Part("temporal", command, env={"GOMAXPROCS": cores})


_START = ("server", "start-dev", "--ip", "127.0.0.1", "--log-level", "error", "--color", "never", *TUNING)


def _store(db: Path | None) -> Sequence[str]:
    if db is None:
        return ()
    # A write-ahead log and one sync per checkpoint: safe against a killed process, and not held up by the disk.
    return ("--db-filename", str(db), "--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal")


def _named(namespace: str) -> Sequence[str]:
    return () if namespace == "default" else ("--namespace", namespace)


@asynccontextmanager
async def local_temporal(port: int, ui_port: int | None = None, db: Path | None = None) -> AsyncIterator[str]:
    """A server that serves for as long as the block lasts. Yields its address."""
    # Otherwise the server that holds the port would answer, and be taken for ours.
    check_free([Port(port, "Temporal", "BABYCHAIN_TEMPORAL_PORT")])
    binary = await asyncio.to_thread(find_temporal)
    address = f"127.0.0.1:{port}"
    async with Parts(lambda name, line: None) as parts:
        await parts.start(server_part(binary, port=port, ui_port=ui_port, db=db))
        await parts.beside(wait_until_serving(await Client.connect(address, lazy=True), address))
        yield address


async def wait_until_serving(client: Client, address: str, *, within: float = 60.0) -> None:
    try:
        async with asyncio.timeout(within):
            while not await is_serving(client):  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise CommandFailed(f"Temporal at {address} did not answer within {within:.0f} s.") from None
