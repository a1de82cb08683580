"""A program of ours as a child process, which a test can kill, freeze and stop, and whose lines it can read."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from settings import Settings
from tests.support.runs import SECRETS
from tests.support.waiting import eventually

ROOT = Path(__file__).parent.parent.parent
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG")


@dataclass
class Program:
    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """kill -9: no signal handler runs, no connection is closed in order."""
        self.process.send_signal(signal.SIGKILL)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self, *, within: float = 30.0) -> int:
        """Its exit code; minus the signal's number when it was killed."""
        async with asyncio.timeout(within):
            return await self.process.wait()

    async def says(self, text: str, *, within: float = 60.0) -> None:
        async def said() -> str:
            return "\n".join(self.lines)

        await eventually(said, lambda lines: text in lines, longest=within)

    async def read_lines(self) -> None:
        lines = self.process.stdout
        assert lines is not None
        while line := await lines.readline():
            self.lines.append(line.decode(errors="replace").rstrip())


@asynccontextmanager
async def running_program(*arguments: str, env: Mapping[str, str]) -> AsyncIterator[Program]:
    """`python -m <arguments>` with nothing of this process's environment but what finds programs and files."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=ROOT,
        env={name: os.environ[name] for name in _KEPT if name in os.environ} | dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=1024 * 1024,
    )
    program = Program(process)
    reading = asyncio.create_task(program.read_lines())
    try:
        yield program
    finally:
        if process.returncode is None:
            program.kill()
        await process.wait()
        await reading


@asynccontextmanager
async def running_worker_process(settings: Settings, address: str, *arguments: str) -> AsyncIterator[Program]:
    """The worker as it is deployed, or another program that runs one; ready when the block begins."""
    async with running_program(*(arguments or ("worker",)), env=_environment(settings, address)) as program:
        await program.says("worker_started")
        yield program


def _environment(settings: Settings, address: str) -> dict[str, str]:
    plain = settings.model_dump(exclude=set(SECRETS), exclude_none=True)
    return {
        "TEMPORAL_ADDRESS": address,
        **{f"BABYCHAIN_{name.upper()}": str(value) for name, value in (SECRETS | plain).items()},
    }
