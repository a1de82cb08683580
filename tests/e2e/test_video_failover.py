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
