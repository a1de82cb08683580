"""Estimates, limits and spending, as callers and finance see them."""

import asyncio
import json
from pathlib import Path

import obstore
import pytest
from temporalio.client import Client

from storage.asset_uses import UPLOAD
from storage.blobs import open_store
from storage.callers import Callers
from storage.database import open_database
from tests.support.bodies import FIRST_EXAMPLE, SEED_EXAMPLE, SEEDANCE, drawn
from tests.support.pictures import jpeg
from tests.support.service import Json, Service, bearer, running_service
from tests.support.waiting import eventually

SILENT = "relaydance/seedance-1-5-pro-no-audio"


async def new_key(service: Service, caller: str) -> str:
    body = {"name": caller, "caller": caller, "scopes": ["chains:run", "chains:read"]}
    answer = await service.api.post("/api/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["key"]
    return key


async def test_an_estimate_shows_the_plan_and_the_very_requests_and_starts_nothing(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_service(temporal, tmp_path, fallbacks=f"{SEEDANCE}={SILENT}") as service:
        answer = await service.api.post("/api/v1/chains/chain1/estimate", json=FIRST_EXAMPLE)
        assert answer.status_code == 200, answer.text
        shown = answer.json()
        dry = await service.api.post("/api/v1/chains/chain1/runs?dry_run=true", json=FIRST_EXAMPLE)
        assert dry.status_code == 200
        assert dry.json() == shown
        picture, video = shown["steps"]
        assert [one["model"] for one in video["candidates"]] == [SEEDANCE, SILENT]
        assert picture["candidates"][0]["request"]["body"]["prompt"] == "a paper boat on a copper sea"
        assert video["candidates"][0]["request"]["body"]["content"][1] == {
            "type": "image_url",
            "image_url": {"url": "https://output-of-text-to-image.invalid/"},
            "role": "first_frame",
        }
        assert await service.sandbox.jobs() == []

        created = await service.create("chain1", FIRST_EXAMPLE)
        await service.succeeded(created["id"])
        [sent] = [row["body"] for row in await service.sandbox.jobs() if row["provider"] == "bfl" and row["body"]]
        promised = picture["candidates"][0]["request"]["body"]
        assert {name for name in sent if sent[name] != promised.get(name)} <= {"webhook_url", "webhook_secret"}
        assert sent.keys() == promised.keys()


async def test_an_estimate_holds_no_secret(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        text = (await service.api.post("/api/v1/chains/chain1/estimate", json=FIRST_EXAMPLE)).text
        assert json.loads(text)["steps"][0]["candidates"][0]["request"]["body"]["webhook_secret"] == "[hidden]"
        assert "sandbox-bfl" not in text
        assert "sandbox-byteplus" not in text


async def test_a_run_that_may_cost_more_than_its_limit_is_not_started(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        refused = await service.api.post("/api/v1/chains/chain1/runs", json=SEED_EXAMPLE | {"max_cost": "0.01"})
        assert refused.status_code == 400
        error = refused.json()["error"]
        assert (error["code"], error["errors"][0]["path"]) == ("max_cost_exceeded", ["max_cost"])
        allowed = await service.api.post("/api/v1/chains/chain1/runs", json=SEED_EXAMPLE | {"max_cost": 5})
        assert allowed.status_code == 202


async def test_a_fallback_that_could_break_the_limit_is_not_tried(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, fallbacks=f"{SEEDANCE}={SILENT}") as service:
        fault = {"provider": "byteplus", "operation": "submit", "kind": "status", "status": 404, "count": 9}
        await service.sandbox.put_faults(fault)
        created = await service.create("chain1", drawn("dear", max_cost=1))
        run = await service.ended(created["id"])
        assert run["status"] == "failed"
        assert run["error"]["code"] == "max_cost_exceeded"
        assert [attempt["model"] for attempt in run["steps"][1]["attempts"]] == [SEEDANCE]


async def test_finance_sees_what_was_spent_and_what_was_wasted(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        good = await service.create("chain1", drawn("good", metadata={"tags": ["spring", "=SUM(A1)"]}))
        await service.succeeded(good["id"])
        await service.sandbox.put_faults({"provider": "byteplus", "operation": "submit", "kind": "failed"})
        bad = await service.create("chain1", drawn("bad"))
        assert (await service.ended(bad["id"]))["status"] == "failed"

        # The ledger is written a moment after a run has ended.
        by_model = await eventually(lambda: _spent(service, "by=model"), lambda rows: _attempts(rows) == 4)
        assert {row["group"] for row in by_model} == {"bfl/flux-2-pro", SEEDANCE}
        flux = next(row for row in by_model if row["group"] == "bfl/flux-2-pro")
        assert (flux["attempts"], flux["useful"], flux["wasted"]) == (2, "0.06", "0")
        seedance = next(row for row in by_model if row["group"] == SEEDANCE)
        assert seedance["attempts"] == 2
        assert float(seedance["useful"]) > 0
        [day] = await _spent(service, "by=day")
        assert day["attempts"] == 4
        assert {row["group"] for row in await _spent(service, "by=tag")} == {"spring", "=SUM(A1)"}
        table = await service.api.get("/api/v1/spend?by=tag&format=csv")
        assert table.headers["content-type"].startswith("text/csv")
        assert "'=SUM(A1)" in table.text
        assert (await service.other.get("/api/v1/spend")).json()["data"] == []


def _attempts(rows: list[Json]) -> int:
    return sum(int(row["attempts"]) for row in rows)


async def _spent(service: Service, query: str) -> list[Json]:
    answer = await service.api.get(f"/api/v1/spend?{query}")
    assert answer.status_code == 200, answer.text
    rows: list[Json] = answer.json()["data"]
    return rows


async def test_only_an_admin_sees_what_everyone_spends(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        assert (await service.api.get("/api/v1/spend?of=everyone")).status_code == 200
        key = await new_key(service, "reader")
        answer = await service.anyone.get("/api/v1/spend?of=everyone", headers=bearer(key))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    "query",
    [
        "by=moon",
        "since=yesterday",
        "since=2026-02-02&until=2026-02-01",
        "format=xml",
        "until=9999-12-31",
        "since=0001-01-01",
    ],
)
async def test_a_spend_question_that_makes_no_sense_is_refused(temporal: Client, tmp_path: Path, query: str) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        answer = await service.api.get(f"/api/v1/spend?{query}")
        assert answer.status_code == 400
        assert answer.json()["error"]["errors"]


async def test_a_cap_holds_when_many_runs_are_created_at_once(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        key = await new_key(service, "thrifty")
        estimate = (await service.api.post("/api/v1/chains/chain1/estimate", json=FIRST_EXAMPLE)).json()["estimate"]
        three = 3 * round(float(estimate["high"]) * 1_000_000)
        database = open_database(service.settings.archive_url)
        try:
            callers = Callers(database, secret="unused" * 4, default_secret="unused")
            await callers.set_caps("thrifty", daily=three, monthly=None)
        finally:
            await database.dispose()
        create = service.anyone.post
        url, headers = "/api/v1/chains/chain1/runs", bearer(key)
        answers = await asyncio.gather(*(create(url, json=FIRST_EXAMPLE, headers=headers) for _ in range(12)))
        assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 9
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["error"]["code"] == "spend_cap_exceeded"
        assert int(refused.headers["retry-after"]) > 0
        priceless = {
            "chain_models": {"image_to_video_model": SILENT},
            "text_to_image_prompt": "a boat",
            "image_to_video_prompt": "it moves",
        }
        unknown = await create(url, json={"input": priceless}, headers=headers)
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (429, "spend_cap_exceeded")


@pytest.mark.parametrize("key", [{}, {"idempotency-key": "again"}])
async def test_a_create_that_is_refused_after_all_leaves_the_callers_cap_as_it_was(
    temporal: Client, tmp_path: Path, key: Json
) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        headers = bearer(await new_key(service, "careful"))
        file = {"file": ("p.jpg", jpeg("careful", (320, 320)), "image/jpeg")}
        asset = (await service.anyone.post("/api/v1/assets", files=file, headers=headers)).json()
        params = {"generation_prompt": "it moves", "duration": 4}
        body = {"input": {"source_image_url": asset["id"], "image_to_video_params": params}}
        url = "/api/v1/chains/image-to-video"
        estimate = (await service.anyone.post(f"{url}/estimate", json=body, headers=headers)).json()
        once = round(float(estimate["estimate"]["high"]) * 1_000_000)
        caps = {"daily_cap": once, "monthly_cap": None}
        assert (await service.api.put("/api/v1/callers/careful/caps", json=caps)).status_code == 200

        store = open_store(service.settings.assets)
        await obstore.put_async(store, f"removing/{asset['sha256']}/another", b"")
        for _ in range(2):
            refused = await service.anyone.post(f"{url}/runs", json=body, headers=headers | key)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "asset_busy")
        await obstore.delete_async(store, f"removing/{asset['sha256']}/another")
        uses = [found["path"] for found in await obstore.list(store, "uses/").collect_async()]
        assert key or uses == [f"uses/{asset['sha256']}/{UPLOAD}"]

        started = await service.anyone.post(f"{url}/runs", json=body, headers=headers)
        assert started.status_code == 202, started.text
