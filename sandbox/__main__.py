"""`python -m sandbox`: serve until SIGTERM or Ctrl-C."""

import asyncio
import os
import signal
import sys

import uvicorn

from sandbox.config import from_environment
from sandbox.server import running


async def main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(from_environment(os.environ)) as config:
        sys.stderr.write(f"sandbox: {config.url} ({config.media} media)\n")
        await stop.wait()


if __name__ == "__main__":
    # uvicorn's own choice of event loop: uvloop where there is one.
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(main())
