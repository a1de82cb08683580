"""A video model that cannot serve a step hands it on, with the picture, to the next one in the caller's list."""

from pathlib import Path

import pytest
from temporalio.client import Client

from tests.support.bodies import drawn
from tests.support.service import running_service

BACH, WAN = "bach/bach-1.0-preview", "bailian/wan2.6-i2v"
SILENT, SEEDANCE = "relaydance/seedance-1-5-pro-no-audio", "bytedance/seedance-1.5-pro"
FAULTS = {
    BACH: ("bach", "provider_quota_exceeded"),
    WAN: ("bailian", "provider_quota_exceeded"),
    SILENT: ("relaydance", "provider_quota_exceeded"),
}


@pytest.mark.parametrize("model", FAULTS)
async def test_where_the_account_is_empty_the_next_model_makes_the_video_from_the_same_picture(
    temporal: Client, tmp_path: Path, model: str
) -> None:
    provider, code = FAULTS[model]
    async with running_service(temporal, tmp_path) as service:
        await service.sandbox.put_faults({"kind": "no_credit", "provider": provider, "count": 9})
        body = drawn("passed on")
        body["input"]["chain_models"]["image_to_video_model"] = [model, SEEDANCE]
        body["input"]["image_to_video_params"] = {"generation_prompt": "it moves"}
        run = await service.succeeded((await service.create("chain1", body))["id"])
        image, video = run["steps"]
        assert [attempt.get("error", {}).get("code") for attempt in video["attempts"]] == [code, None]
        assert video["served_by"] == {"provider": "byteplus", "model": SEEDANCE}
        assert video["generation_input_file"] == image["generation_output_file"]
        assert await service.sandbox.paid_starts() == 2


async def test_every_value_that_the_next_model_is_not_told_stands_in_the_dry_run_and_in_its_attempt(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_service(temporal, tmp_path) as service:
        await service.sandbox.put_faults({"kind": "no_credit", "provider": "bailian", "count": 9})
        body = drawn("told in part")
        body["input"]["chain_models"]["image_to_video_model"] = [WAN, BACH]
        body["input"]["image_to_video_params"] = {
            "input": {"prompt": "it moves", "negative_prompt": "blur", "template": "flying"},
            "parameters": {"shot_type": "multi", "seed": 7, "watermark": False},
        }
        dry = await service.api.post("/api/v1/chains/chain1/runs?dry_run=true", json=body)
        candidates = dry.json()["steps"][1]["candidates"]
        assert [one.get("not_told") for one in candidates] == [None, ["input.template", "parameters.shot_type"]]
        run = await service.succeeded((await service.create("chain1", body))["id"])
        attempts = run["steps"][1]["attempts"]
        assert [one.get("not_told") for one in attempts] == [None, ["input.template", "parameters.shot_type"]]
