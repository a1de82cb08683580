"""Child processes kept together: their lines are shown, the death of one is noticed, all are stopped in order.

Nothing is restarted by itself: a part that dies in development has something to say.
"""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from cli.failures import CommandFailed

T = TypeVar("T")
Show = Callable[[str, str], None]
"""Takes a part's name and one of its lines."""

_LONGEST_LINE = 1024 * 1024
_TAIL = 20


@dataclass(frozen=True)
class Part:
    name: str
    command: Sequence[str]
    folder: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    """Beside this process's own."""


class PartEnded(CommandFailed):
    """A part ended although nobody stopped it."""


@dataclass
class _Running:
    part: Part
    process: asyncio.subprocess.Process
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL))
    stopping: bool = False
    restarted: bool = False
    watching: asyncio.Task[None] | None = None


class Parts:
    """`async with Parts(show) as parts`: whatever happens inside, nothing runs any more when the block has ended."""

    def __init__(self, show: Show, *, grace: float = 10.0) -> None:
        self._show = show
        self._grace = grace
        self._running: dict[str, _Running] = {}
        self._death: asyncio.Future[PartEnded] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        # In reverse: the worker must still reach Temporal to say goodbye.
        for running in reversed(self._running.values()):
            await self._stop(running)

    async def start(self, part: Part) -> None:
        """Start it with this process's environment, in a process group of its own: Ctrl-C reaches only us, and we
        stop the parts in order."""
        self._running[part.name] = await self._launch(part)

    async def restart(self, name: str) -> None:
        """For a reload. A part that was reloaded may fail over a half-written file, and gets another chance."""
        old = self._running[name]
        await self._stop(old)
        self._running[name] = await self._launch(old.part, restarted=True)

    async def beside(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, or raise `PartEnded` as soon as a part dies."""
        task = asyncio.ensure_future(work)
        try:
            waited: set[asyncio.Future[Any]] = {task, self._death}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self._death.done():
                raise self._death.result()
            return task.result()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task

    async def _launch(self, part: Part, *, restarted: bool = False) -> _Running:
        process = await asyncio.create_subprocess_exec(
            *part.command,
            cwd=part.folder,
            env=os.environ | part.env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=_LONGEST_LINE,
        )
        running = _Running(part, process, restarted=restarted)
        running.watching = asyncio.create_task(self._watch(running))
        return running

    async def _watch(self, running: _Running) -> None:
        await self._read_lines(running)
        code = await running.process.wait()
        if running.stopping:
            return
        name = running.part.name
        if running.restarted:
            self._show(name, f"{_how_it_ended(code)}; it starts again with the next change of a file")
        elif not self._death.done():
            self._death.set_result(PartEnded(f"{name} {_how_it_ended(code)}.", tuple(running.tail)))

    async def _read_lines(self, running: _Running) -> None:
        lines = running.process.stdout
        assert lines is not None  # noqa: S101 - it was asked for as a pipe
        while True:
            try:
                raw = await lines.readline()
            except ValueError:
                raw = b"(a line too long to show)\n"
            if not raw:
                return
            line = raw.decode(errors="replace").rstrip()
            running.tail.append(line)
            self._show(running.part.name, line)

    async def _stop(self, running: _Running) -> None:
        running.stopping = True
        process = running.process
        with suppress(ProcessLookupError):
            # The part alone is asked: it knows best how to end its own children.
            process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                await process.wait()
        # Whoever is left of its group has had its time.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if running.watching:
            await running.watching


def _how_it_ended(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
