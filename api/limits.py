"""How often a key may ask: a moving minute for creates and one for reads, here and, by Redis, in all API processes."""

import math
import time
from dataclasses import dataclass
from enum import StrEnum

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.callers import Caller
from api.local_windows import SECONDS, LocalWindows
from api.shared_windows import SharedWindows
from domain.errors import LimitError


class Kind(StrEnum):
    CREATES = "creates"
    READS = "reads"


@dataclass(frozen=True)
class Standing:
    """Where a key stands after a request; `reset` is the time on the clock when the next place is free."""

    kind: Kind
    limit: int
    remaining: int
    reset: float
    allowed: bool

    @property
    def seconds(self) -> int:
        return max(1, math.ceil(self.reset - time.time()))


class Limits:
    """The local window is counted always, so that Redis going away is no new situation: this process then goes by
    its own share of the key's rate, never without a limit and never closed."""

    def __init__(self, *, creates: int, reads: int, processes: int = 1, shared: SharedWindows | None = None) -> None:
        self._rates = {Kind.CREATES: creates, Kind.READS: reads}
        self._processes = processes
        self._shared = shared
        # Only keys that were found valid come here, so there are as many as there are keys.
        self._local = LocalWindows()

    async def spend(self, caller: Caller, kind: Kind) -> Standing:
        own = caller.creates_per_minute if kind is Kind.CREATES else caller.reads_per_minute
        limit = own or self._rates[kind]
        share = math.ceil(limit / self._processes)
        local = self._local.hit(kind, caller.key or caller.id, share)
        shared = await self._shared.hit(kind, caller.key or caller.id, limit) if self._shared else None
        window, limit = (local, share) if shared is None else (shared, limit)
        return Standing(kind, limit, window.remaining, window.reset, window.allowed)


def refuse_excess(standing: Standing) -> None:
    if not standing.allowed:
        raise LimitError(
            f"This key has used its {standing.limit} {standing.kind} a minute; try again in {standing.seconds} s.",
            retry_after=standing.seconds,
            facts={"limit": standing.limit, "remaining": 0, "reset": math.ceil(standing.reset * 1000)},
        )


class RateLimitHeaders:
    """Says on every limited answer where the key stands, in the form of the IETF's draft on RateLimit fields."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_told(message: Message) -> None:
            standing: Standing | None = scope.get("state", {}).get("rate_limit")
            if standing is not None and message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["ratelimit-policy"] = f'"{standing.kind}";q={standing.limit};w={SECONDS}'
                headers["ratelimit"] = f'"{standing.kind}";r={standing.remaining};t={standing.seconds}'
            await send(message)

        await self._app(scope, receive, send_told)
