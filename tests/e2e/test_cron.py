"""The cron endpoint and the health route, as the original's callers know them."""

import re
from pathlib import Path

from temporalio.client import Client

from sandbox.config import Config
from tests.support.bodies import drawn
from tests.support.histories import history_of, signals
from tests.support.runs import SECRETS
from tests.support.service import Json, Service, bearer, running_service
from tests.support.waiting import eventually

CRON = "/api/cron/process-runs"
SECRET = bearer(SECRETS["cron_secret"])
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def test_only_the_cron_secret_opens_the_route(service: Service) -> None:
    for headers in ({}, bearer("wrong"), {"authorization": SECRETS["cron_secret"]}, bearer(SECRETS["api_key"])):
        for answer in (
            await service.anyone.get(CRON, headers=headers),
            await service.anyone.post(CRON, headers=headers, content=b"not json"),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


async def test_without_a_cron_secret_the_route_says_what_to_set(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False, cron_secret=None) as service:
        answer = await service.anyone.get(CRON, headers=SECRET)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "cron_not_configured")
        assert "BABYCHAIN_CRON_SECRET" in answer.json()["error"]["message"]


async def test_the_limit_is_one_as_the_contract_has_it(service: Service) -> None:
    for value in ("0", "2", "-1", "x", "1.5", "1" * 5_000):
        answer = await service.anyone.get(CRON, params={"limit": value}, headers=SECRET)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request"), value
        assert answer.json()["error"]["errors"][0]["path"] == ["limit"]
    for body in ({"limit": 5}, {"limit": "x"}, {"limit": True}):
        answer = await service.anyone.post(CRON, json=body, headers=SECRET)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


async def test_an_idle_deployment_has_nothing_to_process(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        for answer in (
            await service.anyone.get(CRON, params={"limit": "1"}, headers=SECRET),
            await service.anyone.post(CRON, json={"limit": 1}, headers=SECRET),
        ):
            said: Json = answer.json()
            assert (answer.status_code, said["status"]) == (200, "success")
            assert said["data"] == {"processed": [], "processed_count": 0}
            assert STAMP.fullmatch(said["timestamp"])


async def test_the_oldest_waiting_run_looks_at_its_job_now(temporal: Client, tmp_path: Path) -> None:
    """The nudge is a signal, as a webhook is, and the oldest run is not nudged again before the others had theirs."""
    slow = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=300, media="tiny")
    async with running_service(temporal, tmp_path, config=slow) as service:
        first, second = [await service.create("chain1", drawn(words)) for words in ("first", "second")]
        for run in (first, second):
            await eventually(
                lambda run_id=run["id"]: service.get(run_id),  # type: ignore[misc]
                lambda seen: seen["steps"][0].get("attempts", [{}])[0].get("outcome") == "running",
            )

        async def nudged() -> list[Json]:
            answer = await service.anyone.get(CRON, headers=SECRET)
            assert answer.status_code == 200, answer.text
            found: list[Json] = answer.json()["data"]["processed"]
            return found

        [seen] = await eventually(nudged, bool)
        assert seen == {"id": first["id"], "status": "running"}
        assert len(signals(await history_of(temporal, first["id"]))) == 1
        [seen] = await eventually(nudged, bool)
        assert seen["id"] == second["id"], "one slow run must not block the others"
        assert await nudged() == []


async def test_health_says_whether_the_database_answers(service: Service, temporal: Client, tmp_path: Path) -> None:
    answer = await service.anyone.get("/api/health")
    said = answer.json()
    assert (answer.status_code, said["status"]) == (200, "success")
    assert said["data"] == {"service": "babychain", "database": "ok"}
    assert STAMP.fullmatch(said["timestamp"])


async def test_health_is_503_while_the_database_is_away(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        database = tmp_path / "babychain.db"
        database.rename(tmp_path / "elsewhere.db")
        database.mkdir()
        answer = await service.anyone.get("/api/health")
        assert (answer.status_code, answer.json()["status"]) == (503, "error")
        assert answer.json()["data"] == {"service": "babychain", "database": "unreachable"}


async def test_an_operator_finds_a_run_by_job_and_by_request_id(service: Service) -> None:
    request_id = "support-4711"
    answer = await service.api.post(
        "/api/v1/chains/chain1/runs", json=drawn("to be found"), headers={"x-request-id": request_id}
    )
    run = await service.succeeded(answer.json()["id"])
    [submit] = await service.submits(prompt="to be found moves")

    async def found(**by: str) -> list[Json]:
        answer = await service.api.get("/api/v1/admin/find", params=by)
        assert answer.status_code == 200, answer.text
        listed: list[Json] = answer.json()["data"]
        return listed

    [by_request] = await eventually(lambda: found(request_id=request_id), bool)
    assert by_request["run_id"] == run["id"]
    traces = await eventually(lambda: found(job=submit["job_id"]), bool)
    assert {(trace["run_id"], trace["step_key"]) for trace in traces} == {(run["id"], "image_to_video")}
    assert await found(job='nobody"s job') == []
    assert (await service.api.get("/api/v1/admin/find")).status_code == 400
    assert (await service.anyone.get("/api/v1/admin/find", params={"job": "x"})).status_code == 401
