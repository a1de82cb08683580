"""RelayDance's routes. There is no cancel, no list and no idempotency key: every accepted submit is one more clip."""

import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from sandbox.faults import Operation, Rule
from sandbox.inputs import InputPicture, UnusableInput
from sandbox.jobs import Job, State
from sandbox.ledger import Row
from sandbox.media import Medium, VideoOrder
from sandbox.providers.relaydance import wording
from sandbox.providers.relaydance.body import Body, parse
from sandbox.providers.relaydance.errors import NAME, Refusal, account_or_401, error, key_of
from sandbox.providers.relaydance.files import Files, form_of
from sandbox.providers.relaydance.models import MODELS, clip_size, takes
from sandbox.spoil import Call, answered
from sandbox.world import World

_TASKS = "/v1/video/generations"
_FRAME_RATE = 24
_KEPT_SECONDS = 24 * 3600
_ECHOED = ("ratio", "resolution", "generate_audio", "watermark")
_DIALECT = re.compile(rf"\[dialect=({'|'.join(wording.DIALECTS)})\]")
_Act = Callable[[str, Rule | None], Awaitable[Response]]


def router(world: World) -> APIRouter:
    routes = APIRouter()
    desk = _Desk(world)
    routes.add_api_route("/v1/files", desk.upload, methods=["POST"])
    routes.add_api_route("/v1/models", desk.list_models, methods=["GET"])
    routes.add_api_route(_TASKS, desk.submit, methods=["POST"])
    routes.add_api_route(_TASKS + "/{id}", desk.get_task, methods=["GET"])
    routes.add_api_route("/u/{name}", desk.get_file, methods=["GET"])
    routes.add_api_route("/{path:path}", _nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return routes


async def _nothing_here() -> Response:
    return error(404, "Invalid URL")


class _Desk:
    def __init__(self, world: World) -> None:
        self._world = world
        self._files = Files(world.config)

    async def upload(self, request: Request) -> Response:
        form = await form_of(request)
        shown = {
            name: {"filename": part.filename, "content_type": part.content_type, "bytes": part.size}
            for name, part in form.items()
            if isinstance(part, UploadFile)
        }
        self._world.ledger.record(NAME, "upload", "", shown, request.headers)

        async def keep(account: str, fate: Rule | None) -> Response:
            return await self._files.keep(form.get("file"))

        try:
            return await self._answer(request, "", "upload", keep)
        finally:
            await form.close()

    async def get_file(self, name: str) -> Response:
        return self._files.fetch(name)

    async def list_models(self, request: Request) -> Response:
        async def listed(account: str, twist: Rule | None) -> Response:
            return JSONResponse({"object": "list", "data": [{"id": model, "object": "model"} for model in MODELS]})

        return await self._answer(request, "", "status", listed)

    async def submit(self, request: Request) -> Response:
        raw = await request.body()
        body = _parsed(raw)
        model = str(body.get("model", "")) if isinstance(body, dict) else ""
        row = self._world.ledger.record(NAME, "submit", model, body, request.headers)

        async def accept(account: str, fate: Rule | None) -> Response:
            order = parse(raw)
            if fate is not None and fate.kind == "no_credit":
                raise Refusal(403, "The account balance is too low.", "insufficient_quota")
            return await self._accept(order, row, account, fate or _marked(order.prompt))

        return await self._answer(request, model, "submit", accept)

    async def _accept(self, body: Body, row: Row, account: str, fate: Rule | None) -> Response:
        pictures = [await self._load(url) for url in body.pictures]
        if not all(takes(MODELS[row.model], picture.width, picture.height) for picture in pictures if picture.data):
            raise Refusal(400, f"metadata.content: {body.model} takes no image of this size")
        job = self._job(body, pictures, row, account, fate)
        rule = self._world.webhooks.at_acceptance(NAME, job.model) if row.callback_url else None
        job.details["was_announced"] = rule is not None and rule.kind == "early"
        self._world.jobs.start(job)
        self._world.tasks.later(_KEPT_SECONDS, lambda: self._world.jobs.forget(job))
        if rule is not None and rule.kind == "early":
            await self._world.webhooks.send_early(wording.notice(job, State.SUCCEEDED))
        elif rule is not None:
            self._world.webhooks.send_forged(wording.notice(job, State.FAILED))
        return JSONResponse(wording.receipt(job))

    async def _load(self, url: str) -> InputPicture:
        """Inferred: whether the gateway looks at pictures itself, or its upstream fails, is not documented."""
        if url.startswith("asset://"):
            return InputPicture()
        try:
            return await self._world.inputs.load(url)
        except UnusableInput as problem:
            raise Refusal(400, f"metadata.content: the image could not be read: {problem}") from problem

    def _job(self, body: Body, pictures: list[InputPicture], row: Row, account: str, fate: Rule | None) -> Job:
        model, metadata = MODELS[row.model], body.metadata
        roles = [item.role for item in metadata.content if item.image_url is not None]
        by_role = dict(zip(roles, pictures, strict=True))
        last = by_role.get("last_frame")
        first = by_role.get("first_frame") or (pictures[0] if pictures else InputPicture())
        resolution = metadata.resolution or ("720p" if "720p" in model.resolutions else model.resolutions[-1])
        width, height = clip_size(resolution, metadata.ratio, (first.width, first.height))
        order = VideoOrder(
            prompt=body.prompt,
            seed=secrets.randbelow(1 << 32),
            width=width,
            height=height,
            frames=int(body.seconds) * _FRAME_RATE + 1,
            sound=metadata.generate_audio is not False if model.sound is None else model.sound,
            first_frame=first.data,
            last_frame=last.data if last else None,
            watermark=bool(metadata.watermark),
        )
        row.callback_url = metadata.callback_url

        async def draw() -> tuple[Medium, ...]:
            return await self._world.studio.video(order)

        marker = _DIALECT.search(body.prompt)
        return Job(
            id=f"task_{secrets.token_hex(8).upper()}",
            provider=NAME,
            model=row.model,
            account=account,
            row=row,
            seconds=self._world.config.video_seconds,
            draw=draw,
            on_change=self._changed,
            fate=fate,
            details={
                "dialect": marker[1] if marker else self._world.config.relaydance_dialect,
                "echo": metadata.model_dump(include=set(_ECHOED), exclude_none=True),
            },
        )

    def _changed(self, job: Job) -> None:
        if job.is_active:
            return
        if job.state is State.SUCCEEDED:
            job.row.charged = 1  # in clips
            self._link(job)
        if job.row.callback_url is not None and not job.details["was_announced"]:
            self._world.webhooks.send(wording.notice(job, job.state))

    def _link(self, job: Job) -> None:
        """A link that has died is followed by a fresh one, so the clip is kept as long as the task."""
        if time.time() < job.details.get("link_dies", 0):
            return
        life = self._world.config.relaydance_result_seconds
        job.details["url"] = self._world.results.publish(job.media[0], provider=NAME, row=job.row, seconds=life)
        job.details["link_dies"] = time.time() + life

    async def get_task(self, id: str, request: Request) -> Response:
        job = self._world.jobs.find(id)

        async def read(account: str, twist: Rule | None) -> Response:
            if job is None or job.provider != NAME or job.account != account or self._is_too_new(job):
                raise _no_task(id)
            shown = job.read(twist)
            if shown is State.GONE:
                raise _no_task(id)
            if shown is State.SUCCEEDED:
                self._link(job)
            return JSONResponse(wording.task_of(job, shown, twist))

        return await self._answer(request, job.model if job else "", "status", read)

    def _is_too_new(self, job: Job) -> bool:
        return time.time() - job.created < self._world.config.relaydance_lag_seconds

    async def _answer(self, request: Request, model: str, operation: Operation, act: _Act) -> Response:
        """What every call goes through: fault rules, the key, and refusals in RelayDance's shape."""

        async def perform(rule: Rule | None) -> Response:
            try:
                return await act(account_or_401(request), rule)
            except Refusal as problem:
                return problem.answer()

        return await answered(self._world.faults, Call(NAME, model, operation, error, key_of(request)), perform)


def _marked(prompt: str) -> Rule | None:
    """A demo's way to see a refusal. Inferred: the makers behind the gateway judge, when it has long taken the task."""
    return Rule(kind="moderated") if "[moderate" in prompt else None


def _no_task(id: str) -> Refusal:
    return Refusal(404, f"The task {id!r} does not exist.")


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
