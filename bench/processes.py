"""The programs that are measured: each its own process, with its log in a file and its CPU time on record.

`cli.processes` shows lines as they come; here reading them would cost the process that holds the clock.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cli.failures import CommandFailed

_ROOT = Path(__file__).resolve().parent.parent
_GRACE = 10.0
_TAIL = 20


@dataclass(frozen=True)
class Program:
    name: str
    process: asyncio.subprocess.Process
    log: Path

    def check_alive(self) -> None:
        if (code := self.process.returncode) is not None:
            lines = self.log.read_text(errors="replace").splitlines()
            raise CommandFailed(f"{self.name} ended with exit code {code}.", tuple(lines[-_TAIL:]))

    def cpu_seconds(self) -> float | None:
        """User and system time so far; None on systems without /proc."""
        try:
            text = Path(f"/proc/{self.process.pid}/stat").read_text()
        except OSError:
            return None
        # The name in parentheses may hold anything, so we count from behind it.
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def running(name: str, command: Sequence[str], env: Mapping[str, str], folder: Path) -> AsyncIterator[Program]:
    """The program runs for as long as the block lasts."""
    log = folder / f"{name}.log"
    with log.open("wb") as lines:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=_ROOT, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=lines, stderr=lines
        )
    try:
        yield Program(name, process, log)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_GRACE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
