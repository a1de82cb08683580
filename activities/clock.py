"""The Temporal server's clock, as an activity can know it: workers' own clocks differ."""

import time
from datetime import UTC, datetime, timedelta

from temporalio import activity


class ServerClock:
    """Made when an activity begins: the moment at which the server started it, carried on by the monotonic clock."""

    def __init__(self) -> None:
        info = activity.info()
        self._started = info.started_time.astimezone(UTC)
        self._began = time.monotonic()
        self._gives_up = None
        if info.schedule_to_close_timeout is not None:
            self._gives_up = info.scheduled_time + info.schedule_to_close_timeout

    def now(self) -> datetime:
        return self._started + timedelta(seconds=time.monotonic() - self._began)

    def left(self) -> float:
        """Seconds until the server gives this activity up, with all its retries."""
        return float("inf") if self._gives_up is None else (self._gives_up - self.now()).total_seconds()
