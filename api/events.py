"""A run's events for those who listen: each state it has had, then each new one as it comes, then its end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi.sse import ServerSentEvent
from temporalio.client import Client
from temporalio.service import RPCError

from api.listing import list_row
from api.waiting import Outlook
from domain.errors import Fault, LimitError, RequestError
from temporal.following import Change, follow
from temporal.reading import RunReader, StoredRun

log = structlog.get_logger("babychain.api")

Json = dict[str, Any]

END = "end"
"""The id of the last event: who names it as the last one seen has seen all."""

_MOST_STREAMS = 20
_RECONNECT = 1_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
"""Seconds before a look at what the run waits for, which mostly leaves no event: soon after a change, then later."""


@dataclass
class Listeners:
    """How many of a caller's requests sit and listen, in this process."""

    most: int = _MOST_STREAMS
    _now: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def one_more(self, caller: str) -> Iterator[None]:
        if self._now[caller] >= self.most:
            raise LimitError(
                f"{self.most} of your requests are listening already; close one, or read the run instead.",
                code="too_many_listeners",
                retry_after=5.0,
            )
        self._now[caller] += 1
        try:
            yield
        finally:
            self._now[caller] -= 1


def last_seen(header: str | None) -> int | None:
    """The history event that a listener saw last; None for who has seen the end."""
    text = (header or "0").strip()
    if text == END:
        return None
    if not text.isdecimal() or len(text) > 18:
        fault = Fault(("Last-Event-ID",), f"must be the id of an event of this run: a number, or {END!r}")
        raise RequestError("Last-Event-ID cannot be read.", faults=[fault])
    return int(text)


@dataclass(frozen=True)
class Events:
    client: Client
    reader: RunReader
    outlook: Outlook
    asset_url: Callable[[str], str]

    async def of(self, run: StoredRun, seen: int | None) -> AsyncIterator[ServerSentEvent]:
        """Nothing for who has seen the end."""
        if seen is None:
            return
        yield ServerSentEvent(retry=_RECONNECT)
        if run.facts is None:
            # Temporal has forgotten the run: its last state is what is left of its history.
            yield ServerSentEvent(event="run", data=list_row(run, self.asset_url))
            yield _end(run)
            return
        try:
            async for event in self._from_history(run, seen):
                yield event
        except RPCError as error:
            # The answer has begun, so this can only end it. Who listens comes again, with the last id it has seen.
            log.warning("events_broke_off", run_id=run.plan.run_id, status=error.status.name)

    async def _from_history(self, run: StoredRun, seen: int) -> AsyncIterator[ServerSentEvent]:
        shown: Json = {}
        pause = _FIRST_PAUSE
        async with aclosing(follow(self.client, run.plan.run_id)) as changes, _reading_ahead(changes) as ahead:
            while True:
                change = await ahead.next(within=pause)
                if change is None:
                    outlook = await self._outlook(run.plan.run_id)
                    if outlook and outlook != shown:
                        yield ServerSentEvent(event="waiting", data={"id": run.plan.run_id} | outlook)
                    shown, pause = outlook, min(pause * 2, _LONGEST_PAUSE)
                    continue
                pause = _FIRST_PAUSE
                now = StoredRun(run.plan, change.snapshot, {})
                if change.id > seen:
                    yield ServerSentEvent(id=str(change.id), event="run", data=list_row(now, self.asset_url))
                if change.snapshot.status.ended:
                    yield _end(now)
                    return

    async def _outlook(self, run_id: str) -> Json:
        run = await self.reader.read(run_id)
        return {} if run is None else await self.outlook.of(run)


def _end(run: StoredRun) -> ServerSentEvent:
    return ServerSentEvent(id=END, event=END, data={"id": run.plan.run_id, "status": str(run.snapshot.status)})


class _Ahead:
    """The next change, or none within a time: the question for it goes on meanwhile."""

    def __init__(self, changes: AsyncIterator[Change]) -> None:
        self._changes = changes
        self._asked: asyncio.Task[Change] | None = None

    async def next(self, *, within: float) -> Change | None:
        if self._asked is None:
            self._asked = asyncio.create_task(_first(self._changes))
        done, _ = await asyncio.wait({self._asked}, timeout=within)
        if not done:
            return None
        asked, self._asked = self._asked, None
        return asked.result()

    async def close(self) -> None:
        if self._asked is not None:
            self._asked.cancel()
            await asyncio.wait({self._asked})


@asynccontextmanager
async def _reading_ahead(changes: AsyncIterator[Change]) -> AsyncIterator[_Ahead]:
    ahead = _Ahead(changes)
    try:
        yield ahead
    finally:
        await ahead.close()


async def _first(changes: AsyncIterator[Change]) -> Change:
    return await anext(changes)
