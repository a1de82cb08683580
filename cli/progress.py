"""Show a run while it goes: the chain's picture with a bar in a terminal, one line per change elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

Run = dict[str, Any]

_LOOKS = {
    "queued": ("○", "dim"),
    "running": ("◐", "cyan"),
    "succeeded": ("●", "green"),
    "failed": ("✗", "red"),
    "canceled": ("✗", "yellow"),
    "skipped": ("–", "dim"),
}
_WIDE = 80
"""Columns that a row takes with the longest names of steps and models."""

_UNKNOWN = ("?", "dim")
"""Of a status that a newer API has."""

_ENDED = frozenset({"succeeded", "failed", "canceled", "skipped"})


class Progress(Protocol):
    def update(self, run: Run) -> None:
        """`run` as the API shows it; `waiting_on` and `expected` make the bar."""


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    if console.is_terminal:
        table = _LiveTable(console)
        with Live(console=console, get_renderable=table.draw, refresh_per_second=8, transient=False):
            yield table
    else:
        yield _Lines(console)


def chain_picture(run: Run) -> Text:
    """● text_to_image ──▶ ◐ image_to_video"""
    picture = Text("  ")
    for index, step in enumerate(run["steps"]):
        mark, style = _LOOKS.get(step["status"], _UNKNOWN)
        picture.append(" ──▶ " if index else "", "dim").append(f"{mark} {step['step_key']}", style)
    return picture


def step_rows(run: Run, seconds: dict[str, float] | None = None, *, width: int | None = None) -> Table:
    """Without the models where the window is too narrow for whole words."""
    table = Table.grid(padding=(0, 2))
    has_models = width is None or width >= _WIDE
    for step in run["steps"]:
        mark, style = _LOOKS.get(step["status"], _UNKNOWN)
        took = (seconds or {}).get(step["step_key"])
        served = step.get("served_by", {}).get("model") or step["model_identifier"]
        table.add_row(
            f"  [{style}]{mark}[/]",
            step["step_key"],
            *([f"[dim]{served}[/]"] if has_models else []),
            f"[{style}]{step['status']}[/]",
            "" if took is None else f"{took:5.1f} s",
        )
    return table


class _Clock:
    """How long each step has been running, by our own watch."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self._began: dict[str, float] = {}
        self._took: dict[str, float] = {}

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.start

    def seconds(self, run: Run) -> dict[str, float]:
        now = time.monotonic()
        for step in run["steps"]:
            key = step["step_key"]
            if step["status"] == "running":
                self._took[key] = now - self._began.setdefault(key, now)
            elif key in self._began:
                self._took[key] = self._took.get(key) or now - self._began[key]
        return dict(self._took)


class _LiveTable:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._clock = _Clock()
        self._run: Run | None = None
        self._over_at: float | None = None
        """By our watch, if it goes as most do."""

    def update(self, run: Run) -> None:
        self._run = run
        if (expected := run.get("expected")) and self._over_at is None:
            self._over_at = self._clock.elapsed + max(0.1, expected["p50_seconds"])

    def draw(self) -> RenderableType:
        if self._run is None:
            return Text("")
        run = self._run
        bar = Table.grid(padding=(0, 2))
        share = ProgressBar(total=1.0, completed=self._share(run), width=40)
        bar.add_row(" ", share, f"{self._clock.elapsed:5.1f} s", run["status"])
        waiting = run["status"] not in _ENDED and run.get("waiting_on")
        said = Text(f"  {waiting['message']}" if waiting else "", "dim")
        return Group(chain_picture(run), step_rows(run, self._clock.seconds(run), width=self._console.width), bar, said)

    def _share(self, run: Run) -> float:
        """By the time that runs like it take, where that is known; else by the steps that have ended."""
        if run["status"] in _ENDED:
            return 1.0
        done = sum(step["status"] in _ENDED for step in run["steps"]) / len(run["steps"])
        return done if self._over_at is None else max(done, min(0.97, self._clock.elapsed / self._over_at))


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._clock = _Clock()
        self._said: dict[str, str] = {}

    def update(self, run: Run) -> None:
        for step in run["steps"]:
            key, status = step["step_key"], step["status"]
            if self._said.get(key, "queued") != status:
                self._console.print(f"  {self._clock.elapsed:5.1f} s  {key} ({step['model_identifier']}): {status}")
            self._said[key] = status
