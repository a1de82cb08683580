"""Start a paid job: the activity behind the gate and the fence."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from temporalio import activity
from temporalio.client import Client

from activities.attempts import log, log_error, named, starter
from activities.calls import SubmitStep
from activities.clock import ServerClock
from activities.errors import as_application_error
from activities.fence import Fence
from activities.gate import Entry, Gate
from activities.inputs import InputFiles
from domain.errors import Refused, StartUnknown, StepError
from domain.provider import Accepted, Finished, JobRequest, Provider
from domain.tokens import AttemptToken
from net.paid import fenced
from storage.asset_uses import AssetUses

T = TypeVar("T")

_LAST_TRY = 1.0
_LONGEST_PAUSE = 60.0


@dataclass(frozen=True)
class SubmitActivities:
    client: Client
    providers: Mapping[str, Provider]
    inputs: InputFiles
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
        log.info("job_started", **named(call.of), job_id=job_id)
        return started

    async def _start(self, call: SubmitStep, fence: Fence, clock: ServerClock) -> Accepted | Finished:
        of, provider = call.of, starter(self.providers, call.of)
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
                log_error("submit_failed", of, error)
                if isinstance(error, Refused):
                    await fence.take_back()
                raise
            except (Exception, asyncio.CancelledError) as error:  # the last line before a second payment
                if not fence.passed:
                    raise Refused("The request could not be prepared.") from error
                raise StartUnknown(f"The worker lost the answer of {of.provider}.") from error
        return replace(started, adapted=handed.adapted)


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
        # The exponent is bounded: a start may stand in line a thousand times.
        pause = min(2.0 ** min(activity.info().attempt - 1, 16), _LONGEST_PAUSE)
        error.retry_after = min(pause, max(left - _LAST_TRY, _LAST_TRY))
    return error
