"""The account's webhook endpoints: signed deliveries on BabySea's own schedule, and what its dashboard does."""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.jobs import Job, State
from sandbox.providers.babysea.errors import NAME
from sandbox.providers.babysea.wording import event, event_of, headers_of
from sandbox.webhooks import Notice, Webhooks
from sandbox.world import World

_RETRIES = (1.0, 4.0, 16.0, 60.0)
_ACKNOWLEDGED_WITHIN = 10.0
_MOST_FAILURES = 15  # in a row
_WRONG = {"X-Sandbox-Secret": "wrong"}  # read by `_post`, never sent


@dataclass(eq=False)
class Endpoint:
    url: str
    secret: str
    failures: int = 0
    queued: list[Notice] = field(default_factory=list)

    @property
    def is_disabled(self) -> bool:
        return self.failures >= _MOST_FAILURES


class Deliveries(Webhooks):
    """Each body is signed when it is posted: one that is sent again later is signed anew."""

    def __init__(self, world: World) -> None:
        super().__init__(world.faults, world.tasks, _RETRIES)
        self._stop = world.tasks
        self._is_watched = False
        self._endpoints: list[Endpoint] = []

    def announce(self, job: Job, shown: State) -> None:
        for endpoint in self._endpoints:
            self._send_to(endpoint, self.notice(endpoint, job, shown))

    async def announce_early(self, job: Job) -> None:
        for endpoint in self._endpoints:
            await self.send_early(self.notice(endpoint, job, State.SUCCEEDED))

    def forge(self, job: Job) -> None:
        for endpoint in self._endpoints:
            self.send_forged(self.notice(endpoint, job, State.FAILED))

    def tell(self, name: str, data: dict[str, Any]) -> None:
        for endpoint in self._endpoints:
            self._send_to(endpoint, _notice(endpoint, "", event(name, data)))

    def notice(self, endpoint: Endpoint, job: Job, shown: State) -> Notice:
        stale = None if shown is State.RUNNING else event_of(job, State.RUNNING)
        return _notice(endpoint, job.model, event_of(job, shown), stale)

    def _send_to(self, endpoint: Endpoint, notice: Notice) -> None:
        if endpoint.is_disabled:
            endpoint.queued.append(notice)
        else:
            self.send(notice)

    async def _post(self, notice: Notice, headers: Mapping[str, str], body: bytes, *, within: float) -> bool:
        endpoint = next((one for one in self._endpoints if one.url == notice.url), None)
        if endpoint is None:
            return True  # taken off the dashboard meanwhile
        if not self._is_watched:
            self._is_watched = True
            self._stop.start(self._close_in_the_end())
        secret = "whsec_of_somebody_else" if headers is notice.wrong_headers else endpoint.secret
        is_taken = await super()._post(notice, headers_of(body, secret, int(time.time())), body, within=within)
        endpoint.failures = 0 if is_taken else endpoint.failures + 1
        return is_taken

    async def _close_in_the_end(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    # ---- the dashboard --------------------------------------------------------------------------------------------

    def router(self) -> APIRouter:
        """No part of the API: what a person does on the account's pages."""
        routes = APIRouter(prefix="/dashboard/webhooks")
        routes.add_api_route("", self.replace, methods=["PUT"])
        routes.add_api_route("/test", self.test, methods=["POST"])
        routes.add_api_route("/release", self.release, methods=["POST"])
        return routes

    async def replace(self, request: Request) -> Response:
        """`[{"url": ..., "secret": ...}]`. Secrets are shown here, once; one is made where none is given."""
        wanted = json.loads(await request.body())
        self._endpoints = [
            Endpoint(one["url"], one.get("secret") or f"whsec_{secrets.token_hex(16)}") for one in wanted
        ]
        return JSONResponse([{"url": one.url, "secret": one.secret} for one in self._endpoints])

    async def test(self) -> Response:
        self.tell("webhook.test", {})
        return Response(status_code=204)

    async def release(self) -> Response:
        """Disabled endpoints work again, and get what was kept for them, under fresh ids and times."""
        for endpoint in self._endpoints:
            waiting, endpoint.queued, endpoint.failures = endpoint.queued, [], 0
            for notice in waiting:
                told = json.loads(notice.body)
                self.send(_notice(endpoint, notice.model, event(told["webhook_event"], told["webhook_data"])))
        return Response(status_code=204)


def _notice(endpoint: Endpoint, model: str, body: bytes, stale: bytes | None = None) -> Notice:
    return Notice(
        provider=NAME,
        model=model,
        url=endpoint.url,
        body=body,
        wrong_headers=_WRONG,
        stale_body=stale,
        acknowledged_within=_ACKNOWLEDGED_WITHIN,
    )
