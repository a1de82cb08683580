"""A toy provider of safety class A, and its adapter: for what no real provider of the folder does.

The server tells a job's state by how often it was read, so that a job can take a day of skipped time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict

from domain.errors import JobExpired, JobFailed, Refused, StartUnknown, UnexpectedResponse
from domain.media import InputForm, MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import (
    Accepted,
    Canceled,
    CancelOutcome,
    Failed,
    Finished,
    Inputs,
    Job,
    JobRequest,
    JobState,
    Looks,
    Mapped,
    ModelCard,
    Notice,
    Output,
    Pending,
    Succeeded,
    Unsure,
    Window,
)
from net.paid import send_paid
from providers import Loaded
from tests.support.pictures import jpeg

NAME = "toy"
QUICK = Looks(grace=0.0, quick_window=0.0, quick_pause=0.1, pause=1.0, longest_pause=600.0)


class ToyParams(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    prompt: str
    seconds: int | None = None


def card(name: str, kind: MediaKind, **more: Any) -> ModelCard:
    defaults: dict[str, Any] = {
        "inputs": Inputs(0, 4),
        "looks": QUICK,
        "deadline": 7 * 86_400.0,
        "honours_key": True,
    }
    return ModelCard(
        id=f"toy/{name}",
        raw_id=name,
        provider=NAME,
        vendor=NAME,
        kind=kind,
        params=ToyParams,
        endpoint="https://toy.example/jobs",
        price=lambda params, pictures: Cost.exactly(10_000),
        read_neutral=lambda params: MediaRequest(kind=kind, prompt=params.get("prompt")),
        from_neutral=lambda request: Mapped({"prompt": request.prompt} if request.prompt else {}),
        read_inputs=lambda params: ((), dict(params)),
        **(defaults | more),
    )


MODELS = {
    made.id: made
    for made in (
        card("image", MediaKind.IMAGE),
        card("short", MediaKind.IMAGE, deadline=60.0),
        card("hopeless", MediaKind.IMAGE, honours_key=False),
    )
}


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
        async def status(job: str) -> dict[str, str]:
            self.reads += 1
            if self.words:
                return {"status": self.words.pop(0)}
            if self.fail_with:
                return {"status": "failed", "reason": self.fail_with}
            done = await self.is_ready() if self.is_ready else self.reads >= self.ready_after
            return {"status": "done" if done else "busy"}

        @app.delete("/jobs/{job}")
        async def cancel(job: str) -> dict[str, str]:
            self.cancels += 1
            return {}

        @app.get("/files/{job}")
        async def file(job: str) -> Response:
            return Response(jpeg(job), media_type="image/jpeg")

        return app


class Toy:
    accepts: tuple[InputForm, ...] = (InputForm.URL, InputForm.INLINE)

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http, self._url = http, url

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        # As providers do that want an upload first: something that may take long and costs nothing.
        await self._http.get(f"{self._url}/door", timeout=None)
        answer = await send_paid(
            self._http,
            f"{self._url}/jobs",
            provider=NAME,
            body={"prompt": request.params["prompt"]},
            headers={"idempotency-key": key},
            read_timeout=5.0,
        )
        if answer.headers.get("content-type") != "application/json":
            raise StartUnknown("The toy's answer can't be read.")
        return Accepted(Job(answer.json()["id"]))

    async def status(self, job: Job) -> JobState:
        try:
            answer = await self._http.get(f"{self._url}/jobs/{job.id}")
        except httpx.HTTPError as error:
            raise Refused("The toy can't be reached.") from error
        word = answer.json()["status"]
        if word == "done":
            return Succeeded((Output(f"{self._url}/files/{job.id}"),))
        if word == "busy":
            return Pending(word)
        if word == "failed":
            return Failed(JobFailed(answer.json().get("reason", "It failed.")))
        if word == "gone":
            return Failed(JobExpired("The toy forgot it."))
        if word == "canceled":
            return Canceled()
        return Unsure(word, UnexpectedResponse(f"toy says {word!r}, which no sheet knows."))

    async def cancel(self, job: Job) -> CancelOutcome:
        await self._http.delete(f"{self._url}/jobs/{job.id}")
        return CancelOutcome.STOPPED

    async def find(self, model: str, token: str, window: Window) -> Job | None:
        return None

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        return Notice()


def loader(url: str) -> Any:
    def load(env: Mapping[str, str], http: httpx.AsyncClient) -> Loaded:
        return Loaded({NAME: Toy(http, url)}, MODELS, {NAME: "TOY_API_KEY"})

    return load
