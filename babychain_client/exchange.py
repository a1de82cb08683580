"""One call with its repeats, without any I/O: both clients drive these generators, so they can't differ.

A generator asks for a call or a pause, and is sent the answer, or thrown the error that came in its place.
"""

import itertools
import random
import re
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

import httpx

from babychain_client.errors import ApiError, ConnectionFailed, origin, read_error

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds for an answer that nobody asked to be late."""

_WORTH_WAITING = 60.0
"""The limits' window. A longer Retry-After, as of a spend cap, is the caller's to hear."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

STRANGE = (ValueError, KeyError, TypeError, AttributeError)
"""What reading an answer raises that is JSON of another kind, or none."""

REPEATED = frozenset({429, 502, 503, 504})
_RATE_LIMIT = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')


@dataclass(frozen=True)
class Call:
    """`limited` is the rate limit it counts against. Every call may be sent twice: a create carries its key."""

    method: str
    path: str
    limited: Literal["creates", "reads"] | None = None
    params: Mapping[str, Any] | None = None
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes]] | None = None
    patience: float = PATIENCE


@dataclass(frozen=True)
class Pause:
    seconds: float


Flow: TypeAlias = Generator[Call | Pause, httpx.Response | None, T]


@dataclass
class Rates:
    """Where our key stands: who has been told that no place is left waits until there is one, and is never refused."""

    clock: Callable[[], float] = time.monotonic
    _free_at: dict[str, float] = field(default_factory=dict)

    def note(self, answer: httpx.Response) -> None:
        if told := _RATE_LIMIT.fullmatch(answer.headers.get("ratelimit", "")):
            name, remaining, seconds = told.groups()
            self._free_at[name] = 0.0 if int(remaining) else self.clock() + int(seconds)

    def pause(self, call: Call) -> float:
        return max(0.0, self._free_at.get(call.limited or "", 0.0) - self.clock())


def exchange(call: Call, tries: int, rates: Rates) -> Flow[httpx.Response]:
    """The answer, once it is a good one. Repeats what may pass by itself, as late as the API wants it."""
    sent = False
    for number in itertools.count(1):
        while (seconds := rates.pause(call)) > 0:
            # Not all at once: the first to go learns when the next place is free.
            yield Pause(seconds + random.uniform(0.0, 0.5))  # noqa: S311 - spreads, hides nothing
        try:
            answer = yield call
        except httpx.TransportError as error:
            sent = sent or not isinstance(error, _NEVER_SENT)
            if number >= tries or isinstance(error, httpx.UnsupportedProtocol):
                raise no_answer(call, error, sent=sent) from error
            yield Pause(backoff(number))
            continue
        assert answer is not None  # noqa: S101 - a call is always answered, or thrown its error
        sent = True
        rates.note(answer)
        if answer.is_success:
            return answer
        refused = read_error(answer)
        if number >= tries or not may_pass(refused):
            raise refused
        yield Pause(backoff(number) if refused.retry_after is None else refused.retry_after)
    raise AssertionError("unreachable")


def read_json(call: Call, tries: int, rates: Rates, read: Callable[[Any], T]) -> Flow[T]:
    answer = yield from exchange(call, tries, rates)
    return understood(call, answer, read)


def understood(call: Call, answer: httpx.Response, read: Callable[[Any], T]) -> T:
    """A wrong address may lead to some other server, which has answers of its own."""
    try:
        return read(answer.json())
    except STRANGE as error:
        raise not_the_api(answer.url, call) from error


def not_the_api(url: httpx.URL, call: Call) -> ConnectionFailed:
    said = f"What answers at {origin(url)} is not the API of BabyChain, or another version of it."
    return ConnectionFailed(said, _key(call))


def may_pass(refused: ApiError) -> bool:
    return refused.status in REPEATED and (refused.retry_after or 0.0) <= _WORTH_WAITING


def backoff(number: int) -> float:
    """Half a second, doubled each time up to eight, spread so that many clients do not come back together."""
    return float(min(8.0, 0.5 * 2 ** (number - 1)) * random.uniform(0.5, 1.0))  # noqa: S311 - spreads, hides nothing


def no_answer(call: Call, error: httpx.TransportError, *, sent: bool = True) -> ConnectionFailed:
    """`sent` says whether any of the tries may have reached the API."""
    key, unreached = _key(call), isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    more = "" if key is None or not sent else f" {may_have_started(call)}"
    return ConnectionFailed(f"{_silence(call, error)}{more}", key, unreached=unreached)


def _silence(call: Call, error: httpx.TransportError) -> str:
    where = origin(error.request.url)
    if "[SSL" in str(error):
        return f"No secure connection to {where}: {error}."
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"Nothing answers at {where}."
    if isinstance(error, httpx.UnsupportedProtocol):
        return "The API's address does not begin with http:// or https://."
    if isinstance(error, httpx.TimeoutException):
        return f"{where} did not answer {call.method} {call.path} in time."
    return f"The connection to {where} broke at {call.method} {call.path}."


def _key(call: Call) -> str | None:
    return call.headers.get("idempotency-key")


def may_have_started(call: Call) -> str:
    return f"It may have been started all the same: repeat it with the idempotency key {_key(call)!r}."
