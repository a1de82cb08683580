"""Stay with a run until it ends, and show how it goes."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from babychain_client import AsyncBabyChain, AsyncRun, Event, RunState, WaitTimeout
from cli.failures import Exit, Misused, exit_of_run
from cli.progress import progress
from cli.session import connect_async
from cli.showing import Flag, Folder, Screen, Seconds, console, made, show_end, show_json, show_line

Hear = Callable[[Event], None]
Start = Callable[[AsyncBabyChain], Awaitable[AsyncRun]]


async def watched(client: AsyncBabyChain, run_id: str, *, timeout: float | None, as_json: bool) -> RunState:  # noqa: ASYNC109
    """The run at its end. Each change is drawn, or printed as one line of JSON."""
    if as_json:
        return await _followed(
            client, run_id, timeout, lambda event: show_line({"event": event.kind, "data": event.data})
        )
    with progress(Screen(highlight=False)) as shown:
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
        async with asyncio.timeout(longest), aclosing(client.stream(run_id)) as events:
            async for event in events:
                hear(event)
    except TimeoutError:
        raise WaitTimeout(await client.state(run_id), longest or 0.0) from None
    return await client.state(run_id)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Staying:
    """Whether and how to stay with a run that was started."""

    watch: Annotated[Flag, Parameter(alias="-w")] = False
    """Draw how it goes until it ends."""
    wait: Flag = False
    """Say nothing until it ends."""
    timeout: Seconds = None
    """Seconds to stay with it at most. The run goes on after that."""
    download: Annotated[Folder, Parameter(alias="-d")] = None
    """A folder for all files that it makes; waits for the end."""

    @property
    def stays(self) -> bool:
        return self.watch or self.wait or self.download is not None

    def prepare(self) -> None:
        """What is wrong is said before anything is started."""
        if self.timeout is not None and not self.stays:
            raise Misused("--timeout goes with --watch, --wait or --download.")
        made(self.download)


async def begin(start: Start, staying: Staying, *, as_json: bool) -> int:
    """Start a run, and stay with it as long as was asked for."""
    async with connect_async() as client:
        run = await start(client)
        if staying.stays:
            if not as_json:
                console().print(f"Run {run.id} of {run.state.chain}", markup=False)
            return await _stay(client, run.id, staying, as_json=as_json)
    if as_json:
        show_json(run.state.data)
    else:
        # The id alone, so that a script can take it.
        print(run.id)
    return Exit.DONE


async def _stay(client: AsyncBabyChain, run_id: str, staying: Staying, *, as_json: bool) -> int:
    if staying.watch:
        ended = await watched(client, run_id, timeout=staying.timeout, as_json=as_json)
    else:
        ended = await client.wait(run_id, staying.timeout)
    # What a failed run has made is fetched too: it was paid for.
    files = await client.download(ended, staying.download) if staying.download else []
    show_end(ended, files, as_json=as_json, streamed=staying.watch)
    return exit_of_run(ended)


async def telling(work: Coroutine[Any, Any, int]) -> int:
    """Do it. Whoever breaks it off is told which run goes on, or may have been started."""
    try:
        return await work
    except asyncio.CancelledError as error:
        for note in getattr(error, "__notes__", ()):
            print(f"babychain: {note}", file=sys.stderr)
        raise
