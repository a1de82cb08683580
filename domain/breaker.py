"""When a provider account may be asked to start a job: pure rules over what all workers know of that account.

An account opens (is asked no more) on an outage, on exhausted credit and on bad credentials. From time to time one
start goes through as a probe; what it meets closes the account again or keeps it open for longer. Whoever has to wait
is told for how long, one after another, so that a provider which comes back meets a queue and not a crowd.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    ModelUnavailable,
    Moderated,
    Refused,
    StartUnknown,
    StepError,
)

OPENS_AFTER = 5
"""So many failures without a success between them, within WITHIN, are an outage."""
WITHIN = timedelta(seconds=60)

STARTS_A_SECOND = 10
"""How fast an account is asked again that has just come back, by all workers together."""
BURST = 5
"""So many may come early: whoever waits comes nearly, not exactly, when told."""
PACED_FOR = timedelta(seconds=90)

_LONGEST_WAIT = 60.0
_SHORTEST_WAIT = 0.5
_LONGEST_PAUSE = 30.0
_SECOND = timedelta(seconds=1)


class Trouble(StrEnum):
    OUTAGE = "outage"
    CREDIT = "credit_exhausted"
    CREDENTIALS = "bad_credentials"


_PROBES = {
    # The first probe after so many seconds, each next one after twice the time, up to the second figure.
    Trouble.OUTAGE: (5.0, 60.0),
    Trouble.CREDIT: (60.0, 600.0),
    Trouble.CREDENTIALS: (60.0, 600.0),
}


class Sign(StrEnum):
    """What one answer says about the account."""

    WELL = "well"
    FAILED = "failed"
    NO_CREDIT = "no_credit"
    NO_RIGHT = "no_right"
    LIMITED = "limited"
    READ = "read"
    READ_FAILED = "read_failed"
    NOTHING = "nothing"


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class Account:
    """What all workers know of one provider account. `trouble` says that it is open, and why."""

    provider: str
    trouble: str | None = None
    code: str | None = None
    message: str | None = None
    since: datetime | None = None
    failures: int = 0
    failed_reads: int = 0
    failing_since: datetime | None = None
    openings: int = 0
    next_probe: datetime | None = None
    probe_holder: str | None = None
    probe_until: datetime | None = None
    limited: int = 0
    paused_until: datetime | None = None
    paced_until: datetime | None = None
    next_start: datetime | None = None
    held_for: float = 0.0
    """Seconds that a place of this account is held, on the average of late."""
    disabled_since: datetime | None = None
    disabled_by: str | None = None
    disabled_reason: str | None = None

    def state(self, now: datetime) -> State:
        if self.trouble is None:
            return State.CLOSED
        return State.HALF_OPEN if self._is_probed(now) else State.OPEN

    def is_untroubled(self, now: datetime) -> bool:
        """Nothing here keeps a start from going ahead."""
        quiet = all(moment is None or moment <= now for moment in (self.paused_until, self.paced_until))
        return quiet and self.trouble is None and self.disabled_since is None

    def may_probe(self, holder: str, now: datetime) -> bool:
        if self._is_probed(now) and self.probe_holder != holder:
            return False
        return self.next_probe is None or self.next_probe <= now

    def _is_probed(self, now: datetime) -> bool:
        return self.probe_until is not None and self.probe_until > now


# ---- what an answer says ----------------------------------------------------------------------------------------


def sign_of(error: StepError | None) -> Sign:
    """Of the answer to a submit. A provider that refuses an input, or fails a job, is well."""
    match error:
        case None | InputRejected() | Moderated() | ModelUnavailable():
            return Sign.WELL
        case CreditExhausted():
            return Sign.NO_CREDIT
        case BadCredentials():
            return Sign.NO_RIGHT
        case Refused(reason="provider_rate_limited"):
            return Sign.LIMITED
        case Refused() | StartUnknown():
            # While the first request under a key is being worked on, nothing has failed yet.
            return Sign.NOTHING if error.facts.get("in_progress") else Sign.FAILED
        case _:
            return Sign.NOTHING


def sign_of_read(error: StepError | None) -> Sign:
    if error is None:
        return Sign.READ
    unreachable = error.reason in {"provider_network_error", "provider_unavailable"}
    return Sign.READ_FAILED if isinstance(error, Refused) and unreachable else Sign.NOTHING


def after(account: Account, sign: Sign, holder: str, now: datetime, error: StepError | None = None) -> Account:
    """The account once this answer is known. An open account believes only its probe."""
    probed = account.probe_holder == holder
    if account.trouble is not None and not probed and sign is not Sign.LIMITED:
        return account
    match sign:
        case Sign.WELL:
            well = _closed(account, now) if account.trouble else account
            account = replace(well, failures=0, failed_reads=0, failing_since=None, limited=0)
        case Sign.FAILED | Sign.READ_FAILED:
            account = _failed(account, sign, error, now)
        case Sign.NO_CREDIT:
            account = _opened(account, Trouble.CREDIT, error, now)
        case Sign.NO_RIGHT:
            account = _opened(account, Trouble.CREDENTIALS, error, now)
        case Sign.LIMITED:
            account = _paused(_closed(account, now) if probed else account, error, now)
        case Sign.READ:
            account = replace(account, failed_reads=0)
        case Sign.NOTHING if probed:
            account = replace(account, probe_holder=None, probe_until=None)
    return account


def _failed(account: Account, sign: Sign, error: StepError | None, now: datetime) -> Account:
    if account.failing_since is None or now - account.failing_since > WITHIN:
        account = replace(account, failures=0, failed_reads=0, failing_since=now)
    if sign is Sign.FAILED:
        account = replace(account, failures=account.failures + 1)
    else:
        account = replace(account, failed_reads=account.failed_reads + 1)
    is_outage = account.trouble or account.failures + account.failed_reads >= OPENS_AFTER
    return _opened(account, Trouble.OUTAGE, error, now) if is_outage else account


def _opened(account: Account, trouble: Trouble, error: StepError | None, now: datetime) -> Account:
    again = account.trouble == trouble
    first, longest = _PROBES[trouble]
    openings = account.openings + 1 if again else 1
    pause = min(first * 2.0 ** min(openings - 1, 16), longest)
    # Of whoever waits, nothing was sent: that a start may have been lost is the word about another one.
    code = Refused.code if isinstance(error, StartUnknown) else error.reason if error else None
    return replace(
        account,
        trouble=trouble.value,
        code=code,
        message=error.message if error else None,
        since=account.since if again else now,
        openings=openings,
        next_probe=now + timedelta(seconds=pause),
        probe_holder=None,
        probe_until=None,
    )


def _closed(account: Account, now: datetime) -> Account:
    return replace(
        account,
        trouble=None,
        code=None,
        message=None,
        since=None,
        failures=0,
        failed_reads=0,
        failing_since=None,
        openings=0,
        next_probe=None,
        probe_holder=None,
        probe_until=None,
        paced_until=now + PACED_FOR,
        next_start=now,
    )


def _paused(account: Account, error: StepError | None, now: datetime) -> Account:
    """After a 429, for everybody. Answers to requests that were under way together count once."""
    asked = error.retry_after if error else None
    is_pausing = account.paused_until is not None and account.paused_until > now
    usual = 0.0 if is_pausing else min(2.0**account.limited, _LONGEST_PAUSE)
    until = max(now + timedelta(seconds=usual if asked is None else asked), account.paused_until or now)
    return replace(
        account,
        limited=account.limited if is_pausing else min(account.limited + 1, 16),
        paused_until=until,
        paced_until=until + PACED_FOR,
        next_start=until,
    )


# ---- an operator's word -----------------------------------------------------------------------------------------


def disabled(account: Account, by: str, reason: str | None, now: datetime) -> Account:
    return replace(account, disabled_since=account.disabled_since or now, disabled_by=by, disabled_reason=reason)


def enabled(account: Account, now: datetime) -> Account:
    """Also forgets what kept it open: whoever has topped an account up need not wait for the next probe."""
    fresh = replace(account, disabled_since=None, disabled_by=None, disabled_reason=None)
    # The operator's clock may be ahead of the workers', so the first start is not tied to it.
    return replace(_closed(fresh, now), limited=0, paused_until=None, next_start=None)


# ---- may this start go ahead? -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """Where one start stands among those that wait for the same account."""

    rank: int = 0
    """How many have waited for longer."""
    due: int = 0
    """How many of them will ask within a moment."""
    limit: int | None = None
    free: int = 0
    model_disabled: bool = False


class Why(StrEnum):
    DISABLED = "disabled"
    OUTAGE = "outage"
    PAUSED = "paused"
    FULL = "full"


@dataclass(frozen=True)
class Go:
    account: Account
    probe: bool = False


@dataclass(frozen=True)
class Wait:
    why: Why
    seconds: float


@dataclass(frozen=True)
class Shut:
    """Waiting would not help: somebody has to pay, or to mend a key."""

    account: Account


def decide(account: Account, line: Line, holder: str, now: datetime, lease: timedelta) -> Go | Wait | Shut:
    if hindrance := _hindrance(account, line, holder, now):
        return hindrance
    if line.limit is not None and line.free <= line.due:
        return Wait(Why.FULL, _until_a_place(account, line))
    if account.trouble is not None:
        return Go(replace(account, probe_holder=holder, probe_until=now + lease), probe=True)
    if _is_paced(account, now):
        account = replace(account, next_start=max(account.next_start or now, now) + _SECOND / STARTS_A_SECOND)
    return Go(account)


def _hindrance(account: Account, line: Line, holder: str, now: datetime) -> Wait | Shut | None:
    """What speaks against any start, whatever places there are. Who waits longest is told to come first."""
    spread = line.rank / STARTS_A_SECOND
    if account.disabled_since or line.model_disabled:
        return Wait(Why.DISABLED, min(4.0 + spread, _LONGEST_WAIT))
    if account.trouble is not None:
        if account.may_probe(holder, now):
            return None
        if account.trouble != Trouble.OUTAGE:
            return Shut(account)
        return Wait(Why.OUTAGE, max(_until(account.next_probe, now), 2.0) + spread)
    pause = _until(account.paused_until, now)
    if not pause and _is_paced(account, now):
        pause = max(_until(account.next_start, now) - BURST / STARTS_A_SECOND, 0.0)
    return Wait(Why.PAUSED, max(min(pause, _LONGEST_WAIT) + spread, _SHORTEST_WAIT)) if pause else None


def _is_paced(account: Account, now: datetime) -> bool:
    return account.paced_until is not None and account.paced_until > now


def _until(moment: datetime | None, now: datetime) -> float:
    return max((moment - now).total_seconds(), 0.0) if moment else 0.0


def _until_a_place(account: Account, line: Line) -> float:
    """Half of what the queue before this one will take, as far as anybody knows: early, and not too often."""
    expected = (line.rank + 1) * account.held_for / max(line.limit or 1, 1)
    return min(max(expected / 2, _SHORTEST_WAIT), _LONGEST_WAIT)
