"""Limits as callers meet them: order of checks, headers, several processes with Redis, and one with too much to do."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from api.examples import CREATE_EXAMPLE
from api.main import build
from api.shedding import CREATES_REFUSED_AT, READS_REFUSED_AT
from storage.database import upgrade
from temporal.connection import DATA_CONVERTER
from tests.support import runs
from tests.support.answers import refusal
from tests.support.redis_server import RedisServer, running_redis
from tests.support.service import KEY, Service, bearer, running_service
from tests.support.serving import serving
from tests.support.waiting import eventually

CREATE = "/api/v1/chains/chain1/runs"
BODY = CREATE_EXAMPLE | {"webhook_url": None}
NO_RUN = "00000000-0000-4000-8000-000000000000"
READ, CANCEL = f"/api/v1/chains/get/{NO_RUN}", f"/api/v1/chains/cancel/{NO_RUN}"


@asynccontextmanager
async def _limited(temporal: Client, folder: Path, **more: Any) -> AsyncIterator[Service]:
    values = {"rate_limit_per_minute": 3, "read_limit_per_minute": 5} | more
    async with running_service(temporal, folder, worker=False, **values) as service:
        yield service


@pytest.fixture
async def limited(temporal: Client, tmp_path: Path) -> AsyncIterator[Service]:
    async with _limited(temporal, tmp_path) as service:
        yield service


async def test_more_creates_than_a_minute_allows_are_refused_with_the_contracts_numbers(limited: Service) -> None:
    for used in (1, 2, 3):
        answer = await limited.api.post(CREATE, json=BODY)
        assert answer.status_code == 202
        assert answer.headers["ratelimit-policy"] == '"creates";q=3;w=60'
        assert answer.headers["ratelimit"].startswith(f'"creates";r={3 - used};t=')
    answer = await limited.api.post(CREATE, json=BODY)
    error = refusal(answer, 429, "rate_limited")
    assert error["type"] == "rate_limit_error"
    assert set(error["details"]) == {"limit", "remaining", "reset"}
    assert (error["details"]["limit"], error["details"]["remaining"]) == (3, 0)
    seconds = int(answer.headers["retry-after"])
    assert 0 < seconds <= 60
    assert re.fullmatch(r'"creates";r=0;t=\d+', answer.headers["ratelimit"])
    # Nobody else feels it, and nothing else of this caller.
    assert (await limited.other.post(CREATE, json=BODY)).status_code == 202
    assert (await limited.api.get(READ)).status_code == 404


async def test_slug_and_key_and_scope_are_looked_at_before_the_limit_and_the_body_after_it(limited: Service) -> None:
    for _ in range(3):
        refusal(await limited.api.post(CREATE, content=b"{not json"), 400, "invalid_json")
    refusal(await limited.api.post(CREATE, content=b"{not json"), 429, "rate_limited")
    refusal(await limited.api.post(CREATE, content=b" " * 300_000), 429, "rate_limited")
    refusal(await limited.api.post("/api/v1/chains/nope/runs"), 404, "chain_not_found")
    refusal(await limited.anyone.post(CREATE), 401, "missing_api_key")
    refusal(await limited.anyone.post(CREATE, headers=bearer("wrong")), 401, "invalid_api_key")
    made = (await limited.other.post("/api/v1/keys", json={"caller": "x", "scopes": ["chains:read"]})).json()
    for _ in range(4):
        answer = await limited.anyone.post(CREATE, headers=bearer(made["key"]))
        refusal(answer, 403, "insufficient_scope")
        assert "ratelimit" not in answer.headers


async def test_cancels_webhooks_and_health_are_never_limited(limited: Service) -> None:
    for _ in range(6):
        last = await limited.api.get(READ)
    refusal(last, 429, "rate_limited")
    for _ in range(10):
        answer = await limited.api.post(CANCEL)
        refusal(answer, 404, "run_not_found")
        assert "ratelimit" not in answer.headers
        refusal(await limited.api.post("/api/webhooks/bfl/unknown"), 404, "not_found")
        assert (await limited.api.get("/healthz")).status_code == 200


async def test_who_tries_many_wrong_keys_is_told_to_wait_and_nobody_is_shut_out(limited: Service) -> None:
    def coming_from(address: str, key: str) -> dict[str, str]:
        """As a proxy on this machine says it; what stands before that, anybody may have written."""
        return bearer(key) | {"x-forwarded-for": f"203.0.113.9, {address}"}

    guesses = [coming_from("203.0.113.5", f"wrong-{number}") for number in range(61)]
    answers = [await limited.anyone.get(READ, headers=guess) for guess in guesses]
    assert [answer.status_code for answer in answers] == [401] * 60 + [429]
    error = refusal(answers[-1], 429, "rate_limited")
    assert error["type"] == "rate_limit_error"
    assert error["details"].keys() == {"limit", "remaining", "reset"}
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    # A right key is as good as ever, also from there.
    refusal(await limited.anyone.get(READ, headers=coming_from("203.0.113.5", KEY)), 404, "run_not_found")
    refusal(await limited.anyone.get(READ, headers=coming_from("203.0.113.6", "wrong")), 401, "invalid_api_key")
    # The cron secret is no easier to guess, and no key is no guess.
    cron = coming_from("203.0.113.5", "wrong")
    refusal(await limited.anyone.get("/api/cron/process-runs", headers=cron), 429, "rate_limited")
    nobody = {"x-forwarded-for": "203.0.113.5"}
    refusal(await limited.anyone.get(READ, headers=nobody), 401, "missing_api_key")


async def test_a_keys_own_limits_win_over_the_deployments(limited: Service) -> None:
    order = {"caller": "quick", "creates_per_minute": 1, "reads_per_minute": 8}
    made = (await limited.api.post("/api/v1/keys", json=order)).json()
    reads = [(await limited.anyone.get(READ, headers=bearer(made["key"]))).status_code for _ in range(9)]
    assert reads == [404] * 8 + [429]
    creates = [(await limited.anyone.post(CREATE, headers=bearer(made["key"]), json=BODY)) for _ in range(2)]
    assert [answer.status_code for answer in creates] == [202, 429]


async def test_one_key_watches_fifty_runs_under_the_default_limits(temporal: Client, tmp_path: Path) -> None:
    async with running_service(
        temporal, tmp_path, worker=False, rate_limit_per_minute=30, read_limit_per_minute=600
    ) as service:
        order = {"caller": "batch", "creates_per_minute": 50}
        mine = bearer((await service.api.post("/api/v1/keys", json=order)).json()["key"])
        answers = [await service.anyone.post(CREATE, json=BODY, headers=mine) for _ in range(50)]
        runs = [answer.json()["id"] for answer in answers]
        for _ in range(10):
            looks = [await service.anyone.get(f"/api/v1/chains/get/{run}", headers=mine) for run in runs]
            assert {look.status_code for look in looks} == {200}


# ---- several processes ------------------------------------------------------------------------------------------


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with running_redis(tmp_path) as server:
        yield server


async def test_processes_share_a_limit_by_redis_and_go_on_by_their_share_without_it(
    temporal: Client, tmp_path: Path, redis: RedisServer
) -> None:
    # The processes here share a loop with the test, so Redis has longer than it is usually given.
    more = {"redis_url": f"{redis.url}?socket_timeout=10", "api_processes": 2, "read_limit_per_minute": 20}
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(_limited(temporal, tmp_path, **more))
        app = build(first.settings, first.client, task_queue=first.task_queue)
        url = await stack.enter_async_context(serving(app))
        second = await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=bearer(KEY), trust_env=False))

        async def limit() -> str:
            return (await second.get(READ)).headers["ratelimit-policy"]

        assert await limit() == '"reads";q=20;w=60'
        answers = [await client.get(READ) for _ in range(12) for client in (first.api, second)]
        assert [answer.status_code for answer in answers].count(404) == 19
        await redis.stop()
        answers = [await client.post(CREATE, json=BODY) for _ in range(4) for client in (first.api, second)]
        # Three a minute, halved and rounded up, in each of two processes.
        assert [answer.status_code for answer in answers].count(202) == 4
        assert {answer.status_code for answer in answers} == {202, 429}
        assert await limit() == '"reads";q=10;w=60'
        await redis.start()
        await eventually(limit, lambda said: said == '"reads";q=20;w=60')


# ---- too much for one process -----------------------------------------------------------------------------------


class Wire:
    """A way to Temporal that can be made to carry nothing."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.rpartition(":")
        self._open = asyncio.Event()
        self._open.set()
        self._carrying: set[asyncio.Task[None]] = set()

    def stall(self) -> None:
        self._open.clear()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, int(self._port))
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._carrying.add(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                await self._open.wait()
                sink.write(data)
        finally:
            sink.close()

    async def cut(self) -> None:
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)


@pytest.fixture
async def stuck(temporal: Client, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An API whose Temporal has fallen silent, so that whatever asks it stays in work for seconds."""
    settings = runs.test_settings(tmp_path, rate_limit_per_minute=10_000, read_limit_per_minute=10_000)
    await upgrade(settings.archive_url)
    wire = Wire(temporal.service_client.config.target_host)
    listener = await asyncio.start_server(wire.carry, "127.0.0.1")
    host, port = listener.sockets[0].getsockname()[:2]
    client = await Client.connect(f"{host}:{port}", data_converter=DATA_CONVERTER)
    most = httpx.Limits(max_connections=1000)
    async with (
        serving(build(settings, client)) as url,
        httpx.AsyncClient(base_url=url, headers=bearer(KEY), limits=most, timeout=60, trust_env=False) as api,
    ):
        assert (await api.get(READ)).status_code == 404
        wire.stall()
        yield api
    await wire.cut()
    listener.close()


async def test_an_overloaded_process_refuses_creates_before_reads_and_lives(stuck: httpx.AsyncClient) -> None:
    reads = [asyncio.create_task(stuck.get(READ)) for _ in range(CREATES_REFUSED_AT)]

    async def create() -> httpx.Response:
        return await stuck.post(CREATE, json={})

    refused = await eventually(create, lambda answer: answer.status_code == 503)
    refusal(refused, 503, "overloaded")
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    reads += [asyncio.create_task(stuck.get(READ)) for _ in range(READS_REFUSED_AT)]
    cancel = asyncio.create_task(stuck.post(CANCEL))
    assert (await stuck.get("/healthz")).status_code == 200
    refusal(await stuck.post("/api/webhooks/bfl/unknown"), 404, "not_found")
    codes = [answer.json()["error"]["code"] for answer in await asyncio.gather(*reads)]
    assert set(codes) == {"temporal_unreachable", "overloaded"}
    assert codes.count("temporal_unreachable") >= READS_REFUSED_AT
    refusal(await cancel, 503, "temporal_unreachable")
