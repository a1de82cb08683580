"""A caller's callback receiver that remembers what it got and answers what it is told."""

import asyncio
from dataclasses import dataclass, field

from fastapi import FastAPI, Request, Response


@dataclass(frozen=True)
class Call:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    answers: list[int] = field(default_factory=list)
    """Statuses of the next calls; then 200."""
    calls: list[Call] = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/hook")
        async def hook(request: Request) -> Response:
            body = await request.body()
            async with self._arrived:
                self.calls.append(Call(dict(request.headers), body))
                self._arrived.notify_all()
            return Response(status_code=self.answers.pop(0) if self.answers else 200)

        return app

    async def wait_for(self, count: int, *, longest: float = 30.0) -> list[Call]:
        async with asyncio.timeout(longest), self._arrived:
            await self._arrived.wait_for(lambda: len(self.calls) >= count)
            return list(self.calls)
