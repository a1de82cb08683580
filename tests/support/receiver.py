"""A receiver of callbacks and webhooks on a loopback port: it remembers what it got and answers what it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response

from tests.support.serving import serving


@dataclass(frozen=True)
class Call:
    path: str
    """With its query."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    url: str = ""
    status: int = 200
    answers: list[int] = field(default_factory=list)
    """Statuses of the next calls; then `status`."""
    calls: list[Call] = field(default_factory=list)
    _taken: int = 0
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST"])
        async def hook(request: Request) -> Response:
            body = await request.body()
            async with self._arrived:
                path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                self.calls.append(Call(path, dict(request.headers), body))
                self._arrived.notify_all()
            return Response(status_code=self.answers.pop(0) if self.answers else self.status)

        return app

    async def wait_for(self, count: int, *, longest: float = 30.0) -> list[Call]:
        async with asyncio.timeout(longest), self._arrived:
            await self._arrived.wait_for(lambda: len(self.calls) >= count)
            return list(self.calls)

    async def next(self, *, within: float = 10) -> Call:
        """The first call that nobody has taken yet."""
        calls = await self.wait_for(self._taken + 1, longest=within)
        self._taken += 1
        return calls[self._taken - 1]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serving(receiver.app()) as receiver.url:
        yield receiver
