"""Keys of the store, from their making to their end, in two API processes on one database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from api.examples import CREATE_EXAMPLE
from api.main import build
from storage.callers import Callers
from storage.database import open_database
from tests.support.answers import refusal
from tests.support.service import Json, Service, bearer, running_service
from tests.support.serving import serving
from tests.support.waiting import eventually

KEYS = "/api/v1/keys"
NO_RUN = "/api/v1/chains/get/00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Pair:
    """Two API processes. The first is asked with the operator's key."""

    service: Service
    second: httpx.AsyncClient

    async def make(self, caller: str, **more: Any) -> Json:
        answer = await self.service.api.post(KEYS, json={"caller": caller, **more})
        assert answer.status_code == 201, answer.text
        assert answer.headers["cache-control"] == "no-store"
        made: Json = answer.json()
        return made

    async def create_run(self, key: str) -> str:
        body = CREATE_EXAMPLE | {"webhook_url": None}
        answer = await self.second.post("/api/v1/chains/chain1/runs", json=body, headers=bearer(key))
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["id"]
        return run_id

    async def status(self, client: httpx.AsyncClient, key: str, path: str = NO_RUN) -> int:
        return (await client.get(path, headers=bearer(key))).status_code


@pytest.fixture(scope="module")
async def pair(temporal: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("keys")
        service = await stack.enter_async_context(running_service(temporal, folder, worker=False))
        another = build(service.settings, service.client, task_queue=service.task_queue)
        url = await stack.enter_async_context(serving(another, lifespan="on"))
        second = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30, trust_env=False))
        yield Pair(service, second)


async def test_a_key_is_shown_once_and_listed_without_it(pair: Pair) -> None:
    made = await pair.make("shown", name="laptop")
    assert made["key"].startswith(made["prefix"])
    listed = (await pair.service.api.get(KEYS, params={"caller": "shown"})).json()["data"]
    assert listed == [{name: value for name, value in made.items() if name != "key"}]
    assert made["scopes"] == ["chains:read", "chains:run", "runs:cancel"]


async def test_each_caller_sees_its_own_runs_with_every_key_it_has(pair: Pair) -> None:
    alice, too, bob = [(await pair.make(caller))["key"] for caller in ("alice", "alice", "bob")]
    run = await pair.create_run(alice)
    path = f"/api/v1/chains/get/{run}"
    assert [await pair.status(pair.second, key, path) for key in (alice, too, bob)] == [200, 200, 404]
    absent = await pair.second.get(NO_RUN, headers=bearer(bob))
    foreign = await pair.second.get(path, headers=bearer(bob))
    assert absent.json()["error"]["message"] == foreign.json()["error"]["message"]
    assert [(await pair.service.other.post(f"/api/v1/chains/cancel/{run}")).status_code] == [404]


async def test_a_rotated_key_sees_the_same_runs_and_both_work_through_the_overlap(pair: Pair) -> None:
    old = await pair.make("rotating")
    run = await pair.create_run(old["key"])
    answer = await pair.service.api.post(f"{KEYS}/{old['id']}/rotate")
    assert answer.status_code == 201
    new = answer.json()
    path = f"/api/v1/chains/get/{run}"
    assert [await pair.status(pair.service.anyone, key, path) for key in (old["key"], new["key"])] == [200, 200]
    listed = {key["id"]: key for key in (await pair.service.api.get(KEYS)).json()["data"]}
    assert listed[old["id"]]["replaced_by"] == new["id"]
    assert listed[old["id"]]["expires_at"] is not None
    refusal(await pair.service.api.post(f"{KEYS}/{old['id']}/rotate", json={}), 409, "key_not_active")


async def test_a_rotation_without_overlap_ends_the_old_key(pair: Pair) -> None:
    old = await pair.make("at-once")
    await pair.service.api.post(f"{KEYS}/{old['id']}/rotate", json={"overlap_seconds": 0})
    assert await pair.status(pair.service.anyone, old["key"]) == 401


async def test_a_revoked_key_is_refused_here_at_once_and_in_the_other_process_soon(pair: Pair) -> None:
    made, kept = [await pair.make("revoking") for _ in range(2)]
    assert await pair.status(pair.second, made["key"]) == 404
    answer = await pair.service.api.delete(f"{KEYS}/{made['id']}")
    assert answer.json()["status"] == "revoked"
    refusal(await pair.service.anyone.get(NO_RUN, headers=bearer(made["key"])), 401, "invalid_api_key")
    await eventually(lambda: pair.status(pair.second, made["key"]), lambda status: status == 401)
    assert await pair.status(pair.second, kept["key"]) == 404


@pytest.mark.parametrize(
    ("scopes", "method", "path"),
    [
        (["chains:read"], "POST", "/api/v1/chains/chain1/runs"),
        (["chains:run"], "GET", NO_RUN),
        (["chains:run", "chains:read"], "POST", NO_RUN.replace("get", "cancel")),
        (["chains:run", "chains:read", "runs:cancel"], "GET", KEYS),
        (["chains:run", "chains:read", "runs:cancel"], "POST", KEYS),
        (["chains:run", "chains:read", "runs:cancel"], "DELETE", f"{KEYS}/none"),
        (["chains:run", "chains:read", "runs:cancel"], "GET", "/api/v1/callers/none"),
        (["chains:run", "chains:read", "runs:cancel"], "PUT", "/api/v1/callers/none/caps"),
        (["chains:run", "chains:read", "runs:cancel"], "POST", "/api/v1/callers/none/callback-secret"),
    ],
)
async def test_a_key_without_the_scope_is_refused(pair: Pair, scopes: list[str], method: str, path: str) -> None:
    made = await pair.make("narrow", scopes=scopes)
    answer = await pair.service.anyone.request(method, path, headers=bearer(made["key"]), content=b"{not json")
    error = refusal(answer, 403, "insufficient_scope")
    assert error["type"] == "permission_error"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "caller"),
        ({"caller": ""}, "caller"),
        ({"caller": "a b"}, "caller"),
        ({"caller": "x" * 65}, "caller"),
        ({"caller": "x", "scopes": ["everything"]}, "scopes"),
        ({"caller": "x", "scopes": []}, "scopes"),
        ({"caller": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"caller": "x", "expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"caller": "x", "expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"caller": "x", "name": "x\0y"}, "name"),
        ({"caller": "x", "creates_per_minute": 0}, "creates_per_minute"),
        ({"caller": "x", "surprise": 1}, "surprise"),
    ],
)
async def test_a_wrong_order_names_its_field(pair: Pair, body: Json, field: str) -> None:
    error = refusal(await pair.service.api.post(KEYS, json=body), 400, "invalid_request")
    assert list(error["details"]["fieldErrors"]) == [field]


async def test_keys_and_callers_that_do_not_exist_are_404(pair: Pair) -> None:
    for method, path in (
        ("DELETE", f"{KEYS}/none"),
        ("POST", f"{KEYS}/none/rotate"),
        ("GET", "/api/v1/callers/none"),
        ("PUT", "/api/v1/callers/none/caps"),
        ("POST", "/api/v1/callers/none/callback-secret"),
    ):
        refusal(await pair.service.api.request(method, path, json={}), 404, "not_found")


async def test_caps_are_not_taken_away_by_a_request_that_says_nothing(pair: Pair) -> None:
    await pair.make("careless")
    here = "/api/v1/callers/careless"
    caps = {"daily_cap": 5_000_000, "monthly_cap": None}
    assert (await pair.service.api.put(f"{here}/caps", json=caps)).status_code == 200
    refusal(await pair.service.api.put(f"{here}/caps"), 400, "invalid_json")
    error = refusal(await pair.service.api.put(f"{here}/caps", json={"daily_cap": "5"}), 400, "invalid_request")
    assert "5000000 for 5 US dollars" in error["errors"][0]["message"]
    assert (await pair.service.api.get(here)).json()["daily_cap"] == 5_000_000


async def test_caps_and_the_callback_secret_belong_to_the_caller(pair: Pair) -> None:
    await pair.make("spender")
    here = "/api/v1/callers/spender"
    caps = {"daily_cap": 5_000_000, "monthly_cap": 100_000_000}
    assert (await pair.service.api.put(f"{here}/caps", json=caps)).json() | caps == (
        await pair.service.api.get(here)
    ).json()
    made = (await pair.service.api.post(f"{here}/callback-secret", json={})).json()
    shown = await pair.service.api.get(here)
    assert shown.json()["has_callback_secret"] is True
    assert made["secret"] not in shown.text
    settings = pair.service.settings
    database = open_database(settings.archive_url)
    secret, default = [value.get_secret_value() for value in (settings.secret, settings.callback_secret)]
    callers = Callers(database, secret=secret, default_secret=default)
    seen = await callers.callback_secrets("spender", now=datetime.now(UTC))
    await database.dispose()
    assert seen == [made["secret"], default]
