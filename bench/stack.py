"""Everything that runs while we measure: one Temporal server, one sandbox, and two systems that share them."""

import asyncio
import os
import random
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from temporalio.client import Client

from api.examples import CREATE_EXAMPLE
from bench.floor.workflow import TASK_QUEUE as FLOOR_QUEUE
from bench.processes import Program, running
from bench.receiver import Receiver
from cli.failures import CommandFailed
from cli.local_temporal import find_temporal, server_part, wait_until_serving
from cli.serve import part_command
from storage.database import upgrade
from temporal.connection import DATA_CONVERTER, register_search_attributes
from temporal.names import TASK_QUEUE

LATENCY = 0.05
"""Seconds that each of the sandbox's jobs takes: short, so that what is not the job stands out."""

_API_KEY = "bchn_bench_0123456789"
_READY_SECONDS = 60.0

# Below the range that systems hand out to outgoing connections: one of those may take a port before its program has it.
_PORTS = range(15_000, 30_000)


@dataclass(frozen=True)
class System:
    """One of the two that are compared. `body` lacks only the callback's address."""

    name: str
    http: httpx.AsyncClient
    create_path: str
    task_queue: str
    api: Program
    worker_command: Sequence[str]
    env: dict[str, str]


@dataclass(frozen=True)
class Stack:
    folder: Path
    client: Client
    receiver: Receiver
    sandbox_http: httpx.AsyncClient
    temporal: Program
    sandbox: Program
    ours: System
    floor: System

    @asynccontextmanager
    async def worker(self, system: System) -> AsyncIterator[Program]:
        """The system's worker, polling, for as long as the block lasts."""
        name = f"{system.name}-worker"
        async with running(name, system.worker_command, system.env, self.folder) as program:
            yield program


def create_body(callback_url: str) -> dict[str, object]:
    return {**CREATE_EXAMPLE, "webhook_url": callback_url}


@asynccontextmanager
async def stack(folder: Path, receiver: Receiver) -> AsyncIterator[Stack]:
    """Both systems with their APIs serving; their workers are the measurements' to start."""
    temporal_port, our_port, floor_port, sandbox_port, _ = _free_ports()
    env = _environment(folder, f"127.0.0.1:{temporal_port}", our_port, floor_port, sandbox_port, receiver.url)
    async with AsyncExitStack() as resources:
        sandbox = await resources.enter_async_context(running("sandbox", part_command("sandbox"), env, folder))
        temporal, client = await _temporal(resources, folder, temporal_port, env)
        await upgrade(f"sqlite+aiosqlite:///{folder / 'data' / 'babychain.db'}")
        ours = await _ours(resources, folder, our_port, env)
        floor = await _floor(resources, folder, floor_port, env)
        sandbox_http = await resources.enter_async_context(_client(sandbox_port))
        await _wait_for(sandbox_http, "/_sandbox/health", sandbox)
        await _wait_for(ours.http, "/healthz", ours.api)
        await _wait_for(floor.http, "/readyz", floor.api)
        yield Stack(
            folder=folder,
            client=client,
            receiver=receiver,
            sandbox_http=sandbox_http,
            temporal=temporal,
            sandbox=sandbox,
            ours=ours,
            floor=floor,
        )


async def _temporal(resources: AsyncExitStack, folder: Path, port: int, env: dict[str, str]) -> tuple[Program, Client]:
    address = f"127.0.0.1:{port}"
    server = server_part(await asyncio.to_thread(find_temporal), port=port, db=folder / "temporal.db")
    program = await resources.enter_async_context(running("temporal", server.command, {**env, **server.env}, folder))
    await wait_until_serving(await Client.connect(address, lazy=True), address)
    client = await Client.connect(address, data_converter=DATA_CONVERTER)
    await register_search_attributes(client)
    return program, client


async def _ours(resources: AsyncExitStack, folder: Path, port: int, env: dict[str, str]) -> System:
    return System(
        name="ours",
        http=await resources.enter_async_context(_client(port)),
        create_path="/api/v1/chains/chain1/runs",
        task_queue=TASK_QUEUE,
        api=await resources.enter_async_context(running("ours-api", part_command("api", port=port), env, folder)),
        worker_command=part_command("worker"),
        env=env,
    )


async def _floor(resources: AsyncExitStack, folder: Path, port: int, env: dict[str, str]) -> System:
    command = [word.replace("api.main:", "bench.floor.api:") for word in part_command("api", port=port)]
    return System(
        name="floor",
        http=await resources.enter_async_context(_client(port)),
        create_path="/runs",
        task_queue=FLOOR_QUEUE,
        api=await resources.enter_async_context(running("floor-api", command, env, folder)),
        worker_command=[sys.executable, "-m", "bench.floor.worker"],
        env=env,
    )


def _environment(
    folder: Path, temporal: str, our_port: int, floor_port: int, sandbox_port: int, receiver: str
) -> dict[str, str]:
    """Nothing of the caller's own settings: a bench must not start paid jobs, nor find another server."""
    # Without cached bytecode the workflow sandbox would compile its modules again for every run.
    left_out = ("BABYCHAIN_", "TEMPORAL_", "OTEL_", "REDIS_", "PYTHONDONTWRITEBYTECODE")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return inherited | {
        "TEMPORAL_ADDRESS": temporal,
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "BABYCHAIN_SECRET": "bench-secret-0123456789abcdef",
        "BABYCHAIN_API_KEY": _API_KEY,
        "BABYCHAIN_CALLBACK_SECRET": "bench-callback-secret",
        "BABYCHAIN_PROVIDER_MODE": "sandbox",
        "BABYCHAIN_PUBLIC_URL": f"http://127.0.0.1:{our_port}",
        "BABYCHAIN_TRUSTED_ORIGINS": receiver,
        "BABYCHAIN_DATA_DIR": str(folder / "data"),
        "BABYCHAIN_SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
        "BABYCHAIN_SANDBOX_LATENCY": str(LATENCY),
        "BABYCHAIN_SANDBOX_MEDIA": "tiny",
        "BABYCHAIN_SANDBOX_LIMITS": "off",
        "BABYCHAIN_PROVIDER_LIMITS": "bfl=1000",
        "BABYCHAIN_RATE_LIMIT_PER_MINUTE": "1000000",
        "BABYCHAIN_READ_LIMIT_PER_MINUTE": "1000000",
        "FLOOR_URL": f"http://127.0.0.1:{floor_port}",
    }


def _client(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"authorization": f"Bearer {_API_KEY}"},
        timeout=30.0,
        trust_env=False,
    )


async def _wait_for(http: httpx.AsyncClient, path: str, program: Program) -> None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await _answers(http, path):
                program.check_alive()
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise CommandFailed(f"{program.name} did not answer within {_READY_SECONDS:.0f} s.") from None


async def _answers(http: httpx.AsyncClient, path: str) -> bool:
    try:
        return (await http.get(path)).is_success
    except httpx.TransportError:
        return False


def _free_ports() -> list[int]:
    """Five in a row; the last is the sandbox's too, which also listens on the port after its own."""
    with ExitStack() as held:
        while True:
            first = random.choice(_PORTS)  # noqa: S311 - only to be elsewhere than another bench
            with suppress(OSError):
                return [_hold(held, first + number) for number in range(5)]


def _hold(held: ExitStack, port: int) -> int:
    probe = held.enter_context(socket.socket())
    probe.bind(("127.0.0.1", port))
    return port
