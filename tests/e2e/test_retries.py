"""An ended run goes on from a step, and what was made before is not paid for again."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.callbacks import RUN_COMPLETED, STEP_COMPLETED
from domain.plan import RunOptions
from tests.support.archived import plan_of
from tests.support.bodies import SEEDANCE, drawn
from tests.support.orders import order
from tests.support.service import Json, Service, running_service
from tests.support.waiting import eventually

SILENT = "relaydance/seedance-1-5-pro-no-audio"


def refused(model: str) -> Json:
    raw_id = order(model).steps[0].candidates[0].raw_id
    return {"model": raw_id, "operation": "submit", "kind": "status", "status": 400, "count": 99}


async def retry(service: Service, run_id: str, body: Json, key: str | None = None) -> Any:
    headers = {} if key is None else {"idempotency-key": key}
    return await service.api.post(f"/api/v1/chains/runs/{run_id}/retry", json=body, headers=headers)


async def failed_video(service: Service, prompt: str, **more: Any) -> Json:
    await service.sandbox.put_faults(refused(SEEDANCE))
    body = drawn(prompt, metadata={"order": "7"}, webhook_url=service.hook, **more)
    created = await service.create("chain1", body)
    run = await service.ended(created["id"])
    assert run["error"]["code"] == "provider_invalid_request"
    return run


async def test_a_failed_video_is_made_again_from_the_picture_that_is_there(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        parent = await failed_video(service, "retried")
        params = {"content": None, "duration": None, "prompt": "it moves"}
        body = {"input": {"chain_models": {"image_to_video_model": SILENT}, "image_to_video_params": params}}
        answer = await retry(service, parent["id"], body)
        assert answer.status_code == 202, answer.text
        run = await service.succeeded(answer.json()["id"])
        picture, video = run["steps"]
        assert picture["generation_output_file"] == parent["steps"][0]["generation_output_file"]
        assert picture["served_by"] == parent["steps"][0]["served_by"]
        assert "attempts" not in picture
        assert video["served_by"]["model"] == SILENT
        assert [row["provider"] for row in await service.sandbox.jobs() if row["job_id"]].count("bfl") == 1
        assert run["retry_of"] == {"run_id": parent["id"], "from_step": "image_to_video"}
        assert run["saved"] == picture["reused"]["saved"] == parent["steps"][0]["cost"]["useful"]
        shown = await service.get(parent["id"])
        assert shown["retried_by"] == [run["id"]]
        waited = await service.api.get(f"/api/v1/chains/get/{parent['id']}", headers={"prefer": "wait=9"})
        assert waited.json() == shown
        assert run["metadata"] == {"order": "7"}
        assert len(await service.callbacks(run["id"])) == 1


async def test_a_prompt_that_a_retry_names_wins_over_the_earlier_parameters(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        parent = await failed_video(service, "first words")
        await service.sandbox.put_faults()
        body = {"input": {"image_to_video_prompt": "the camera rises"}}
        answer = await retry(service, parent["id"], body)
        assert answer.status_code == 202, answer.text
        await service.succeeded(answer.json()["id"])
        assert len(await service.submits(prompt="the camera rises")) == 1


async def test_one_key_makes_one_retry(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        parent = await failed_video(service, "keyed")
        await service.sandbox.put_faults()
        first, second = [await retry(service, parent["id"], {}, "again") for _ in range(2)]
        assert (first.status_code, second.status_code) == (202, 202)
        assert first.json()["id"] == second.json()["id"]
        other = await retry(service, parent["id"], {"from_step": "text_to_image"}, "again")
        assert other.status_code == 409
        assert other.json()["error"]["code"] == "idempotency_conflict"
        await service.succeeded(first.json()["id"])


async def test_what_a_retry_does_not_name_stays_as_the_earlier_run_had_it(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        chosen = {"max_cost": "0.75", "fallbacks": False, "webhook_events": [STEP_COMPLETED], "resubmit_unknown": True}
        parent = await failed_video(service, "choosy", **chosen)

        async def options(body: Json) -> RunOptions:
            answer = await retry(service, parent["id"], body)
            assert answer.status_code == 202, answer.text
            return (await plan_of(service.client, answer.json()["id"])).options

        # A risk that was taken once is not taken again in silence.
        kept = RunOptions(fallbacks=False, max_cost=750_000, webhook_events=(STEP_COMPLETED,), resubmit_unknown=False)
        assert await options({}) == kept
        assert await options(chosen) == replace(kept, resubmit_unknown=True)
        named = {"max_cost": 2, "fallbacks": True, "webhook_events": [RUN_COMPLETED]}
        assert await options(named) == RunOptions(max_cost=2_000_000)
        assert await options(dict.fromkeys(chosen)) == RunOptions()
        cheap = await retry(service, parent["id"], {"max_cost": "0.01"})
        assert (cheap.status_code, cheap.json()["error"]["code"]) == (400, "max_cost_exceeded")


async def test_the_schema_of_a_retry_shows_all_that_may_stand_beside_the_input(
    service_with_failure: tuple[Service, str],
) -> None:
    document = (await service_with_failure[0].anyone.get("/openapi.json")).json()
    create = document["components"]["schemas"]["create.chain1"]["properties"]
    operation = document["paths"]["/api/v1/chains/runs/{run_id}/retry"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"].keys() == create.keys() | {"from_step"}


async def test_a_dry_run_of_a_retry_costs_only_what_is_still_to_do(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        parent = await failed_video(service, "dry")
        url = f"/api/v1/chains/runs/{parent['id']}/retry?dry_run=true"
        shown = (await service.api.post(url, json={})).json()
        picture, video = shown["steps"]
        assert "candidates" not in picture
        assert shown["estimate"] == video["estimate"]
        assert (await service.get(parent["id"])).get("retried_by") is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"from_step": "upscale"}, ["from_step"]),
        ({"from_step": 5}, ["from_step"]),
        ({"input": {"text_to_image_params": {"seed": 1}}}, ["input", "text_to_image_params"]),
        (
            {"input": {"chain_models": {"text_to_image_model": SEEDANCE}}},
            ["input", "chain_models", "text_to_image_model"],
        ),
        ({"input": {"image_to_video_params": {"duration": "long"}}}, ["input", "image_to_video_params", "duration"]),
    ],
)
async def test_a_retry_that_makes_no_sense_is_refused_with_its_place(
    service_with_failure: tuple[Service, str], body: Json, path: list[str]
) -> None:
    service, parent = service_with_failure
    answer = await retry(service, parent, body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["errors"][0]["path"] == path


@pytest.fixture(scope="module")
async def service_with_failure(temporal: Client, tmp_path_factory: pytest.TempPathFactory) -> Any:
    async with running_service(temporal, tmp_path_factory.mktemp("retries")) as service:
        parent = await failed_video(service, "faulty")
        yield service, parent["id"]


async def test_a_living_run_and_a_strangers_are_not_retried(service_with_failure: tuple[Service, str]) -> None:
    service, parent = service_with_failure
    await service.sandbox.put_faults({"kind": "never_ends", "operation": "status", "count": 9999})
    living = await service.create("chain1", drawn("living"))
    answer = await retry(service, living["id"], {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "run_not_ended")
    await service.cancel(living["id"])
    foreign = await service.other.post(f"/api/v1/chains/runs/{parent}/retry", json={})
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (404, "run_not_found")


async def test_a_retry_that_was_started_is_told_of_even_where_the_database_fails_then(
    temporal: Client, tmp_path: Path
) -> None:
    """Its caller would otherwise ask again, as a 503 says, and pay for two."""
    async with running_service(temporal, tmp_path) as service:
        parent = await failed_video(service, "told of")
        await service.sandbox.put_faults()
        locking = sqlite3.connect(service.settings.data_dir / "babychain.db", isolation_level=None)
        locking.execute("BEGIN IMMEDIATE")
        answer = await retry(service, parent["id"], {})
        locking.close()
        assert answer.status_code == 202, answer.text
        run = await service.succeeded(answer.json()["id"])
        # Archiving the new run writes down what could not be written then.
        shown = await eventually(lambda: service.get(parent["id"]), lambda shown: "retried_by" in shown)
        assert shown["retried_by"] == [run["id"]]
