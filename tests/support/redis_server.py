"""A real Redis of one test, which it can stop, freeze and start again."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.support.serving import free_port
from tests.support.waiting import eventually


@dataclass
class RedisServer:
    port: int
    folder: Path
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        quiet = asyncio.subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec("redis-server", *options, stdout=quiet, stderr=quiet)
        await eventually(self._answers, bool)

    async def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            await self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """It goes on taking connections, and answers none."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    async def spoil(self) -> None:
        """Every key there is becomes something else than a window."""
        async with Redis.from_url(self.url) as client:
            for key in await client.keys("*"):
                await client.set(key, "no window")

    async def _answers(self) -> bool:
        try:
            async with Redis.from_url(self.url) as client:
                await client.ping()
        except (RedisError, OSError):
            return False
        return True


@asynccontextmanager
async def running_redis(folder: Path) -> AsyncIterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("needs Redis: apt-get install redis-server")
    server = RedisServer(free_port(), folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
