"""The gate before every paid submit: one per provider account, shared by all workers through the database.

A provider without a limit whose account is well costs a look at what this process read within the last two seconds.
When the database does not answer, what was known last stands: such a provider goes on, and every other start waits.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog
from temporalio import activity

from activities.calls import AttemptRef, SubmitStep
from activities.clock import ServerClock
from domain.breaker import Account, Go, Shut, Sign, Trouble, Wait, Why, after, sign_of, sign_of_read
from domain.errors import (
    BadCredentials,
    CreditExhausted,
    ProviderPaused,
    Refused,
    StartUnknown,
    StepError,
    UnavailableError,
)
from domain.provider import Accepted, Finished, Job, Pending, Provider, Unsure
from storage.provider_gate import LEASE, Known, ProviderGate

log = structlog.get_logger("babychain.gate")

_FRESH = 2.0
_DATABASE_SECONDS = 3.0
_DATABASE_AGAIN = (3.0, 12.0)
_SHORTEST_WAIT = 0.5
_IN_DOUBT = timedelta(minutes=1)
"""A job that may have started, and that nobody has found, keeps its place for so long."""
_ADOPTED = timedelta(hours=1)
"""So does one that was found again, or could not be stopped, unless it is seen to end before."""
_STALE = (UnavailableError, TimeoutError)


@dataclass
class Gate:
    store: ProviderGate
    limits: Mapping[str, int]
    _known: Known = field(default_factory=lambda: Known({}, {}))
    _read: float = float("-inf")
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def entry(self, call: SubmitStep, provider: Provider, clock: ServerClock) -> AsyncIterator["Entry"]:
        """Holds a place, where places are few, while a submit is under way; raises where it may not go ahead."""
        entry = Entry(self, call, clock, probe=await self._enter(call, provider, clock))
        try:
            yield entry
        except BaseException as error:
            # Nothing was said about the account: the next probe need not wait for this one's lease.
            await entry.ended(in_doubt=isinstance(error, StartUnknown))
            raise

    async def read(self, of: AttemptRef, clock: ServerClock, error: StepError | None = None) -> None:
        """What reading a job says about its account."""
        sign = sign_of_read(error)
        failed_before = (await self.known()).account(of.provider).failed_reads > 0
        if sign is Sign.READ_FAILED or (sign is Sign.READ and failed_before):
            await self.note(of, sign, clock, error)

    async def runs_on(self, of: AttemptRef, job: Job, clock: ServerClock) -> None:
        """A job that was found again, or that could not be stopped, takes up a place."""
        await self.hold(of, clock, _ADOPTED, job)

    async def leave(self, of: AttemptRef, clock: ServerClock) -> None:
        """The job has ended. Safe to repeat."""
        if of.provider in self.limits:
            async with _tolerantly("slot_not_released", of):
                await self.store.leave(of.provider, of.key, clock.now())

    # ---- for an entry -----------------------------------------------------------------------------------------

    async def hold(self, of: AttemptRef, clock: ServerClock, lasts: timedelta, job: Job | None = None) -> None:
        if of.provider in self.limits:
            async with _tolerantly("slot_not_held", of):
                now = clock.now()
                await self.store.hold(of.provider, of.key, now, now + lasts, job)

    async def note(self, of: AttemptRef, sign: Sign, clock: ServerClock, error: StepError | None = None) -> None:
        async with _tolerantly("account_not_noted", of):
            before, account = await self.store.change(
                of.provider, lambda account: after(account, sign, of.key, clock.now(), error)
            )
            self._learn(account)
            if before.trouble != account.trouble:
                log.warning("breaker_changed", provider=of.provider, trouble=account.trouble, code=account.code)

    async def known(self) -> Known:
        """All accounts, as this process read them at most two seconds ago; older if the database is silent."""
        async with self._reading:
            if time.monotonic() - self._read > _FRESH:
                # Also when it fails: not every submit is to wait for a database that is silent.
                self._read = time.monotonic()
                try:
                    async with asyncio.timeout(_DATABASE_SECONDS):
                        self._known = await self.store.known()
                except _STALE:
                    log.warning("gate_database_silent")
        return self._known

    # ---- the decision -----------------------------------------------------------------------------------------

    async def _enter(self, call: SubmitStep, provider: Provider, clock: ServerClock) -> bool:
        of, limit = call.of, self.limits.get(call.of.provider)
        known = await self.known()
        model_disabled = of.model in known.disabled_models
        account = known.account(of.provider)
        if limit is None and not model_disabled and account.is_untroubled(clock.now()):
            return False
        try:
            async with asyncio.timeout(_DATABASE_SECONDS):
                answer = await self.store.enter(of.provider, of.key, clock.now(), limit, model_disabled=model_disabled)
        except _STALE as error:
            spread = random.uniform(*_DATABASE_AGAIN)  # noqa: S311  # guards nothing
            raise Refused(
                "The database that counts running jobs does not answer.",
                code="database_unreachable",
                retry_after=min(spread, _patience(clock)),
            ) from error
        if isinstance(answer, Go):
            self._learn(answer.account)
            return answer.probe
        if isinstance(answer, Shut):
            raise _shut(answer.account)
        if answer.why is Why.FULL:
            await self._look_at_a_forgotten_job(of, provider, clock)
        raise self._wait(call, answer, clock)

    def _learn(self, account: Account) -> None:
        self._known = replace(self._known, accounts={**self._known.accounts, account.provider: account})

    def _wait(self, call: SubmitStep, wait: Wait, clock: ServerClock) -> StepError:
        of, account = call.of, self._known.account(call.of.provider)
        code, said = _REASONS[wait.why]
        message = said.format(provider=of.provider, model=of.model)
        if activity.info().attempt == 1:
            log.info("start_held_back", provider=of.provider, run_id=of.run_id, step=of.step, why=wait.why.value)
        if call.alternatives and wait.why in {Why.DISABLED, Why.OUTAGE}:
            return ProviderPaused(message, facts={"reason": wait.why.value})
        if wait.why is Why.OUTAGE and account.code:
            code = account.code
        return Refused(message, code=code, retry_after=min(wait.seconds, _patience(clock)))

    async def _look_at_a_forgotten_job(self, of: AttemptRef, provider: Provider, clock: ServerClock) -> None:
        """A run that was ended from outside watches its job no more: whoever lacks a place looks whether it runs."""
        async with _tolerantly("slot_not_checked", of):
            found = await self.store.forgotten(of.provider, clock.now())
            if found is None:
                return
            holder, job = found
            with suppress(StepError):
                if not isinstance(await provider.status(job), (Pending, Unsure)):
                    await self.store.leave(of.provider, holder, clock.now())


@dataclass
class Entry:
    """One submit on its way through the gate."""

    gate: Gate
    call: SubmitStep
    clock: ServerClock
    probe: bool

    async def renew(self) -> None:
        """While the submit is under way. Where the worker dies, its place is free again after the lease."""
        of = self.call.of
        if self.probe or of.provider in self.gate.limits:
            async with _tolerantly("slot_not_renewed", of):
                await self.gate.store.renew(of.provider, of.key, self.clock.now())

    async def started(self, answer: Accepted | Finished) -> None:
        """A job keeps its place until it ends, or its step does."""
        if isinstance(answer, Accepted):
            await self.gate.hold(self.call.of, self.clock, self.call.life, answer.job)
        else:
            await self.gate.leave(self.call.of, self.clock)
        await self._answered(None)

    async def failed(self, error: StepError) -> None:
        """The provider's own word, or its silence."""
        await self._answered(error)

    async def ended(self, *, in_doubt: bool) -> None:
        of = self.call.of
        if in_doubt:
            await self.gate.hold(of, self.clock, max(_IN_DOUBT, LEASE))
        else:
            await self.gate.leave(of, self.clock)
        if self.probe:
            await self.gate.note(of, Sign.NOTHING, self.clock)

    async def _answered(self, error: StepError | None) -> None:
        sign = sign_of(error)
        account = (await self.gate.known()).account(self.call.of.provider)
        if sign is Sign.WELL and not self.probe and not (account.failures or account.limited):
            return
        if sign is not Sign.NOTHING:
            await self.gate.note(self.call.of, sign, self.clock, error)


_REASONS = {
    Why.DISABLED: ("provider_paused", "An operator has switched {provider}, or its model {model}, off."),
    Why.OUTAGE: ("provider_unavailable", "{provider} has failed again and again; it is asked again from time to time."),
    Why.PAUSED: ("provider_rate_limited", "{provider} asked for a pause, which every start keeps."),
    Why.FULL: ("provider_rate_limited", "{provider} runs as many jobs as this account may have; this one waits."),
}


def _shut(account: Account) -> StepError:
    since = f"{account.since:%Y-%m-%dT%H:%M:%SZ}"
    facts = {"since": since, "next_probe": f"{account.next_probe:%Y-%m-%dT%H:%M:%SZ}"}
    if account.trouble == Trouble.CREDIT:
        message = f"{account.provider} has had no credit since {since}; nothing was sent."
        return CreditExhausted(message, code=account.code, facts=facts)
    message = f"{account.provider} has refused this server's key since {since}; nothing was sent."
    return BadCredentials(message, code=account.code, facts=facts)


def _patience(clock: ServerClock) -> float:
    """The last try comes just before patience ends, not as much as a whole wait before it."""
    return max(clock.left() - 1.0, _SHORTEST_WAIT)


@asynccontextmanager
async def _tolerantly(event: str, of: AttemptRef) -> AsyncIterator[None]:
    """What is lost here heals: leases end, forgotten jobs are looked at, and the next answer says the same."""
    try:
        async with asyncio.timeout(_DATABASE_SECONDS):
            yield
    except _STALE:
        log.warning(event, provider=of.provider, run_id=of.run_id, step=of.step)
