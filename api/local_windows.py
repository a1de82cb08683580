"""Moving minutes of this process, one for each who asks."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 60


@dataclass(frozen=True)
class Window:
    """Where somebody stands; `reset` is the time on the clock when the next place is free."""

    allowed: bool
    remaining: int
    reset: float


class LocalWindows:
    """By hand: the library's own memory store starts a task with a thread hop for every request, 80 µs where this
    takes 2, and goes by the wall clock.

    `most`: so many are remembered, where anybody may come. Whoever was not heard of longest is forgotten.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most: int | None = None) -> None:
        self._clock = clock
        self._most = most
        self._times: dict[tuple[str, str], deque[float]] = {}

    def hit(self, kind: str, key: str, limit: int) -> Window:
        now = self._clock()
        # Taken out and put back, it is the newest.
        times = self._times.pop((kind, key), None) or deque()
        self._times[kind, key] = times
        if self._most is not None and len(self._times) > self._most:
            del self._times[next(iter(self._times))]
        while times and times[0] <= now - SECONDS:
            times.popleft()
        allowed = len(times) < limit
        if allowed:
            times.append(now)
        # A limit that was lowered may leave more than it allows.
        leaves = times[max(0, len(times) - limit)] + SECONDS
        return Window(allowed, max(0, limit - len(times)), time.time() + leaves - now)

    def is_full(self, kind: str, key: str, limit: int) -> bool:
        """Whether the next hit would be refused."""
        times = self._times.get((kind, key), ())
        return len(times) >= limit and times[-limit] > self._clock() - SECONDS
