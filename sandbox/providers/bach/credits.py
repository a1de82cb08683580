"""Accounts' credits: endless, until somebody says how many there are.

Prices are not published. Here a second of video costs one credit, which comes back when the task fails.
"""

import json

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.providers.bach.tokens import account_or_401
from sandbox.providers.bach.wording import NO_CREDIT, BachError


class Credits:
    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def take(self, account: str, credits: int) -> None:
        """All of them or none: a task is not made for half its price."""
        left = self._left.get(account)
        if left is None:
            return
        if credits > left:
            raise no_credit()
        self._left[account] = left - credits

    def give_back(self, account: str, credits: int) -> None:
        if account in self._left:
            self._left[account] += credits

    # ---- the account's page ---------------------------------------------------------------------------------------

    def router(self) -> APIRouter:
        """No part of the API: where a person buys credits."""
        routes = APIRouter(prefix="/dashboard/credits")
        routes.add_api_route("", self.fill, methods=["PUT"])
        return routes

    async def fill(self, request: Request) -> Response:
        """`{"credits": 10}`: so many has the account of the bearer from now on."""
        try:
            account = account_or_401(request)
        except BachError as problem:
            return problem.answer()
        self._left[account] = int(json.loads(await request.body())["credits"])
        return JSONResponse({"credits": self._left[account]})


def no_credit() -> BachError:
    return BachError(403, NO_CREDIT, "Insufficient credit package.")
