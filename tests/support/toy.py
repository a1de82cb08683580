"""The worked example of a provider, of safety class A, against a server that does what no real provider would.

The server tells a job's state by how often it was read, so that a job can take a day of skipped time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request, Response

from docs.toy.providers import toy as example
from domain.provider import Inputs, Looks, ModelCard
from providers import Loaded
from tests.support.pictures import jpeg

NAME = example.NAME
QUICK = Looks(grace=0.0, quick_window=0.0, quick_pause=0.1, pause=1.0, longest_pause=600.0)


def card(name: str, **more: Any) -> ModelCard:
    """The example's model, patient for a week of skipped time."""
    sketch = example.MODELS["toy/sketch-1"]
    changed: dict[str, Any] = {"inputs": Inputs(0, 4), "looks": QUICK, "deadline": 7 * 86_400.0} | more
    return replace(sketch, id=f"toy/{name}", raw_id=name, **changed)


MODELS = {made.id: made for made in (card("image"), card("short", deadline=60.0), card("hopeless", honours_key=False))}


@dataclass
class ToyServer:
    """What the toy provider does next, and what it was asked."""

    ready_after: int = 1
    fail_with: str | None = None
    words: list[str] = field(default_factory=list)
    submit_answers: list[int | str] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    submits: int = 0
    reads: int = 0
    cancels: int = 0
    is_ready: Callable[[], Awaitable[bool]] | None = None
    """Says whether jobs are done, in place of the number of reads."""
    door: asyncio.Event | None = None
    """Holds back whoever is about to submit."""
    waiting: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/door")
        async def wait_at_the_door() -> dict[str, str]:
            self.waiting += 1
            if self.door is not None:
                await self.door.wait()
            return {}

        @app.post("/jobs")
        async def submit(request: Request) -> Response:
            self.submits += 1
            key = request.headers["idempotency-key"]
            planned = self.submit_answers.pop(0) if self.submit_answers else 200
            if isinstance(planned, int) and planned != 200:
                return Response("busy", planned, {"retry-after": "1"})
            job = self.jobs.setdefault(key, str(uuid4()))
            if planned == "silent":
                await asyncio.Event().wait()
            if planned == "lost":
                return Response("not json at all", 200)
            return Response(f'{{"id": "{job}"}}', media_type="application/json")

        @app.get("/jobs/{job}")
        async def status(job: str, request: Request) -> dict[str, str]:
            self.reads += 1
            if self.words:
                return {"status": self.words.pop(0)}
            if self.fail_with:
                return {"status": "failed", "reason": self.fail_with}
            done = await self.is_ready() if self.is_ready else self.reads >= self.ready_after
            return {"status": "done", "sketch": f"{request.base_url}files/{job}"} if done else {"status": "busy"}

        @app.delete("/jobs/{job}")
        async def cancel(job: str) -> dict[str, str]:
            self.cancels += 1
            return {}

        @app.get("/files/{job}")
        async def file(job: str) -> Response:
            return Response(jpeg(job), media_type="image/jpeg")

        return app


class Toy(example.Toy):
    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        super().__init__(http, "toy-key-123", base=url)


def loader(url: str) -> Any:
    """The toy at this address. Whoever submits is held at its door first, just before the request is sent."""

    async def wait_at_the_door(request: httpx.Request) -> None:
        if request.method == "POST" and request.url.path == "/jobs":
            async with httpx.AsyncClient(trust_env=False, timeout=None) as http:  # noqa: S113 - as long as it takes
                await http.get(f"{url}/door")

    def load(env: Mapping[str, str], http: httpx.AsyncClient) -> Loaded:
        http.event_hooks = {"request": [wait_at_the_door]}
        return Loaded({NAME: Toy(http, url)}, MODELS, {NAME: example.KEY_NAME})

    return load
