"""Connections that ask for nothing, or for too much time, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.importer import import_from_string
from uvicorn.server import ServerState

from api.connections import GuardedConnection
from cli.serve import part_command
from tests.support.waiting import eventually

ASK = b"GET / HTTP/1.1\r\nhost: api\r\n\r\n"
HALF_HEADERS = b"GET / HTTP/1.1\r\nhost: a"
HALF_BODY = b"POST / HTTP/1.1\r\nhost: api\r\ncontent-length: 50\r\n\r\n1"
CHUNKED = b"POST / HTTP/1.1\r\nhost: api\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\n"
CHUNK = bytes(1024)


class Hasty(GuardedConnection):
    header_seconds = 0.3


class Impatient(GuardedConnection):
    write_seconds = 0.3


class Narrow(GuardedConnection):
    most = 3


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes = ASK) -> bytes:
        """The first line of the answer."""
        self.writer.write(request)
        return await self.reader.readline()

    async def answer(self) -> bytes:
        """What is left of it: it has no length of its own."""
        return await self.reader.readuntil(b"0\r\n\r\n")

    async def closed(self) -> bool:
        """Once the server has closed it, whatever it said before."""
        async with asyncio.timeout(30):
            with suppress(ConnectionError):
                await self.reader.read()
        return True


@dataclass
class Server:
    """Answers when it is told to; `/at-once` needs nothing but the headers. `/endless` never ends, and `/whole` does
    as soon as something of it has not left this process."""

    port: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    lines: list[Line] = field(default_factory=list)
    state: ServerState = field(default_factory=ServerState)
    sent: int = 0

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered.release()
        if scope["path"] in ("/endless", "/whole"):
            await self._send_much(send, until_untaken=scope["path"] == "/whole")
            return
        if scope["path"] == "/events":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
        if scope["path"] != "/at-once":
            await self.go.wait()
        if scope["path"] != "/events":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"last"})

    async def _send_much(self, send: Send, *, until_untaken: bool) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        while self.state.connections and not (until_untaken and self._untaken()):
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
            self.sent += len(CHUNK)
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})

    def _untaken(self) -> bool:
        return any(connection.transport.get_write_buffer_size() for connection in self.state.connections)

    async def open_connections(self) -> int:
        return len(self.state.connections)

    async def begun(self) -> bool:
        """Whether something of the one request has been read."""
        return any(connection.scope is not None for connection in self._guarded())

    async def bytes_in_a_row(self) -> int:
        return sum(connection.bytes_in_a_row for connection in self._guarded())

    def _guarded(self) -> list[GuardedConnection]:
        return [one for one in self.state.connections if isinstance(one, GuardedConnection)]

    async def untaken(self) -> bool:
        return self._untaken()

    async def open(self, first: bytes = b"") -> Line:
        line = Line(*await asyncio.open_connection("127.0.0.1", self.port))
        self.lines.append(line)
        line.writer.write(first)
        return line

    async def works_on(self, first: bytes) -> Line:
        line = await self.open(first)
        async with asyncio.timeout(30):
            await self.entered.acquire()
        return line


@asynccontextmanager
async def serving(protocol: type[GuardedConnection]) -> AsyncIterator[Server]:
    server = Server()
    config = Config(server.app, interface="asgi3", log_config=None, lifespan="off", timeout_keep_alive=60)
    config.load()
    state = server.state
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    server.go.set()
    try:
        yield server
    finally:
        listener.close()
        server.go.set()
        for line in server.lines:
            line.writer.transport.abort()
        await asyncio.gather(*state.tasks)


def test_the_command_gives_it_to_uvicorn() -> None:
    command = part_command("api")
    assert import_from_string(command[command.index("--http") + 1]) is GuardedConnection


async def test_who_does_not_say_what_it_wants_is_closed() -> None:
    async with serving(Hasty) as server:
        for first in (b"", HALF_HEADERS):
            assert await (await server.open(first)).closed()


async def test_a_byte_now_and_then_does_not_help() -> None:
    async with serving(Hasty) as server:
        line = await server.open(HALF_HEADERS)

        async def trickle() -> None:
            while True:
                line.writer.write(b"a")
                await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        assert await line.closed()
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)


@pytest.mark.parametrize("begun", [HALF_HEADERS + b"\r\n", CHUNKED, CHUNKED.replace(b"/ ", b"/at-once ", 1)])
@pytest.mark.parametrize("more", [b"a" * 4096, b"x: a\r\n" * 700])
async def test_headers_and_trailers_that_go_on_and_on_are_cut_off(begun: bytes, more: bytes) -> None:
    async with serving(GuardedConnection) as server:
        server.go.clear()
        line = await server.open(begun + b"x: ")
        with suppress(ConnectionError):
            for _ in range(1000):
                line.writer.write(more)
                await line.writer.drain()
                # Each piece is read by itself.
                await asyncio.sleep(0)
        assert await line.closed()


async def test_headers_that_are_too_large_are_told_so() -> None:
    async with serving(GuardedConnection) as server:
        line = await server.open(HALF_HEADERS)
        await eventually(server.begun, bool)
        line.writer.write(b"a" * 1000)
        await eventually(server.bytes_in_a_row, lambda count: count == 1000)
        line.writer.write(b"a" * (GuardedConnection.header_bytes - 999))
        assert b" 431 " in await line.reader.readline()
        assert await line.closed()


async def test_large_bodies_and_a_next_request_are_not_taken_for_headers() -> None:
    async with serving(GuardedConnection) as server:
        line = await server.open()
        large = b"POST /at-once HTTP/1.1\r\nhost: api\r\ncontent-length: 300000\r\n\r\n"
        for _ in range(3):
            assert await line.ask(large) == ANSWER
            await line.answer()
            for _ in range(30):
                line.writer.write(b"a" * 10_000)
                await line.writer.drain()
                await asyncio.sleep(0)
        assert await line.ask() == ANSWER


async def test_the_next_request_of_a_connection_has_the_same_time_for_its_headers() -> None:
    async with serving(Hasty) as server:
        line = await server.open()
        assert await line.ask() == ANSWER
        await line.answer()
        line.writer.write(HALF_HEADERS)
        assert await line.closed()


async def test_the_rest_of_an_answered_body_is_not_waited_for() -> None:
    async with serving(Hasty) as server:
        line = await server.open()
        assert await line.ask(HALF_BODY.replace(b"/ ", b"/at-once ", 1)) == ANSWER
        await line.answer()
        line.writer.write(b"2")
        assert await line.closed()


async def test_a_slow_answer_a_stream_and_an_idle_connection_are_left_alone() -> None:
    async with serving(Hasty) as server:
        idle = await server.open()
        assert await idle.ask() == ANSWER
        await idle.answer()
        server.go.clear()
        slow, stream = await server.works_on(ASK), await server.works_on(ASK.replace(b"/ ", b"/events ", 1))
        assert await stream.reader.readline() == ANSWER
        # As long as this one, of which nothing is heard, and which came later, is not closed.
        assert await (await server.open()).closed()
        server.go.set()
        assert await slow.reader.readline() == ANSWER
        assert b"last" in await stream.answer()
        assert await idle.ask() == ANSWER


@pytest.mark.parametrize("path", ["/endless", "/whole"])
async def test_who_does_not_take_the_answer_is_closed(path: str) -> None:
    """Also when all of it has been written, and only the way to the reader is full."""
    async with serving(Impatient) as server:
        await server.works_on(ASK.replace(b"/ ", path.encode() + b" ", 1))
        await eventually(server.open_connections, lambda count: count == 0)


async def test_who_stops_reading_for_a_while_gets_the_whole_answer() -> None:
    async with serving(GuardedConnection) as server:
        line = await server.works_on(ASK.replace(b"/ ", b"/whole ", 1))
        await eventually(server.untaken, bool)
        async with asyncio.timeout(30):
            _, _, body = (await line.reader.read(-1)).partition(b"\r\n\r\n")
        assert body.count(b"\0") == server.sent


async def test_who_keeps_us_waiting_longest_makes_room() -> None:
    async with serving(Narrow) as server:
        server.go.clear()
        working = await server.works_on(ASK)
        body = await server.works_on(HALF_BODY)
        idle = await server.open()
        assert await idle.ask(ASK.replace(b"/ ", b"/at-once ", 1)) == ANSWER
        newest = await server.works_on(ASK)
        assert await body.closed()
        another = await server.works_on(ASK)
        assert await idle.closed()
        server.go.set()
        assert [await line.reader.readline() for line in (working, newest, another)] == [ANSWER] * 3


async def test_when_every_place_is_at_work_a_new_connection_is_refused() -> None:
    async with serving(Narrow) as server:
        server.go.clear()
        working = [await server.works_on(ASK) for _ in range(3)]
        assert await (await server.open(ASK)).closed()
        server.go.set()
        assert [await line.reader.readline() for line in working] == [ANSWER] * 3
