"""A sandbox for a test: on free loopback ports, quick, and with media that cost nothing unless asked otherwise."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sandbox.config import Config
from sandbox.server import running

QUICK = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=0.05, video_seconds=0.05, media="tiny")


@asynccontextmanager
async def running_sandbox(config: Config = QUICK) -> AsyncIterator[str]:
    """Yields the sandbox's address; providers' base URLs are `<address>/<provider>`."""
    async with running(config) as resolved:
        yield resolved.url
