"""What commands answer: JSON for scripts, tables and the run's picture for people."""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, validators
from rich.console import Console
from rich.table import Table

from babychain_client import Money, RunState
from cli.failures import Misused
from cli.progress import chain_picture, step_rows

Flag = Annotated[bool, Parameter(negative="", show_default=False)]
AsJson = Annotated[bool, Parameter(name="--json", negative="", show_default=False)]
Folder = Annotated[Path | None, Parameter(validator=validators.Path(file_okay=False))]
Seconds = Annotated[float | None, Parameter(validator=validators.Number(gt=0))]


def _is_key(_: Any, key: str | None) -> None:
    if key is not None and not re.fullmatch("[A-Za-z0-9_.:-]{1,255}", key):
        raise ValueError("a key is 1 to 255 characters of A-Z, a-z, 0-9 and _ . : -")


OnceKey = Annotated[str | None, Parameter(validator=_is_key)]
"""An idempotency key, as the API takes it: also an empty one, as of a variable that is not set, is a mistake."""

_WIDTH = 240
"""Whole lines, however narrow the window is: an id that is cut short can't be handed to the next command."""


class Screen(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the process inside whatever task was printing; `main` ends it in order."""
        raise BrokenPipeError


def made(folder: Path | None) -> None:
    """A folder for files, made before anything is started that they would come of."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misused(f"--download: {folder} can't be made: {error.strerror}.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Misused(f"--download: nothing may be written to {folder}.")


def console(*, stderr: bool = False) -> Console:
    return Screen(stderr=stderr, highlight=False, soft_wrap=True)


def show_json(answer: Any) -> None:
    print(json.dumps(answer, indent=2, ensure_ascii=False))


def show_line(answer: Any) -> None:
    """One object of a stream of them."""
    print(json.dumps(answer, ensure_ascii=False), flush=True)


def _wide(*, markup: bool) -> Console:
    screen = Screen(highlight=False, markup=markup)
    screen.width = max(screen.width, _WIDTH)
    return screen


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    _wide(markup=False).print(table)


def moment(told: str | None) -> str:
    """By the clock on the wall, to the second."""
    return "" if told is None else datetime.fromisoformat(told).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def show_end(state: RunState, files: Sequence[Path] = (), *, as_json: bool, streamed: bool = False) -> None:
    """The run as a command leaves it; after a stream of JSON lines as one more of them."""
    if not as_json:
        show_run(state, files, drawn=streamed and console().is_terminal)
        return
    told = state.data | ({"files": [str(file) for file in files]} if files else {})
    if streamed:
        show_line({"event": "ended", "data": told})
    else:
        show_json(told)


def show_run(state: RunState, files: Sequence[Path] = (), *, drawn: bool = False) -> None:
    """`drawn` says that its picture stands above already."""
    said = console()
    said.print(f"Run {state.id} of {state.chain}: [bold]{state.status}[/]{_cost(state)}")
    if not drawn:
        events = state.data.get("timeline", ())
        took = {one["step_key"]: one["duration_ms"] / 1000 for one in events if "duration_ms" in one}
        said.print(chain_picture(state.data))
        _wide(markup=True).print(step_rows(state.data, took))
    if state.error:
        said.print(f"  {state.error.message} ({state.error.code})", markup=False)
        for advice in _advice(state.error.guidance):
            said.print(f"  → {advice}", markup=False)
    if state.waiting_on:
        said.print(f"  {state.waiting_on}", markup=False)
    for place in map(str, files) if files else (url for step in state.steps for url in step.outputs):
        said.print(f"  {place}", markup=False)


def _cost(state: RunState) -> str:
    spent = state.data.get("cost", {}).get("useful")
    return f", {Money.read(spent)}" if spent else f", {state.estimate} estimated" if state.estimate else ""


def _advice(guidance: Mapping[str, Any]) -> list[str]:
    advice = guidance.get("what_to_try_next", [])
    return [str(one) for one in advice] if isinstance(advice, list) else [str(advice)]
