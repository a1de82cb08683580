"""Waiting, as callers see it: what a live run waits for, how long it may take, and how long a call may wait."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.request import parse_http_list

import structlog
from fastapi import Request
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import UnavailableError
from domain.pace import Pace, pace_of, total, work_left
from domain.timestamps import micros
from domain.waiting import Facts, WaitingOn, overdue, waiting_on
from storage.ledger import Ledger
from temporal.pollers import is_polled
from temporal.reading import StoredRun

log = structlog.get_logger("babychain.api")

Json = dict[str, Any]
T = TypeVar("T")

LONGEST_WAIT = 60

_SAMPLES = 200
_PACE_KEPT = 60.0
_PACE_WITHIN = 1.0
_POLLED_KEPT = 2.0


def wait_asked(headers: Sequence[str] | None) -> int | None:
    """The seconds of `Prefer: wait=N`, at most LONGEST_WAIT. What cannot be read is no preference (RFC 7240)."""
    for preference in parse_http_list(",".join(headers or ())):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            seconds = value.strip().strip('"')
            # The first one counts.
            return min(int(seconds), LONGEST_WAIT) or None if seconds.isdecimal() and len(seconds) < 10 else None
    return None


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """None when whoever asked has left: then the work is given up."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        working.cancel()
        leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Outlook:
    """`waiting_on` and `expected` of live runs. What it asks for is kept for a moment, for all runs together."""

    def __init__(self, client: Client, ledger: Ledger, task_queue: str) -> None:
        self._client = client
        self._ledger = ledger
        self._task_queue = task_queue
        self._paces: dict[tuple[str, str, str], tuple[float, Pace | None]] = {}
        self._polled = (0.0, True)

    async def of(self, run: StoredRun) -> Json:
        """Nothing once the run has ended."""
        if run.snapshot.status.ended:
            return {}
        facts, now = run.facts or Facts(), datetime.now(UTC)
        polled = await self._is_polled() if overdue(facts, now) is not None else True
        return {
            "waiting_on": _shown(waiting_on(run.plan, run.snapshot, facts, now, polled=polled)),
            "expected": await self._expected(run),
        }

    async def _expected(self, run: StoredRun) -> Json | None:
        """Seconds that the steps which have not ended take, each from its own start."""
        paces = [await self._pace(run.plan.mode, *work) for work in work_left(run.plan, run.snapshot)]
        pace = total(paces)
        return None if pace is None else {"p50_seconds": round(pace.p50, 1), "p90_seconds": round(pace.p90, 1)}

    async def _pace(self, mode: str, provider: str, model: str) -> Pace | None:
        key, now = (mode, provider, model), time.monotonic()
        if key in self._paces and self._paces[key][0] > now:
            return self._paces[key][1]
        pace = None
        try:
            # A live run is read without the database: what this does not say in time stays unknown.
            async with asyncio.timeout(_PACE_WITHIN):
                pace = pace_of(await self._ledger.durations(mode, provider, model, _SAMPLES))
        except (TimeoutError, UnavailableError):
            log.warning("pace_unknown", provider=provider, model=model)
        self._paces[key] = (now + _PACE_KEPT, pace)
        return pace

    async def _is_polled(self) -> bool:
        until, polled = self._polled
        if until <= time.monotonic():
            try:
                polled = await is_polled(self._client, self._task_queue)
            except RPCError as error:
                log.warning("pollers_unknown", status=error.status.name)
            self._polled = (time.monotonic() + _POLLED_KEPT, polled)
        return polled


def _shown(waiting: WaitingOn | None) -> Json | None:
    if waiting is None:
        return None
    return {
        "who": str(waiting.who),
        "since": micros(waiting.since),
        "message": waiting.message,
        "next_check": None if waiting.next_check is None else micros(waiting.next_check),
    }
