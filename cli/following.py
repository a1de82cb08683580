"""Stay with a run until it ends, and show how it goes."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console

from babychain_client import AsyncBabyChain, Event, RunState, WaitTimeout
from cli.progress import progress
from cli.showing import show_line

Hear = Callable[[Event], None]


async def watched(client: AsyncBabyChain, run_id: str, *, timeout: float | None, as_json: bool) -> RunState:  # noqa: ASYNC109
    """The run at its end. Each change is drawn, or printed as one line of JSON."""
    if as_json:
        return await _followed(
            client, run_id, timeout, lambda event: show_line({"event": event.kind, "data": event.data})
        )
    with progress(Console(highlight=False)) as shown:
        seen: dict[str, Any] = {}

        def draw(event: Event) -> None:
            # What a run waits for is told apart from its states, and holds until the next one.
            seen.update(event.data if event.kind != "end" else {})
            if event.kind == "run":
                seen.pop("waiting_on", None)
            if "steps" in seen:
                shown.update(dict(seen))

        return await _followed(client, run_id, timeout, draw)


async def _followed(client: AsyncBabyChain, run_id: str, longest: float | None, hear: Hear) -> RunState:
    try:
        async with asyncio.timeout(longest):
            async for event in client.stream(run_id):
                hear(event)
    except TimeoutError:
        raise WaitTimeout(await client.state(run_id), longest or 0.0) from None
    return await client.state(run_id)


async def telling(work: Coroutine[Any, Any, int]) -> int:
    """Do it. Whoever breaks it off is told which run goes on, or may have been started."""
    try:
        return await work
    except asyncio.CancelledError as error:
        for note in getattr(error, "__notes__", ()):
            print(f"babychain: {note}", file=sys.stderr)
        raise
