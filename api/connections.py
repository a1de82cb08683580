"""What a connection may cost: time to ask and to take the answer, and one of so many places. uvicorn's, by `--http`.

uvicorn itself keeps headers of any size, and waits for ever for them, for the rest of a body whose answer has been
given, and for a reader who has stopped. Its own bound on connections would turn webhooks and cancels away as soon as
many callers listen to events.
"""

import asyncio
from typing import ClassVar

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger("babychain.api")

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class GuardedConnection(HttpToolsProtocol):
    """Closed when a request's headers are not whole in time or grow too large, or when what was written is not taken in
    time. When all places are taken, whoever keeps us waiting longest makes room for a new one: no request that is whole
    is cut off."""

    header_seconds: ClassVar[float] = 10.0
    header_bytes: ClassVar[int] = 65_536
    """In a row, and none of it body: headers, and the trailers of a body. The piece that ends them is not counted."""
    write_seconds: ClassVar[float] = 60.0
    """For what is written at once. Files are written by 256 KiB, so whoever takes 5 kB a second gets a whole one."""
    most: ClassVar[int] = 900
    """Below the 1,024 files that a process may usually hold open: the database and Temporal need some."""

    waiting_since: float | None = None
    """For headers, for a body, or for the next request; None while a request is answered."""
    bytes_in_a_row: int = 0
    _overdue: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        if len(self.connections) >= self.most and not self._make_room():
            log.warning("connections_exhausted", most=self.most)
            transport.abort()
            return
        super().connection_made(transport)
        # Told of every byte that the system did not take at once: also of an answer's end, for whose sake a closed
        # connection would stay.
        transport.set_write_buffer_limits(high=0)
        self._wait_for_headers()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._untaken = self.loop.call_later(self.write_seconds, self._give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting_for_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting_for_headers()
        self._stop_waiting_for_reader()
        if self.transport is not None:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.bytes_in_a_row += len(data)
        super().data_received(data)
        if self.bytes_in_a_row > self.header_bytes and not self.transport.is_closing():
            self._refuse_headers()
        if not self._is_answering():
            # The beginning of a request, or the rest of a body whose answer has been given.
            self._wait_for_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.waiting_since = self.loop.time()
        self.bytes_in_a_row = 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.bytes_in_a_row = 0
        self._stop_waiting_for_headers()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self.bytes_in_a_row = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.bytes_in_a_row = 0
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

    def _refuse_headers(self) -> None:
        if self._is_answering():
            # Whatever we said would be taken for a part of that answer.
            self.transport.abort()
            return
        self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _give_up(self) -> None:
        log.info("answer_not_taken", seconds=self.write_seconds)
        self.transport.abort()

    def _stop_waiting_for_reader(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

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
