"""Decoding a stranger's file in a process of its own.

It has no keys in its environment, hard limits on memory and time, and when it dies nothing else does.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_ROOT = Path(__file__).parent.parent


async def decode(module: str, *arguments: str, file: BinaryIO, answer: BinaryIO, seconds: float) -> bool:
    """Whether `python -m module` says that it wrote its answer. Raises TimeoutError.

    Files, not pipes: a pipe can be held open for ever.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments,
        stdin=file, stdout=answer, stderr=asyncio.subprocess.DEVNULL,
        cwd=_ROOT, env={}, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            return await process.wait() == 0
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):  # it ended just now
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
