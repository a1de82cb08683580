"""BabySea's routes, once for each region. Whatever the published OpenAPI does not have is refused by a firewall."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Operation, Rule
from sandbox.providers.babysea import body
from sandbox.providers.babysea.accounts import REGIONS, Account, Accounts, key_of
from sandbox.providers.babysea.deliveries import Deliveries
from sandbox.providers.babysea.errors import NAME, Refusal, error, firewall, invalid, success
from sandbox.providers.babysea.generations import Generations
from sandbox.providers.babysea.keys import Keys
from sandbox.providers.babysea.models import MODELS, UPSTREAMS, shown
from sandbox.spoil import Call, answered
from sandbox.world import World

_Act = Callable[[Account, Rule | None], Awaitable[Response]]
_HEALTH = ("inference/providers", "inference/models", "storage", "cache")


def router(world: World) -> APIRouter:
    """Without a region in front of the path it is `us`, the SDK's default."""
    routes = APIRouter()
    accounts = Accounts(world.config.babysea_credits, limits=world.config.limits)
    deliveries = Deliveries(world)
    accounts.on_low = lambda account: deliveries.tell(
        "credits.low_balance",
        {
            "account_id": account.id,
            "current_balance": account.balance,
            "thresholds_crossed": [{"threshold": 0.5, "balance_at": account.balance}],
        },
    )
    generations = Generations(world, accounts, deliveries)
    routes.include_router(deliveries.router())
    for region in REGIONS:
        routes.include_router(_Desk(world, region, accounts, generations).router(), prefix=f"/{region}")
    routes.include_router(_Desk(world, REGIONS[0], accounts, generations).router())
    routes.add_api_route("/{path:path}", _outside, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return routes


async def _outside() -> Response:
    return firewall()


class _Desk:
    def __init__(self, world: World, region: str, accounts: Accounts, generations: Generations) -> None:
        self._world = world
        self._region = region
        self._accounts = accounts
        self._generations = generations
        self._keys = Keys(world.config.babysea_key_seconds)

    def router(self) -> APIRouter:
        routes = APIRouter(prefix="/v1")
        routes.add_api_route("/generate/{kind}/{maker}/{model}", self.create, methods=["POST"])
        routes.add_api_route("/content/list", self.list, methods=["GET"])
        routes.add_api_route("/content/generation/cancel/{id}", self.cancel, methods=["POST"])
        routes.add_api_route("/content/{id}", self.read, methods=["GET"])
        routes.add_api_route("/content/{id}", self.delete, methods=["DELETE"])
        routes.add_api_route("/estimate/{maker}/{model}", self.estimate, methods=["GET"])
        for path, scope, data in _fixed():
            routes.add_api_route(path, self._always(scope, data), methods=["GET"])
        return routes

    async def create(self, kind: str, maker: str, model: str, request: Request) -> Response:
        if kind not in ("image", "video"):
            return firewall()
        raw, identifier = await request.body(), f"{maker}/{model}"
        row = self._world.ledger.record(NAME, "submit", identifier, _parsed(raw), request.headers)

        async def accept(account: Account, fate: Rule | None) -> Response:
            order = body.parse(kind, identifier, raw)

            async def start() -> dict[str, Any]:
                return await self._generations.create(order, row, account, fate)

            key = request.headers.get("idempotency-key")
            return await self._keys.once(account.id, key, request.url.path.encode() + b"\n" + raw, start)

        return await self._answer(request, identifier, "submit", "generation:write", accept)

    async def read(self, id: str, request: Request) -> Response:
        job = self._world.jobs.find(id)

        async def show(account: Account, twist: Rule | None) -> Response:
            return JSONResponse(self._generations.read(self._generations.find(id, account), twist))

        return await self._answer(request, job.model if job else "", "status", "generation:read", show)

    async def cancel(self, id: str, request: Request) -> Response:
        job = self._world.jobs.find(id)
        self._world.ledger.record(NAME, "cancel", job.model if job else "", None, request.headers)

        async def stop(account: Account, twist: Rule | None) -> Response:
            return JSONResponse(self._generations.cancel(self._generations.find(id, account)))

        return await self._answer(request, job.model if job else "", "cancel", "generation:delete", stop)

    async def delete(self, id: str, request: Request) -> Response:
        async def remove(account: Account, twist: Rule | None) -> Response:
            return JSONResponse(self._generations.delete(self._generations.find(id, account)))

        return await self._admitted(request, "generation:delete", remove)

    async def list(self, request: Request) -> Response:
        async def page(account: Account, twist: Rule | None) -> Response:
            limit = _whole(request.query_params, "limit", 50, range(1, 101))
            offset = _whole(request.query_params, "offset", 0, range(1 << 31))
            return JSONResponse(self._generations.list(account, limit, offset))

        return await self._admitted(request, "generation:read", page, {"limit", "offset"})

    async def estimate(self, maker: str, model: str, request: Request) -> Response:
        identifier, query = f"{maker}/{model}", request.query_params

        async def reckon(account: Account, twist: Rule | None) -> Response:
            known = MODELS.get(identifier)
            if known is None:
                raise Refusal(404, f"Model {identifier!r} was not found.", code="BSE2002", type="model_not_found")
            count = min(max(_whole(query, "count", 1, range(-1000, 1 << 31)), 1), 100)
            seconds = _whole(query, "duration", 5 if known.kind == "video" else 0, range(61))
            resolution, audio = query.get("resolution"), query.get("audio") == "true"
            if resolution is not None and resolution not in known.resolutions:
                raise invalid("resolution", f"must be one of {', '.join(known.resolutions)}")
            each = known.each(seconds, resolution, audio=audio)
            total = known.cost(count=count, seconds=seconds, resolution=resolution, audio=audio)
            clip = {
                "cost_per_second": known.per_second(resolution, audio=audio),
                "duration_seconds": seconds,
                "resolution": resolution,
            }
            return JSONResponse(
                success(
                    {
                        "model_identifier": identifier,
                        "model_type": known.kind,
                        "assets_count": count,
                        **(clip if known.kind == "video" else {}),
                        "cost_per_generation": each,
                        "cost_total_consumed": total,
                        "credit_balance": account.balance,
                        "credit_balance_can_afford": total <= account.balance,
                        "credit_balance_max_affordable": int(account.balance // each) if each else None,
                    }
                )
            )

        return await self._admitted(request, "library:read", reckon, {"count", "duration", "resolution", "audio"})

    def _always(self, scope: str, data: Any) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            async def say(account: Account, twist: Rule | None) -> Response:
                told = {"credit_balance": account.balance} if data == "billing" else data
                return JSONResponse(success(told))

            return await self._admitted(request, scope, say, {"days"} if request.url.path.endswith("/usage") else set())

        return answer

    async def _answer(self, request: Request, model: str, operation: Operation, scope: str, act: _Act) -> Response:
        """What a call about a generation goes through: fault rules, and all that every call does."""

        async def perform(rule: Rule | None) -> Response:
            return await self._admitted(request, scope, act, set(), rule)

        call = Call(NAME, model, operation, error, key_of(request))
        answer = await answered(self._world.faults, call, perform)
        self._accounts.stamp(request, answer)
        return answer

    async def _admitted(
        self, request: Request, scope: str, act: _Act, query: set[str] | None = None, rule: Rule | None = None
    ) -> Response:
        if not set(request.query_params) <= (query or set()):
            return firewall()
        try:
            answer = await act(self._accounts.admit(request, self._region, scope), rule)
        except Refusal as problem:
            answer = problem.answer()
        self._accounts.stamp(request, answer)
        return answer


def _fixed() -> list[tuple[str, str, Any]]:
    catalogue = [shown(name, model) for name, model in MODELS.items()]
    implementation = {
        "delivery_method": "webhook_with_polling",
        "failover_strategy": "sequential_provider_chain",
        "health_monitoring": "circuit_breaker",
    }
    upstreams = [{"provider": name, "babysea_implementation": implementation} for name in UPSTREAMS]
    health = [(f"/health/{name}", "health:read", {"status": "healthy"}) for name in _HEALTH]
    return [
        ("/library/models", "library:read", {"models": catalogue}),
        ("/library/providers", "library:read", {"providers": upstreams}),
        *health,
        ("/status", "account:read", {"status": "operational"}),
        ("/usage", "account:read", {"generations": []}),
        ("/user/account", "account:read", {"name": "sandbox"}),
        ("/user/billing", "account:read", "billing"),
    ]


def _whole(query: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    try:
        value = int(query.get(name, default))
    except ValueError as problem:
        raise invalid(name, "must be a whole number") from problem
    if value not in allowed:
        raise invalid(name, "is out of range")
    return value


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
