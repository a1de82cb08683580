"""The catalogue says what chains can do and what makers of models advise, and an estimate what is doubtful."""

import pytest

from tests.support.service import Service

BACH, WAN, FUSION = "bach/bach-1.0-preview", "bailian/wan2.6-i2v-flash", "relaydance/doubao-seedance-2-0-1080p"


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        (BACH, ["720p or more", "300 by 300", "clear subject", "motion", "jerky", "1-2 seconds", "3-4", "5-6"]),
        (WAN, ["as many pixels as the resolution", "360 to 2000", "motion", "audio_url"]),
        (FUSION, ["@image1", "order", "exclude first and last frames"]),
    ],
)
async def test_a_models_page_gives_its_makers_advice(service: Service, model: str, advice: list[str]) -> None:
    hints = " ".join((await service.anyone.get(f"/api/v1/models/{model}")).json()["hints"])
    assert [words for words in advice if words not in hints] == []


@pytest.mark.parametrize(
    ("model", "params", "doubt"),
    [
        (BACH, {"prompt": "it moves", "duration": 6}, "1 to 5 seconds"),
        (BACH, {"prompt": "it moves", "audio_prompt": "surf"}, "without generate_audio"),
        (WAN, {"input": {"prompt": "it moves", "template": "flying"}}, "the prompt is ignored"),
        (FUSION, {"prompt": "it moves", "metadata": {"resolution": "720p"}}, "1080p"),
    ],
)
async def test_what_is_doubtful_is_said_in_the_dry_run_and_holds_nothing_up(
    service: Service, model: str, params: dict[str, object], doubt: str
) -> None:
    models = {"image_to_video_model": model}
    body = {"input": {"chain_models": models, "text_to_image_prompt": "a boat", "image_to_video_params": params}}
    answer = await service.api.post("/api/v1/chains/chain1/runs?dry_run=true", json=body)
    assert answer.status_code == 200, answer.text
    assert [warning for warning in answer.json()["warnings"] if "image_to_video" in warning and doubt in warning]


@pytest.mark.parametrize(
    ("slug", "kinds"),
    [
        ("chain1", ["text-to-image", "image-to-video"]),
        ("chain2", ["image-to-image", "image-to-video"]),
        ("chain3", ["text-to-image", "image-to-image", "image-to-video"]),
        ("image-to-video", ["image-to-video"]),
    ],
)
async def test_a_chain_lists_its_capabilities(service: Service, slug: str, kinds: list[str]) -> None:
    listed = (await service.anyone.get("/api/v1/chains")).json()["data"]
    [chain] = [chain for chain in listed if chain["slug"] == slug]
    assert chain["capabilities"] == {
        "step_kinds": kinds,
        "final_callback": True,
        "durable_state": True,
        "failover": True,
    }
