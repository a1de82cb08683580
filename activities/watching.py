"""Look at a job until it ends, and bring its output in: in quick succession, again and again, or once."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from temporalio import activity

from activities.attempts import keeper, log, log_error, named
from activities.calls import AttemptRef, Collected, CollectStep, NotYet, WatchStep
from activities.clock import ServerClock
from activities.errors import as_application_error, still_pending
from activities.gate import Gate
from activities.outputs import Beat, Outputs
from domain.errors import DeadlineExceeded, JobCanceled, StepError
from domain.media import MediaKind
from domain.provider import Canceled, Failed, Job, JobState, Pending, Provider, Succeeded, Unsure

_LONGEST_QUICK_PAUSE = 4.0
_LAST_LOOK = 1.0
_LONGEST_GROWTH = 32
"""Beyond that a pause is the longest anyway; after some 1,700 looks the power would be no number any more."""


@dataclass
class Doubt:
    """What a watch remembers from look to look, and from worker to worker, in its heartbeat details."""

    reads: int = 0
    word: str | None = None
    since: float = 0.0
    unsure_reads: int = 0

    def after(self, state: JobState, now: float) -> "Doubt":
        if not isinstance(state, Unsure):
            return Doubt(reads=self.reads + 1)
        if state.word != self.word:
            return Doubt(reads=self.reads + 1, word=state.word, since=now, unsure_reads=1)
        return Doubt(self.reads + 1, self.word, self.since, self.unsure_reads + 1)

    def is_over(self, state: Unsure, now: float) -> bool:
        return self.unsure_reads >= state.reads and now - self.since >= state.seconds


@dataclass(frozen=True)
class WatchActivities:
    providers: Mapping[str, Provider]
    outputs: Outputs
    gate: Gate

    @activity.defn(name="watch")
    async def watch(self, call: WatchStep) -> Collected:
        """Look at the job until it ends, then bring its output in. Safe to repeat.

        The first looks come in quick succession; then the slot is given back, and the retry policy brings the next.
        """
        info, clock = activity.info(), ServerClock()
        doubt = _remembered()
        quick_until = time.monotonic() + (call.looks.quick_window if info.attempt == 1 else 0.0)
        pause = call.looks.quick_pause
        with as_application_error():
            while True:
                state = await self._state(call.of, call.job, clock)
                now = clock.now().timestamp()
                doubt = doubt.after(state, now)
                activity.heartbeat(doubt)
                if not isinstance(state, (Pending, Unsure)):
                    beat = partial(activity.heartbeat, doubt)
                    return await self._ended(call.of, call.kind, call.job, state, beat, clock)
                if isinstance(state, Unsure) and doubt.is_over(state, now):
                    raise state.error
                left = call.deadline.timestamp() - now
                if left <= _LAST_LOOK:
                    raise DeadlineExceeded("The step's deadline passed before its job had ended.")
                if time.monotonic() + pause > quick_until:
                    # The last look comes at the deadline, not up to a whole pause before it.
                    raise still_pending(min(_slow_pause(call, info.attempt), max(left - _LAST_LOOK, _LAST_LOOK)))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_QUICK_PAUSE)

    @activity.defn(name="collect")
    async def collect(self, call: CollectStep) -> Collected | NotYet:
        """One look at the job; if it has ended, bring its output in. Safe to repeat: files are stored by their hash."""
        clock = ServerClock()
        with as_application_error():
            if call.job is None:
                done = Succeeded(outputs=call.outputs, cost=call.cost)
                return await self.outputs.bring_in(call.of, call.kind, done, activity.heartbeat)
            state = await self._state(call.of, call.job, clock)
            if isinstance(state, (Pending, Unsure)):
                return NotYet(state.word)
            return await self._ended(call.of, call.kind, call.job, state, activity.heartbeat, clock)

    async def _state(self, of: AttemptRef, job: Job, clock: ServerClock) -> JobState:
        """The one status reader: webhook and watch both see a job through it."""
        try:
            state = await keeper(self.providers, of).status(job)
        except StepError as error:
            await self.gate.read(of, clock, error)
            raise
        await self.gate.read(of, clock)
        return state

    async def _ended(
        self,
        of: AttemptRef,
        kind: MediaKind,
        job: Job,
        state: Succeeded | Failed | Canceled,
        beat: Beat,
        clock: ServerClock,
    ) -> Collected:
        await self.gate.leave(of, clock)
        if isinstance(state, Failed):
            log_error("job_failed", of, state.error)
            raise state.error
        if isinstance(state, Canceled):
            raise JobCanceled(f"The job was canceled at {of.provider}.", facts={"cost": 0})

        async def look_again() -> Succeeded | None:
            fresh = await self._state(of, job, clock)
            return fresh if isinstance(fresh, Succeeded) else None

        collected = await self.outputs.bring_in(of, kind, state, beat, look_again)
        log.info("output_stored", **named(of), job_id=job.id, assets=list(collected.assets))
        return collected


def _remembered() -> Doubt:
    details = activity.info().heartbeat_details
    return Doubt(**details[0]) if details and isinstance(details[0], dict) else Doubt()


def _slow_pause(call: WatchStep, attempt: int) -> float:
    return min(call.looks.pause * 1.5 ** min(attempt - 1, _LONGEST_GROWTH), call.looks.longest_pause)
