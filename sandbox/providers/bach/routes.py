"""Bach's two routes. There is no cancel, no list and no idempotency key: every accepted POST is one more paid task."""

import json
import secrets
import uuid
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sandbox.faults import Rule
from sandbox.inputs import InputPicture, UnusableInput
from sandbox.jobs import Job, State
from sandbox.ledger import Row
from sandbox.media import Medium, VideoOrder
from sandbox.providers.bach import wording
from sandbox.providers.bach.credits import Credits, no_credit
from sandbox.providers.bach.order import MODEL, Order, complaint_about, moderated, parse, video_size
from sandbox.providers.bach.tokens import account_or_401, token_of
from sandbox.providers.bach.wording import NAME, BachError, error, invalid, success
from sandbox.spoil import Call, answered
from sandbox.world import World

_PATH = "/videos/image2video"
_WEEK = 7 * 24 * 3600  # how long Bach remembers a task is not published


def router(world: World) -> APIRouter:
    routes = APIRouter()
    accounts = Credits()
    desk = _Desk(world, accounts)
    routes.include_router(accounts.router())
    routes.add_api_route(_PATH, desk.create, methods=["POST"])
    routes.add_api_route(_PATH + "/{task_id}", desk.query, methods=["GET"])
    routes.add_api_route("/{path:path}", _nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return routes


async def _nothing_here() -> Response:
    return error(404, "Not Found")


class _Desk:
    def __init__(self, world: World, credits: Credits) -> None:
        self._world = world
        self._credits = credits

    async def create(self, request: Request) -> Response:
        raw = await request.body()
        row = self._world.ledger.record(NAME, "submit", MODEL, _parsed(raw), request.headers)

        async def perform(fate: Rule | None) -> Response:
            try:
                account = account_or_401(request)
                return await self._accept(parse(raw, self._world.config), row, account, fate)
            except BachError as problem:
                return problem.answer()

        return await answered(self._world.faults, Call(NAME, MODEL, "submit", error, token_of(request)), perform)

    async def _accept(self, order: Order, row: Row, account: str, fate: Rule | None) -> Response:
        if fate is not None and fate.kind == "no_credit":
            raise no_credit()
        if fate is not None and fate.kind == "moderated" and fate.stage == "input":
            raise moderated()
        picture, complaint = await self._look_at(order.image_url)
        if complaint:
            fate = Rule(kind="failed")
        elif fate is None and order.is_marked("[moderate-output]"):
            fate = Rule(kind="moderated")
        self._credits.take(account, order.duration)
        row.callback_url = order.callback_url
        job = self._job(order, picture, row, account, fate)
        job.details["complaint"] = complaint
        rule = self._world.webhooks.at_acceptance(NAME, job.model) if row.callback_url else None
        job.details["was_announced"] = rule is not None and rule.kind == "early"
        self._world.jobs.start(job)
        self._world.tasks.later(_WEEK, lambda: self._world.jobs.forget(job))
        if rule is not None and rule.kind == "early":
            await self._world.webhooks.send_early(wording.early_notice(job))
        elif rule is not None:
            self._world.webhooks.send_forged(wording.forged_notice(job))
        return success({"task_id": job.id, "create_at": int(job.created)})

    async def _look_at(self, url: str) -> tuple[InputPicture, str]:
        """The picture, and what ends the task about it. By default a bad one is refused at once (inferred)."""
        picture, complaint = InputPicture(), ""
        try:
            picture = await self._world.inputs.load(url)
            complaint = complaint_about(picture)
        except UnusableInput as problem:
            complaint = f"The image could not be read: {problem}."
        if complaint and not self._world.config.bach_judges_pictures_late:
            raise invalid(complaint)
        return picture, complaint

    def _job(self, order: Order, picture: InputPicture, row: Row, account: str, fate: Rule | None) -> Job:
        width, height = video_size(order.resolution, picture)
        film = VideoOrder(
            prompt=order.prompt,
            seed=secrets.randbelow(10_000_001) if order.seed is None else order.seed,
            width=width,
            height=height,
            frames=order.duration * order.fps,
            sound=order.generate_audio,
            first_frame=picture.data,
            frame_rate=order.fps,
        )

        async def draw() -> tuple[Medium, ...]:
            return await self._world.studio.video(film)

        return Job(
            id=str(uuid.uuid4()),
            provider=NAME,
            model=row.model,
            account=account,
            row=row,
            seconds=self._world.config.video_seconds,
            draw=draw,
            on_change=self._changed,
            fate=fate,
            details={"duration": order.duration},
        )

    def _changed(self, job: Job) -> None:
        if job.is_active:
            return
        if job.state is State.SUCCEEDED:
            seconds = self._world.config.bach_result_seconds
            [film] = job.media
            job.details["video_url"] = self._world.results.publish(film, provider=NAME, row=job.row, seconds=seconds)
            job.media = ()  # from here the results keep the file
            job.row.charged = job.details["duration"]
        else:
            self._credits.give_back(job.account, job.details["duration"])
        if job.row.callback_url is not None and not job.details["was_announced"]:
            self._world.webhooks.send(wording.notice(job))

    async def query(self, task_id: str, request: Request) -> Response:
        job = self._world.jobs.find(task_id)

        async def perform(twist: Rule | None) -> Response:
            try:
                account = account_or_401(request)
            except BachError as problem:
                return problem.answer()
            if job is None or job.provider != NAME or job.account != account:
                return error(404, "Task not found.")
            shown = job.read(twist)
            if shown is State.GONE:
                return error(404, "Task not found.")
            return success(wording.task_of(job, shown, twist or job.fate))

        call = Call(NAME, MODEL, "status", error, token_of(request))
        return await answered(self._world.faults, call, perform)


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
