"""Runs a sandbox on its two ports, inside a test's event loop as well as alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from socket import socket
from urllib.parse import urlsplit

import uvicorn

from sandbox.app import create_app
from sandbox.config import Config
from sandbox.connections import Connection, SecondPort, bound_socket

_STOP_SECONDS = 1  # answers under way, such as a `hang`, get no longer than this


class _Server(uvicorn.Server):
    """uvicorn as a guest: signals belong to whoever runs the loop, and someone waits to hear that it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Config]:
    """A sandbox that answers for as long as the block lasts. Yields its configuration, with real ports for 0."""
    listening = bound_socket(_listen_on(config.host), config.port)
    second_port = SecondPort(_listen_on(config.host), config.fault_port)
    port = listening.getsockname()[1]
    config = replace(config, url=f"{urlsplit(config.url).scheme}://{config.host}:{port}", second_port=second_port.port)
    app = create_app(config)
    app.state.second_port = second_port
    server = _Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="on",
            access_log=False,
            log_level="critical",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            backlog=2048,
            timeout_keep_alive=75,  # as the load balancers before the real ones have it
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await server.ready.wait()
        yield config
    finally:
        server.should_exit = True
        await serving
        second_port.close()


async def serve(config: Config) -> None:
    """Runs until cancelled."""
    async with running(config):
        await asyncio.Event().wait()


def _listen_on(host: str) -> str:
    """Listens on a given address; a name other than `localhost` is ours in some network, so on every interface."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        return "0.0.0.0"  # noqa: S104 - in a container the network decides who can reach it
