"""Run a command so that Ctrl-C and SIGTERM let it put everything away first."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(work: Coroutine[Any, Any, int], *, interrupted: int | None = None) -> int:
    """Answers the exit code: the work's own; after a signal `interrupted`, or else 128 + the signal's number."""
    return asyncio.run(_run(work, interrupted))


async def _run(work: Coroutine[Any, Any, int], interrupted: int | None) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    came: list[int] = []
    # `nohup` ignores SIGHUP so that the command outlives its terminal.
    heeded = [
        number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP
    ]

    def stop(number: int) -> None:
        # A second signal must not cut off the stopping, which has its own limit.
        if not came:
            task.cancel()
        came.append(number)

    for number in heeded:
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not came:
            raise
        return 128 + came[0] if interrupted is None else interrupted
