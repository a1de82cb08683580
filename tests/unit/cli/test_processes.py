"""Parts run together and end together."""

import asyncio
import sys
from pathlib import Path

import pytest

from cli.processes import Part, PartEnded, Parts

Lines = list[tuple[str, str]]

PATIENT = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit()))"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
FOR_EVER = "print('up', flush=True)\nwhile True: signal.pause()"


def part(name: str, *code: str) -> Part:
    return Part(name, [sys.executable, "-c", "\n".join(code)])


class Shown:
    """Collects lines, and lets a test wait for one."""

    def __init__(self) -> None:
        self.lines: Lines = []
        self._changed = asyncio.Event()

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._changed.set()

    async def until(self, *wanted: tuple[str, str]) -> None:
        async with asyncio.timeout(20):
            while not set(wanted) <= set(self.lines):
                self._changed.clear()
                await self._changed.wait()


async def test_parts_stop_in_the_reverse_order() -> None:
    shown = Shown()
    async with Parts(shown) as parts:
        await parts.start(part("first", PATIENT, FOR_EVER))
        await parts.start(part("second", PATIENT, FOR_EVER))
        await shown.until(("first", "up"), ("second", "up"))
    assert shown.lines[-2:] == [("second", "bye"), ("first", "bye")]


async def test_a_part_that_does_not_listen_is_killed_with_its_children() -> None:
    # The grandchild holds our end of the pipe open; the block can not end while it lives.
    grandchild = f"{STUBBORN}\n{FOR_EVER}"
    child = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {grandchild!r}])"
    shown = Shown()
    async with asyncio.timeout(20), Parts(shown, grace=0.2) as parts:
        await parts.start(part("stubborn", STUBBORN, child, FOR_EVER))
        await shown.until(("stubborn", "up"))


async def test_a_death_is_named_with_its_reason_and_ends_the_work() -> None:
    async with Parts(Shown()) as parts:
        await parts.start(part("broken", "import sys; print('no such table'); sys.exit(3)"))
        with pytest.raises(PartEnded, match=r"^broken ended with exit code 3\.$") as caught:
            await parts.beside(asyncio.sleep(60))
    assert caught.value.details == ("no such table",)


async def test_a_part_killed_from_outside_says_by_what() -> None:
    async with Parts(Shown()) as parts:
        await parts.start(part("victim", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
        with pytest.raises(PartEnded, match="victim was killed by SIGKILL"):
            await parts.beside(asyncio.sleep(60))


async def test_a_reloaded_part_that_fails_waits_for_the_next_change(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text(f"{PATIENT}\n{FOR_EVER}")
    shown = Shown()
    async with Parts(shown) as parts:
        await parts.start(Part("reloaded", [sys.executable, str(source)]))
        await shown.until(("reloaded", "up"))
        source.write_text("raise SystemExit(1)")
        await parts.restart("reloaded")
        await shown.until(("reloaded", "ended with exit code 1; it starts again with the next change of a file"))
        source.write_text(f"{PATIENT}\nprint('well again', flush=True)\n{FOR_EVER}")
        await parts.restart("reloaded")
        await shown.until(("reloaded", "well again"))


async def test_a_line_too_long_to_show_does_not_end_the_reading() -> None:
    shown = Shown()
    async with Parts(shown) as parts:
        await parts.start(part("loud", "print('x' * 3_000_000)", "import signal", FOR_EVER))
        await shown.until(("loud", "up"))
