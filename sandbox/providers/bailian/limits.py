"""What an account may do at once. Accounts have no limits until somebody sets them.

An older page of DashScope's gives two submissions a second and two running tasks, for older models; none is published
for these.
"""

import json
import time
from collections import defaultdict, deque
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.providers.bailian.errors import NAME, WanError, account_or_401
from sandbox.world import World


class Limits:
    def __init__(self, world: World) -> None:
        self._world = world
        self._submissions: dict[str, int] = {}  # a second
        self._running: dict[str, int] = {}
        self._submitted: defaultdict[str, deque[float]] = defaultdict(deque)

    def count_submission(self, account: str) -> None:
        most = self._submissions.get(account)
        if most is None or not self._world.config.limits:
            return
        recent, now = self._submitted[account], time.monotonic()
        while recent and now - recent[0] >= 1:
            recent.popleft()
        if len(recent) >= most:
            raise too_many()
        recent.append(now)

    def place(self, account: str) -> AbstractAsyncContextManager[Any]:
        """Held while a task runs. Beyond the limit tasks are taken all the same, and wait as PENDING (inferred)."""
        most = self._running.get(account)
        if most is None or not self._world.config.limits:
            return nullcontext()
        return self._world.jobs.slot(most, NAME, account, str(most))

    # ---- the account's page ---------------------------------------------------------------------------------------

    def router(self) -> APIRouter:
        """No part of the API: what the provider has agreed to."""
        routes = APIRouter(prefix="/dashboard/limits")
        routes.add_api_route("", self.replace, methods=["PUT"])
        return routes

    async def replace(self, request: Request) -> Response:
        """`{"submissions_a_second": 2, "running": 2}`, for the account of the bearer; what is left out is unlimited."""
        try:
            account = account_or_401(request)
        except WanError as problem:
            return problem.answer("native")
        wanted = json.loads(await request.body())
        for name, limits in (("submissions_a_second", self._submissions), ("running", self._running)):
            limits.pop(account, None)
            if wanted.get(name) is not None:
                limits[account] = int(wanted[name])
        return JSONResponse(wanted)


def too_many() -> WanError:
    return WanError(429, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later.")
