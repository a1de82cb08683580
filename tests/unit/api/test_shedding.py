"""What is refused under load, in which order, and what never is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from api.shedding import SheddingMiddleware
from domain.errors import UnavailableError
from tests.support.waiting import eventually

CREATE = ("POST", "/api/v1/chains/chain1/runs")
READ = ("GET", "/api/v1/chains/get/00000000-0000-4000-8000-000000000000")
WAIT = (*READ, "respond-async, wait=30")
STREAM = ("GET", "/api/v1/chains/00000000-0000-4000-8000-000000000000/events")
NEVER = [
    ("POST", "/api/v1/chains/cancel/00000000-0000-4000-8000-000000000000"),
    ("POST", "/api/webhooks/bfl/token"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/assets/picture.jpeg"),
]


class Service:
    """Answers when it is told to; a stream begins its answer at once, and a wait listens for its caller's leaving."""

    def __init__(self) -> None:
        self.shed = SheddingMiddleware(self._app, creates_refused_at=2, reads_refused_at=4, jitter=lambda: 1.0)
        self.entered = 0
        self._go = asyncio.Event()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered += 1
        while (await receive()).get("more_body"):
            pass
        begin = {"type": "http.response.start", "status": 200, "headers": []}
        if scope["path"].endswith("/events"):
            await send(begin)
            await self._go.wait()
        else:
            waits = b"wait" in dict(scope["headers"])[b"prefer"]
            leaving = asyncio.ensure_future(receive() if waits else self._go.wait())
            await self._go.wait()
            leaving.cancel()
            await send(begin)
        await send({"type": "http.response.body", "body": b""})

    async def ask(
        self, method: str, path: str, prefer: str = "", *, body: AsyncIterator[bytes] | None = None
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.shed)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(method, path, headers={"prefer": prefer}, content=body)

    @asynccontextmanager
    async def busy_with(self, *requests: tuple[str, ...]) -> AsyncIterator[None]:
        """All of them in work, until the block ends and they end well."""
        self._go.clear()
        tasks = []
        for request in requests:
            there = self.entered
            tasks.append(asyncio.create_task(self.ask(*request)))
            await self.reached(there + 1)
        yield
        self._go.set()
        assert {answer.status_code for answer in await asyncio.gather(*tasks)} == {200}

    async def reached(self, count: int) -> None:
        async def entered() -> int:
            return self.entered

        await eventually(entered, lambda there: there == count)

    async def takes(self, method: str, path: str) -> bool:
        """Whether a request of this kind reaches the routes now."""
        before = self.entered
        task = asyncio.create_task(self.ask(method, path))

        async def decided() -> bool:
            return task.done() or self.entered > before

        await eventually(decided, bool)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return self.entered > before


async def test_creates_are_refused_first_and_then_reads() -> None:
    service = Service()
    async with service.busy_with(CREATE):
        assert await service.takes(*CREATE)
    async with service.busy_with(CREATE, READ):
        assert not await service.takes(*CREATE)
        assert await service.takes(*READ)
    async with service.busy_with(CREATE, READ, READ, READ):
        assert not await service.takes(*READ)
    async with service.busy_with(READ):
        assert await service.takes(*CREATE)


@pytest.mark.parametrize(("method", "path"), NEVER)
async def test_cancels_webhooks_health_and_files_are_never_refused(method: str, path: str) -> None:
    service = Service()
    async with service.busy_with(*[READ] * 4):
        assert await service.takes(method, path)


async def test_streams_and_waits_are_no_work_once_they_only_wait() -> None:
    service = Service()
    async with service.busy_with(*[STREAM, WAIT, (*CREATE, "wait=30")] * 9):
        assert await service.takes(*CREATE)


async def test_they_too_are_refused_under_load() -> None:
    service = Service()
    async with service.busy_with(*[READ] * 4):
        answer = await service.ask(*WAIT)
        assert answer.status_code == 503
        assert not await service.takes(*STREAM)


async def test_the_refusal_says_when_to_come_back_and_that_it_may_be_repeated() -> None:
    service = Service()
    async with service.busy_with(*[READ] * 4):
        answer = await service.ask(*CREATE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["cache-control"] == "no-store"
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("api_error", "overloaded")


async def test_bodies_that_do_not_come_take_nobodys_place() -> None:
    service, rest = Service(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await rest.wait()
        yield b"}"

    slow = [asyncio.create_task(service.ask(*CREATE, body=slowly())) for _ in range(9)]
    await service.reached(len(slow))
    async with service.busy_with(CREATE):
        # When all are whole at once, one more is let in: there is room for two.
        rest.set()
        refused = asyncio.gather(*slow, return_exceptions=True)
        await eventually(lambda: _done(slow), lambda done: done == 8)
    [let_in] = [answer for answer in await refused if isinstance(answer, httpx.Response)]
    assert let_in.status_code == 200
    assert {answer.reason for answer in await refused if isinstance(answer, UnavailableError)} == {"overloaded"}


async def _done(tasks: list[asyncio.Task[httpx.Response]]) -> int:
    return sum(task.done() for task in tasks)


async def test_a_request_that_goes_away_gives_its_place_back() -> None:
    service = Service()
    async with service.busy_with(CREATE):
        for _ in range(5):
            assert await service.takes(*CREATE)
