"""A job's life, by the clock: queued, running, one end. All providers' jobs live here; each words them its own way."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.faults import Rule
from sandbox.ledger import Row, utc_now
from sandbox.media import Medium
from sandbox.tasks import Tasks

_QUEUED_SHARE = 0.2  # of a job's time; the rest it runs


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    MODERATED = "moderated"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    GONE = "gone"  # only ever shown: the provider no longer knows a job that it knew
    STRANGE = "strange"  # only ever shown: a word no document lists


ACTIVE = frozenset({State.QUEUED, State.RUNNING})
_SHOWN_AS = {
    "never_ends": State.RUNNING,
    "moderated": State.MODERATED,
    "failed": State.FAILED,
    "unknown_status": State.STRANGE,
    "gone_after_success": State.GONE,
}


@dataclass(eq=False)
class Job:
    id: str
    provider: str
    model: str
    account: str
    row: Row
    seconds: float
    draw: Callable[[], Awaitable[tuple[Medium, ...]]]
    on_change: Callable[["Job"], None]
    details: dict[str, Any] = field(default_factory=dict)  # what the provider's answers need to repeat
    fate: Rule | None = None
    expires_after: float | None = None
    slot: AbstractAsyncContextManager[Any] = field(default_factory=nullcontext)  # held while running

    state: State = State.QUEUED
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    media: tuple[Medium, ...] = ()
    success_was_read: bool = False
    life: asyncio.Task[None] | None = None

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    def has_fate(self, kind: str) -> bool:
        return self.fate is not None and self.fate.kind == kind

    def progress(self) -> float:
        """How far the clock says it is, never quite done while it runs."""
        return min(0.99, (time.time() - self.created) / self.seconds) if self.seconds else 0.99

    def read(self, twist: Rule | None) -> State:
        """What a status call shows: the truth, unless a rule for this one read or the job's fate says otherwise."""
        self.row.polls += 1
        shown = self._shown(twist)
        self.success_was_read |= shown is State.SUCCEEDED
        return shown

    def _shown(self, twist: Rule | None) -> State:
        if twist is not None:
            return self._before() if twist.kind == "status_back" else _SHOWN_AS[twist.kind]
        if self.has_fate("unknown_status") and self.state is not State.QUEUED:
            return State.STRANGE
        if self.has_fate("status_back") and self.row.polls % 2 == 0:
            return self._before()
        if self.has_fate("gone_after_success") and self.success_was_read:
            return State.GONE
        return self.state

    def _before(self) -> State:
        return State.QUEUED if self.is_active else State.RUNNING


class Jobs:
    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._jobs: dict[str, Job] = {}
        self._active: defaultdict[tuple[str, str], set[Job]] = defaultdict(set)  # counted on every submit
        self._slots: dict[tuple[str, ...], asyncio.Semaphore] = {}

    def start(self, job: Job) -> None:
        """From here on the job is paid for. Drawing begins at once, so that it is ready when the clock says so."""
        self._jobs[job.id] = job
        self._active[job.provider, job.account].add(job)
        job.row.job_id = job.id
        job.row.state = job.state
        job.on_change(job)
        job.life = self._tasks.start(self._live(job))

    def find(self, id: str) -> Job | None:
        return self._jobs.get(id)

    def of(self, provider: str, account: str) -> list[Job]:
        return [job for job in self._jobs.values() if job.provider == provider and job.account == account]

    def active(self, provider: str, account: str) -> Collection[Job]:
        return self._active[provider, account]

    def slot(self, limit: int, *shared_by: str) -> asyncio.Semaphore:
        """A place among the `limit` jobs that may run at once; later ones stay queued."""
        return self._slots.setdefault(shared_by, asyncio.Semaphore(limit))

    def forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        self._active[job.provider, job.account].discard(job)
        if job.life is not None:
            job.life.cancel()

    def forget_endless(self) -> None:
        """Jobs that a rule keeps from ending would hold their place long after the test that asked for them."""
        for job in list(self._jobs.values()):
            if job.has_fate("never_ends"):
                self.forget(job)

    def cancel(self, job: Job) -> None:
        if job.life is not None:
            job.life.cancel()
        self._move(job, State.CANCELLED)

    async def _live(self, job: Job) -> None:
        drawing = self._tasks.start(_draw(job))
        try:
            async with asyncio.timeout(job.expires_after):
                await self._run(job, drawing)
        except TimeoutError:
            self._move(job, State.EXPIRED)
        finally:
            drawing.cancel()
            job.draw = _drawn  # lets go of the input pictures, which would stay in memory as long as the record

    async def _run(self, job: Job, drawing: asyncio.Task[tuple[Medium, ...]]) -> None:
        fate = job.fate
        seconds = job.seconds
        if fate is not None and fate.delay is not None:
            seconds = fate.delay
        await asyncio.sleep(seconds * _QUEUED_SHARE)
        async with job.slot:
            self._move(job, State.RUNNING)
            await asyncio.sleep(seconds * (1 - _QUEUED_SHARE))
            if job.has_fate("never_ends"):
                await asyncio.Event().wait()
            if fate is not None and fate.item is None and fate.kind in ("moderated", "failed"):
                self._move(job, State.EXPIRED if fate.word == State.EXPIRED else _SHOWN_AS[fate.kind])
                return
            try:
                job.media = await drawing
            except OSError:  # an input picture whose header was in order and whose data is not
                self._move(job, State.FAILED)
            else:
                self._move(job, State.SUCCEEDED)

    def _move(self, job: Job, state: State) -> None:
        job.state = state
        job.updated = time.time()
        job.row.state = state
        if state is State.RUNNING:
            job.started = job.updated
            job.row.times["started"] = utc_now()
        else:
            self._active[job.provider, job.account].discard(job)
            job.ended = job.updated
            job.row.times["ended"] = utc_now()
        job.on_change(job)


async def _draw(job: Job) -> tuple[Medium, ...]:
    return await job.draw()


async def _drawn() -> tuple[Medium, ...]:
    return ()
