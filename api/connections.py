"""What a connection may cost: time to say what it wants, and one of so many places. Given to uvicorn by `--http`.

uvicorn itself waits for ever for headers, and for the rest of a body whose answer has been given. Its own bound on
connections would turn webhooks and cancels away as soon as many callers listen to events.
"""

import asyncio
from typing import ClassVar

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger("babychain.api")


class GuardedConnection(HttpToolsProtocol):
    """Closed when a request's headers are not whole in time. When all places are taken, whoever keeps us waiting
    longest makes room for a new one: no request that is whole is cut off."""

    header_seconds: ClassVar[float] = 10.0
    most: ClassVar[int] = 900
    """Below the 1,024 files that a process may usually hold open: the database and Temporal need some."""

    waiting_since: float | None = None
    """For headers, for a body, or for the next request; None while a request is answered."""
    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if len(self.connections) >= self.most and not self._make_room():
            log.warning("connections_exhausted", most=self.most)
            transport.abort()
            return
        super().connection_made(transport)
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting_for_headers()
        if self.transport is not None:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_answering():
            # The beginning of a request, or the rest of a body whose answer has been given.
            self._wait_for_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.waiting_since = self.loop.time()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._stop_waiting_for_headers()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.waiting_since = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_answering():
            self.waiting_since = self.loop.time()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_headers(self) -> None:
        """A byte now and then does not lengthen it."""
        self.waiting_since = self.waiting_since or self.loop.time()
        if self._overdue is None:
            self._overdue = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _stop_waiting_for_headers(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _make_room(self) -> bool:
        waiting = {one: one.waiting_since for one in self.connections if isinstance(one, GuardedConnection)}
        since = {one: moment for one, moment in waiting.items() if moment is not None}
        if not since:
            return False
        longest = min(since, key=since.__getitem__)
        # It leaves the set by itself only in the loop's next turn.
        self.connections.discard(longest)
        longest.transport.abort()
        return True
