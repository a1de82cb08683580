"""Waiting for a run and listening to it, without any I/O."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from httpx_sse import ServerSentEvent

from babychain_client import calls
from babychain_client.errors import WaitTimeout, read_error
from babychain_client.exchange import (
    STRANGE,
    Call,
    Flow,
    Pause,
    Rates,
    backoff,
    exchange,
    may_pass,
    no_answer,
    not_the_api,
    understood,
)
from babychain_client.states import Event, RunState

LONGEST_POLL = 30.0
"""Seconds that one call waits: two reads a minute. Proxies cut off what is silent for a minute."""

_NOT_HELD = 5.0
"""The pause where the API did not hold a call, because too many are waiting."""

STREAM_PATIENCE = 60.0
"""A live stream is never silent for so long: it carries a sign of life every 15 s."""


def wait(
    run_id: str, timeout: float | None, tries: int, rates: Rates, clock: Callable[[], float] = time.monotonic
) -> Flow[RunState]:
    """The run at its end. The API holds each call until then; nothing is polled in quick succession."""
    end = None if timeout is None else clock() + timeout
    while True:
        left = LONGEST_POLL if end is None else min(LONGEST_POLL, end - clock())
        call = calls.get(run_id, wait=left)
        answer = yield from exchange(call, tries, rates)
        state = understood(call, answer, RunState.read)
        if state.ended:
            return state
        if end is not None and timeout is not None and clock() >= end:
            raise WaitTimeout(state, timeout)
        if "preference-applied" not in answer.headers:
            yield Pause(_NOT_HELD if end is None else max(0.0, min(_NOT_HELD, end - clock())))


@dataclass
class Following:
    """One listener: what it has heard last, and whether and when it comes again after its stream broke off."""

    run_id: str
    tries: int
    seen: str | None = None
    done: bool = False
    _failed: int = 0
    _pause: float = field(default=0.0)
    _url: httpx.URL = field(default_factory=httpx.URL)

    @property
    def call(self) -> Call:
        return calls.events(self.run_id)

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.seen is None else {"last-event-id": self.seen}

    def opened(self, answer: httpx.Response) -> bool:
        """Whether there is something to read. A refusal has been read whole."""
        if answer.status_code == 204:
            self.done = True
            return False
        if answer.is_success:
            self._url = answer.url
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                raise not_the_api(answer.url, self.call)
            return True
        refused = read_error(answer)
        if not may_pass(refused):
            raise refused
        self._failed += 1
        if self._failed >= self.tries:
            raise refused
        self._pause = backoff(self._failed) if refused.retry_after is None else refused.retry_after
        return False

    def heard(self, sse: ServerSentEvent) -> Event | None:
        """None for signs of life, and for what this version does not know."""
        try:
            event = Event.read(sse.event, sse.id or None, json.loads(sse.data)) if sse.data else None
        except STRANGE as error:
            raise not_the_api(self._url, self.call) from error
        if event is None:
            return None
        self._failed = 0
        self._pause = 0.0
        if event.kind == "end":
            self.done = True
        if event.id:
            self.seen = event.id
        return event

    def broke_off(self, error: httpx.TransportError) -> None:
        self._failed += 1
        if self._failed >= self.tries:
            raise no_answer(self.call, error) from error
        self._pause = backoff(self._failed)

    def pause(self) -> float:
        """Seconds until it comes again: a stream that just ended, without its end, is followed at once but once."""
        seconds, self._pause = self._pause, 1.0
        return seconds
