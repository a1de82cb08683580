"""The Temporal server's clock, as an activity can know it: workers' own clocks differ."""

import time
from datetime import UTC, datetime, timedelta

from temporalio import activity


class ServerClock:
    """Made when an activity begins: the moment at which the server started it, carried on by the monotonic clock."""

    def __init__(self, until: datetime | None = None) -> None:
        info = activity.info()
        self._started = info.started_time.astimezone(UTC)
        self._began = time.monotonic()
        self._until = until

    def now(self) -> datetime:
        return self._started + timedelta(seconds=time.monotonic() - self._began)

    def left(self) -> float:
        """Seconds until another try is pointless."""
        return float("inf") if self._until is None else (self._until - self.now()).total_seconds()
