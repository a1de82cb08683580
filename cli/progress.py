"""Show a run while it goes: a small live table in a terminal, one line per change elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

Run = dict[str, Any]

_LOOKS = {
    "queued": ("○", "dim"),
    "running": ("◐", "cyan"),
    "succeeded": ("●", "green"),
    "failed": ("✗", "red"),
    "canceled": ("✗", "yellow"),
    "skipped": ("–", "dim"),
}


class Progress(Protocol):
    def update(self, run: Run) -> None: ...


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            yield _LiveTable(live)
    else:
        yield _Lines(console)


class _Clock:
    """How long each step has been running, by our own watch."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self._began: dict[str, float] = {}
        self._took: dict[str, float] = {}

    def seconds(self, step: Run) -> float | None:
        key, now = step["step_key"], time.monotonic()
        if step["status"] == "running":
            return now - self._began.setdefault(key, now)
        if key in self._began:
            return self._took.setdefault(key, now - self._began[key])
        return None


class _LiveTable:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._clock = _Clock()

    def update(self, run: Run) -> None:
        table = Table.grid(padding=(0, 2))
        for index, step in enumerate(run["steps"]):
            mark, style = _LOOKS[step["status"]]
            seconds = self._clock.seconds(step)
            table.add_row(
                f"  [{style}]{'└' if index else ' '} {mark}[/]",
                step["step_key"],
                f"[dim]{step['model_identifier']}[/]",
                f"[{style}]{step['status']}[/]",
                "" if seconds is None else f"{seconds:5.1f} s",
            )
        table.add_row("", "[bold]run[/]", "", run["status"], f"{time.monotonic() - self._clock.start:5.1f} s")
        self._live.update(table, refresh=True)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._clock = _Clock()
        self._said: dict[str, str] = {}

    def update(self, run: Run) -> None:
        for step in run["steps"]:
            key, status = step["step_key"], step["status"]
            if self._said.get(key, "queued") != status:
                elapsed = time.monotonic() - self._clock.start
                self._console.print(f"  {elapsed:5.1f} s  {key} ({step['model_identifier']}): {status}")
            self._said[key] = status
