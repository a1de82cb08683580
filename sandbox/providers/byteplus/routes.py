"""Ark's routes, and what every call goes through: key, model, fault rules, and errors in Ark's shape."""

import json
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sandbox.faults import NEED_AN_ID, Operation, Rule
from sandbox.ledger import Row
from sandbox.providers.byteplus.errors import NAME, ArkError, account_or_401, error, key_of
from sandbox.providers.byteplus.images import Images
from sandbox.providers.byteplus.models import IMAGE_MODELS, VIDEO_MODELS
from sandbox.providers.byteplus.videos import Videos
from sandbox.spoil import Call, answered
from sandbox.world import World

_TASKS = "/contents/generations/tasks"
_Create = Callable[[bytes, Row, str, Rule | None], Awaitable[Response]]


def router(world: World) -> APIRouter:
    routes = APIRouter()
    desk = _Desk(world)
    base = "/api/v3"
    routes.add_api_route(f"{base}/images/generations", desk.generate_image, methods=["POST"])
    routes.add_api_route(base + _TASKS, desk.create_task, methods=["POST"])
    routes.add_api_route(base + _TASKS, desk.list_tasks, methods=["GET"])
    routes.add_api_route(base + _TASKS + "/{id}", desk.get_task, methods=["GET"])
    routes.add_api_route(base + _TASKS + "/{id}", desk.delete_task, methods=["DELETE"])
    # There is no `/cancel` or `/stop`: a POST to one makes a new paid task, and a client that probes finds out here.
    routes.add_api_route(base + _TASKS + "/{rest:path}", desk.create_task, methods=["POST"])
    routes.add_api_route("/{path:path}", _nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return routes


async def _nothing_here() -> Response:
    return error(404, "The requested path does not exist.")


class _Desk:
    def __init__(self, world: World) -> None:
        self._world = world
        self._images = Images(world)
        self._videos = Videos(world)

    async def generate_image(self, request: Request) -> Response:
        return await self._submit(request, IMAGE_MODELS, self._images.generate, unfit=NEED_AN_ID)

    async def create_task(self, request: Request) -> Response:
        return await self._submit(request, VIDEO_MODELS, self._videos.create)

    async def _submit(
        self, request: Request, models: Collection[str], create: _Create, unfit: frozenset[str] = frozenset()
    ) -> Response:
        raw = await request.body()
        body = _parsed(raw)
        model = str(body.get("model", "")) if isinstance(body, dict) else ""
        row = self._world.ledger.record(NAME, "submit", model, body, request.headers)

        async def perform(fate: Rule | None) -> Response:
            try:
                account = account_or_401(request)
                self._check(model, models, body, fate)
                return await create(raw, row, account, fate)
            except ArkError as problem:
                return problem.answer()

        call = Call(NAME, model, "submit", error, key_of(request), unfit)
        return await answered(self._world.faults, call, perform)

    def _check(self, model: str, models: Collection[str], body: Any, fate: Rule | None) -> None:
        if not isinstance(body, dict):
            raise ArkError(400, "InvalidParameter", "The request body is not a JSON object.")
        if not model:
            raise ArkError(400, "MissingParameter", "The request is missing the parameter `model`.", "model")
        if model not in models:
            message = f"The model or endpoint {model} does not exist or you do not have access to it."
            raise ArkError(404, "InvalidEndpointOrModel.NotFound", message)
        if model in self._world.config.byteplus_unopened:
            raise ArkError(404, "ModelNotOpen", f"Your account has not activated the model {model}.")
        if fate is not None and fate.kind == "no_credit":
            raise ArkError(403, "AccountOverdueError", "The account has an overdue balance.")

    async def get_task(self, id: str, request: Request) -> Response:
        return await self._on_task(id, request, "status", lambda account, twist: self._videos.get(id, account, twist))

    async def list_tasks(self, request: Request) -> Response:
        return await self._on_task("", request, "status", lambda account, _: self._videos.list(account, request))

    async def delete_task(self, id: str, request: Request) -> Response:
        return await self._on_task(id, request, "cancel", lambda account, _: self._videos.delete(id, account))

    async def _on_task(
        self, id: str, request: Request, operation: Operation, act: Callable[[str, Rule | None], Response]
    ) -> Response:
        async def perform(twist: Rule | None) -> Response:
            try:
                return act(account_or_401(request), twist)
            except ArkError as problem:
                return problem.answer()

        job = self._world.jobs.find(id)
        call = Call(NAME, job.model if job else "", operation, error, key_of(request))
        return await answered(self._world.faults, call, perform)


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
