"""Toy's three routes. It honours an idempotency key: a repeat names the job that the first one made."""

import json
import secrets
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Rule
from sandbox.inputs import UnusableInput
from sandbox.jobs import Job, State
from sandbox.ledger import Row
from sandbox.media import Medium, PictureOrder
from sandbox.spoil import Call, answered
from sandbox.world import World, account_of

NAME = "toy"
_MODEL = "sketch-1"
_SIDE = 512
_RESULT_SECONDS = 3600.0
_FIELDS = {"model", "prompt", "seed", "picture"}
_WORDS = {
    State.QUEUED: "busy",
    State.RUNNING: "busy",
    State.SUCCEEDED: "done",
    State.CANCELLED: "canceled",
    State.STRANGE: "levitating",
}  # all others: failed


def router(world: World) -> APIRouter:
    routes = APIRouter()
    desk = _Desk(world)
    routes.add_api_route("/jobs", desk.submit, methods=["POST"])
    routes.add_api_route("/jobs/{id}", desk.get, methods=["GET"])
    routes.add_api_route("/jobs/{id}", desk.cancel, methods=["DELETE"])
    return routes


def _error(status: int, reason: str) -> Response:
    return JSONResponse({"reason": reason}, status)


def _key_of(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


class _Desk:
    def __init__(self, world: World) -> None:
        self._world = world
        self._by_key: dict[tuple[str, str], Job] = {}

    async def submit(self, request: Request) -> Response:
        body = json.loads(await request.body())
        row = self._world.ledger.record(NAME, "submit", _MODEL, body, request.headers)

        async def perform(fate: Rule | None) -> Response:
            account = account_of(_key_of(request))
            if account is None:
                return _error(401, "Who are you?")
            named = (account, request.headers.get("idempotency-key", row.times["received"]))
            if named not in self._by_key:
                if fate is not None and fate.kind == "no_credit":
                    return _error(403, "Your piggy bank is empty.")
                if complaint := _complaint_about(body):
                    return _error(400, complaint)
                try:
                    self._by_key[named] = await self._started(body, row, account, fate)
                except UnusableInput as problem:
                    return _error(400, f"The picture is of no use: {problem}.")
            return JSONResponse({"id": self._by_key[named].id})

        return await answered(self._world.faults, Call(NAME, _MODEL, "submit", _error, _key_of(request)), perform)

    async def _started(self, body: dict[str, Any], row: Row, account: str, fate: Rule | None) -> Job:
        picture = await self._world.inputs.load(body["picture"]) if "picture" in body else None
        references = (picture.data,) if picture is not None and picture.data is not None else ()
        order = PictureOrder(body["prompt"], body.get("seed", 0), _SIDE, _SIDE, "jpeg", references)

        async def draw() -> tuple[Medium, ...]:
            return (await self._world.studio.picture(order),)

        job = Job(
            id=secrets.token_hex(8),
            provider=NAME,
            model=_MODEL,
            account=account,
            row=row,
            seconds=self._world.config.picture_seconds,
            draw=draw,
            on_change=self._changed,
            fate=fate,
        )
        self._world.jobs.start(job)
        return job

    def _changed(self, job: Job) -> None:
        if job.state is State.SUCCEEDED:
            [sketch] = job.media
            job.details["sketch"] = self._world.results.publish(
                sketch, provider=NAME, row=job.row, seconds=_RESULT_SECONDS
            )
            job.row.charged = 1

    async def get(self, id: str, request: Request) -> Response:
        async def perform(twist: Rule | None) -> Response:
            job = self._job(id, request)
            if job is None or (shown := job.read(twist)) is State.GONE:
                return _error(404, "Never heard of it.")
            answer = {"id": job.id, "status": _WORDS.get(shown, "failed")}
            if shown is State.SUCCEEDED:
                answer["sketch"] = job.details["sketch"]
            elif answer["status"] == "failed":
                answer["reason"] = "The pencil broke."
            return JSONResponse(answer)

        return await answered(self._world.faults, Call(NAME, _MODEL, "status", _error, _key_of(request)), perform)

    async def cancel(self, id: str, request: Request) -> Response:
        async def perform(_: Rule | None) -> Response:
            job = self._job(id, request)
            if job is None:
                return _error(404, "Never heard of it.")
            if not job.is_active:
                return _error(409, "It is done.")
            self._world.jobs.cancel(job)
            return JSONResponse({})

        return await answered(self._world.faults, Call(NAME, _MODEL, "cancel", _error, _key_of(request)), perform)

    def _job(self, id: str, request: Request) -> Job | None:
        job = self._world.jobs.find(id)
        return job if job is not None and job.account == account_of(_key_of(request)) else None


def _complaint_about(body: dict[str, Any]) -> str:
    if unknown := sorted(body.keys() - _FIELDS):
        return f"What is {unknown[0]}?"
    if body.get("model") != _MODEL:
        return "There is no such model."
    return "" if body.get("prompt") else "Sketch what?"
