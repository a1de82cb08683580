"""The activities of a step: start a paid job, watch it, bring its output in, find it again, cancel it."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import structlog
from temporalio import activity
from temporalio.client import Client

from activities.calls import (
    AttemptRef,
    CancelJob,
    Collected,
    CollectStep,
    NotYet,
    ReconcileStart,
    SubmitStep,
    WatchStep,
)
from activities.clock import ServerClock
from activities.errors import as_application_error, still_pending
from activities.fence import Fence
from activities.gate import Entry, Gate
from activities.inputs import InputFiles
from activities.outputs import Beat, Outputs
from domain.errors import (
    BadCredentials,
    DeadlineExceeded,
    JobCanceled,
    NeverStarted,
    Refused,
    StartUnknown,
    StepError,
)
from domain.media import MediaKind
from domain.provider import (
    Absent,
    Accepted,
    Canceled,
    CancelOutcome,
    Failed,
    Finished,
    Job,
    JobRequest,
    JobState,
    Pending,
    Provider,
    Succeeded,
    Unsure,
)
from domain.tokens import AttemptToken
from net.paid import fenced
from storage.asset_uses import AssetUses

log = structlog.get_logger("babychain.steps")

T = TypeVar("T")

_LONGEST_QUICK_PAUSE = 4.0
_LAST_LOOK = 1.0
_LAST_TRY = 1.0
_LONGEST_SUBMIT_PAUSE = 60.0
_SURE_DENIALS = 9
"""With the usual pauses between them, 40 seconds."""


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


@dataclass
class StepActivities:
    client: Client
    providers: Mapping[str, Provider]
    inputs: InputFiles
    outputs: Outputs
    uses: AssetUses
    gate: Gate
    callback_url: Callable[[str, AttemptToken], str]
    attempt_token: Callable[[AttemptToken], str]

    @activity.defn(name="submit")
    async def submit(self, call: SubmitStep) -> Accepted | Finished:
        """Start the paid job. Repeats only what was refused; the idempotency key names run, step and attempt."""
        clock = ServerClock(call.patient_until)
        with as_application_error():
            try:
                started = await self._start(call, Fence(self.client), clock)
            except Refused as error:
                refusal = _while_patient(error, clock)
                if refusal is error:
                    raise
                raise refusal from error
        job_id = started.job.id if isinstance(started, Accepted) else None
        log.info("job_started", **_names(call.of), job_id=job_id)
        return started

    async def _start(self, call: SubmitStep, fence: Fence, clock: ServerClock) -> Accepted | Finished:
        of, provider = call.of, self._provider(call.of)
        token = AttemptToken(of.run_id, of.step, of.attempt)
        async with self.gate.entry(call, provider, clock) as entry, fence.beating(entry.renew):
            try:
                async with fence.preparing():
                    forms = call.input_forms or provider.accepts
                    handed = await self.inputs.hand_on(of.model, call.inputs, forms, call.opened)
                    for asset in handed.made:
                        await self.uses.keep(asset, of.run_id)
                    request = JobRequest(of.raw_id, call.params, handed.files, self.attempt_token(token))
                    callback = self.callback_url(of.provider, token) if call.webhook else None
                    started = await _to_its_answer(_send(provider, request, of.key, callback, fence, entry), fence)
            except StepError as error:
                _log_error("submit_failed", of, error)
                raise
            except (Exception, asyncio.CancelledError) as error:  # the last line before a second payment
                if not fence.passed:
                    raise Refused("The request could not be prepared.") from error
                raise StartUnknown(f"The worker lost the answer of {of.provider}.") from error
        return replace(started, adapted=handed.adapted)

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

    @activity.defn(name="reconcile")
    async def reconcile(self, call: ReconcileStart) -> Job:
        """Find the job that a lost submit may have started; comes again until it is found or the time is over."""
        clock = ServerClock()
        with as_application_error():
            provider = self._provider(call.of)
            if call.claimed is not None:
                job = Job(call.claimed)
                state = await provider.status(job)
                if isinstance(state, Unsure):
                    raise still_pending(3.0)
                await self.gate.runs_on(call.of, job, clock)
                log.info("lost_job_confirmed", **_names(call.of), job_id=job.id)
                return job
            of = call.of
            token = self.attempt_token(AttemptToken(of.run_id, of.step, of.attempt))
            found = await provider.find(JobRequest(of.raw_id, call.params, (), token), call.window)
            if found is None:
                raise still_pending(call.pause)
            if isinstance(found, Absent):
                _raise_when_sure(of)
                raise still_pending(call.pause)
            await self.gate.runs_on(of, found, clock)
            log.info("lost_job_found", **_names(of), job_id=found.id)
            return found

    @activity.defn(name="cancel_job")
    async def cancel_job(self, call: CancelJob) -> CancelOutcome:
        """Ask the provider to stop. Safe to repeat."""
        clock = ServerClock()
        with as_application_error():
            outcome = await self._provider(call.of).cancel(call.job)
        if outcome is CancelOutcome.STOPPED:
            await self.gate.leave(call.of, clock)
        else:
            await self.gate.runs_on(call.of, call.job, clock)
        log.info("job_cancel_asked", **_names(call.of), job_id=call.job.id, outcome=str(outcome))
        return outcome

    # ---- shared -----------------------------------------------------------------------------------------------

    def _provider(self, of: AttemptRef) -> Provider:
        if of.provider not in self.providers:
            raise BadCredentials(f"This worker has no key for {of.provider}.", code="byok_credentials_missing")
        return self.providers[of.provider]

    async def _state(self, of: AttemptRef, job: Job, clock: ServerClock) -> JobState:
        """The one status reader: webhook and watch both see a job through it."""
        try:
            state = await self._provider(of).status(job)
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
            _log_error("job_failed", of, state.error)
            raise state.error
        if isinstance(state, Canceled):
            raise JobCanceled(f"The job was canceled at {of.provider}.")

        async def look_again() -> Succeeded | None:
            fresh = await self._state(of, job, clock)
            return fresh if isinstance(fresh, Succeeded) else None

        collected = await self.outputs.bring_in(of, kind, state, beat, look_again)
        log.info("output_stored", **_names(of), job_id=job.id, assets=list(collected.assets))
        return collected


async def _to_its_answer(sending: Coroutine[Any, Any, T], fence: Fence) -> T:
    """A cancel of the run stops no request under way: its answer names the job that is to be canceled."""
    task = asyncio.ensure_future(sending)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        if not (fence.passed and details is not None and details.cancel_requested):
            task.cancel()
        return await task


def _while_patient(error: Refused, clock: ServerClock) -> StepError:
    """The refusal with the time of the next try, or, where none is left, as the end of this candidate."""
    left = clock.left()
    if left <= _LAST_TRY or (error.retry_after or 0.0) >= left:
        return StepError(error.message, code=error.reason, facts=error.facts)
    if error.retry_after is None:
        pause = min(2.0 ** (activity.info().attempt - 1), _LONGEST_SUBMIT_PAUSE)
        error.retry_after = min(pause, max(left - _LAST_TRY, _LAST_TRY))
    return error


async def _send(
    provider: Provider, request: JobRequest, key: str, callback_url: str | None, fence: Fence, entry: Entry
) -> Accepted | Finished:
    """The paid request, and what its answer says about the account."""
    try:
        with fenced(fence):
            started = await provider.submit(request, key, callback_url)
    except StepError as error:
        if not fence.gave_up:
            await entry.failed(error)
        raise
    # A job that was accepted must not be lost because the gate is told of it.
    with suppress(asyncio.CancelledError):
        await entry.started(started)
    return started


def _remembered() -> Doubt:
    details = activity.info().heartbeat_details
    return Doubt(**details[0]) if details and isinstance(details[0], dict) else Doubt()


def _raise_when_sure(of: AttemptRef) -> None:
    """A list may lag behind: only what it has denied again and again was never started."""
    details = activity.info().heartbeat_details
    denials = 1 + (details[0] if details and isinstance(details[0], int) else 0)
    if denials >= _SURE_DENIALS:
        log.info("lost_job_never_started", **_names(of))
        raise NeverStarted(f"{of.provider} did not start the job: its list was read {denials} times without it.")
    activity.heartbeat(denials)


def _slow_pause(call: WatchStep, attempt: int) -> float:
    return min(call.looks.pause * 1.5 ** (attempt - 1), call.looks.longest_pause)


def _names(of: AttemptRef) -> dict[str, str | int]:
    return {"run_id": of.run_id, "step": of.step, "attempt": of.attempt, "provider": of.provider, "model": of.model}


def _log_error(event: str, of: AttemptRef, error: StepError) -> None:
    log.warning(event, **_names(of), code=error.reason, error=error.message)
