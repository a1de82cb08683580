"""Both ways in: the gateway's two paths, and DashScope's four below `/api/v1`, with its limit on queries."""

import json
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Operation, Rule
from sandbox.providers.bailian.errors import NAME, WanError, account_or_401, error, invalid, key_of
from sandbox.providers.bailian.limits import Limits, too_many
from sandbox.providers.bailian.order import parse
from sandbox.providers.bailian.tasks import WanTasks
from sandbox.spoil import Call, answered
from sandbox.world import World

_NATIVE = "/api/v1"
_QUERIES_A_SECOND = 20


def router(world: World) -> APIRouter:
    routes = APIRouter()
    limits = Limits(world)
    tasks = WanTasks(world, limits)
    gateway, native = _Desk(world, tasks, limits, native=False), _Desk(world, tasks, limits, native=True)
    routes.include_router(limits.router())
    routes.add_api_route("/task/bailian/image2video", gateway.create, methods=["POST"])
    routes.add_api_route("/task/{id}", gateway.get, methods=["GET"])
    routes.add_api_route(_NATIVE + "/services/aigc/video-generation/video-synthesis", native.create, methods=["POST"])
    routes.add_api_route(_NATIVE + "/tasks", native.list, methods=["GET"])
    routes.add_api_route(_NATIVE + "/tasks/{id}", native.get, methods=["GET"])
    routes.add_api_route(_NATIVE + "/tasks/{id}/cancel", native.cancel, methods=["POST"])
    routes.add_api_route("/{path:path}", gateway.nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return routes


class _Desk:
    def __init__(self, world: World, tasks: WanTasks, limits: Limits, *, native: bool) -> None:
        self._world = world
        self._tasks = tasks
        self._limits = limits
        self._is_native = native
        self._shape = "native" if native else world.config.bailian_errors
        self._asked: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_QUERIES_A_SECOND))

    async def nothing_here(self) -> Response:
        return error(self._shape)(404, "Not Found")

    async def create(self, request: Request) -> Response:
        body = _parsed(await request.body())
        model = str(body.get("model", "")) if isinstance(body, dict) else ""
        row = self._world.ledger.record(NAME, "submit", model, body, request.headers)

        async def make(account: str, fate: Rule | None) -> dict[str, Any]:
            self._limits.count_submission(account)
            if self._is_native and request.headers.get("x-dashscope-async") != "enable":
                message = "current user api does not support synchronous calls."
                raise WanError(403, "AccessDenied", message)
            if not isinstance(body, dict):
                raise invalid("the body is not a JSON object")
            return await self._tasks.create(parse(body, native=self._is_native), row, account, fate)

        return await self._answer(request, model, "submit", make)

    async def get(self, id: str, request: Request) -> Response:
        async def read(account: str, twist: Rule | None) -> dict[str, Any]:
            self._refuse_beyond_limit(account)
            return self._tasks.get(id, account, twist)

        return await self._answer(request, self._model_of(id), "status", read)

    async def cancel(self, id: str, request: Request) -> Response:
        async def stop(account: str, _: Rule | None) -> dict[str, Any]:
            return self._tasks.cancel(id, account)

        return await self._answer(request, self._model_of(id), "cancel", stop)

    async def list(self, request: Request) -> Response:
        async def look(account: str, _: Rule | None) -> dict[str, Any]:
            self._refuse_beyond_limit(account)
            return self._tasks.list(account, request.query_params)

        return await self._answer(request, "", "status", look)

    async def _answer(
        self,
        request: Request,
        model: str,
        operation: Operation,
        act: Callable[[str, Rule | None], Awaitable[dict[str, Any]]],
    ) -> Response:
        async def perform(rule: Rule | None) -> Response:
            try:
                return JSONResponse(await act(account_or_401(request), rule))
            except WanError as problem:
                return problem.answer(self._shape)

        call = Call(NAME, model, operation, error(self._shape), key_of(request))
        return await answered(self._world.faults, call, perform)

    def _refuse_beyond_limit(self, account: str) -> None:
        """DashScope's; none is documented for the gateway."""
        asked, now = self._asked[account], time.monotonic()
        if not self._is_native or not self._world.config.limits:
            return
        if len(asked) == _QUERIES_A_SECOND and now - asked[0] < 1:
            raise too_many()
        asked.append(now)

    def _model_of(self, id: str) -> str:
        job = self._world.jobs.find(id)
        return job.model if job else ""


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
