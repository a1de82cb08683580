"""Pictures that are too large for the next model, on the whole way through API, worker and simulators."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from temporalio.client import Client

import providers
from tests.support.bodies import drawn
from tests.support.pictures import jpeg
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.service import Json, Service, path_of, running_service

DREAM, WAN = "bytedance/seedream-4.5", "bailian/wan2.6-i2v-flash"
BACH, SEEDANCE = "bach/bach-1.0-preview", "bytedance/seedance-1.5-pro"
REAL = replace(QUICK, media="real")


@pytest.fixture(scope="module")
async def studio(temporal: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service whose simulators draw real pictures and look at those they are handed."""
    async with running_service(temporal, tmp_path_factory.mktemp("studio"), config=REAL) as running:
        yield running


def chained(prompt: str, **image: str) -> Json:
    """A chain1 request of the shortest video that Bailian makes."""
    return {
        "input": {
            "chain_models": {"text_to_image_model": DREAM, "image_to_video_model": WAN},
            "text_to_image_params": {"prompt": prompt} | image,
            "image_to_video_params": {
                "input": {"prompt": f"{prompt} moves"},
                "parameters": {"resolution": "720P", "duration": 2, "audio": False},
            },
        }
    }


async def size_of(service: Service, url: str) -> tuple[int, int]:
    answer = await service.anyone.get(path_of(url))
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content)).size


async def test_seedream_is_asked_for_a_picture_that_bailian_takes(studio: Service) -> None:
    created = await studio.create("chain1", chained("asked to fit"))
    assert f"text_to_image: {DREAM} is asked for 2000×2000, which {WAN} takes" in created["warnings"]
    run = await studio.succeeded(created["id"])
    image, video = run["steps"]
    assert await size_of(studio, image["generation_output_file"][0]) == (2000, 2000)
    assert "adapted" not in video["attempts"][0]


async def test_a_size_of_the_callers_own_is_kept_and_bailian_gets_a_scaled_copy(studio: Service) -> None:
    created = await studio.create("chain1", chained("made to fit", size="2048x2048"))
    assert f"text_to_image: {DREAM} makes 2048×2048; {WAN} gets a scaled copy" in created["warnings"]
    run = await studio.succeeded(created["id"])
    image, video = run["steps"]
    assert video["attempts"][0]["adapted"] == "scaled from 2048×2048 to 2000×2000"
    assert "adapted" not in image["attempts"][0]
    assert video["generation_input_file"] == image["generation_output_file"]
    assert await size_of(studio, video["generation_input_file"][0]) == (2048, 2048)
    [start] = await studio.submits(prompt="made to fit moves")
    assert await size_of(studio, start["body"]["input"]["img_url"]) == (2000, 2000)


@pytest.mark.parametrize(("size", "reason"), [((64, 64), "too small"), ((2400, 400), "too long")])
async def test_an_uploaded_picture_that_no_copy_can_fit_is_refused_before_anything_is_paid(
    service: Service, size: tuple[int, int], reason: str
) -> None:
    data = jpeg(reason, size)
    asset = (await service.api.post("/api/v1/assets", files={"file": ("p.jpg", data, "image/jpeg")})).json()
    body = {
        "input": {
            "image_to_video_model": WAN,
            "source_image_url": asset["id"],
            "image_to_video_params": {"input": {"prompt": f"{reason} to move"}},
        }
    }
    answer = await service.api.post("/api/v1/chains/image-to-video/runs", json=body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]["errors"][0]["message"]
    assert await service.submits(prompt=f"{reason} to move") == []


async def test_a_model_that_stands_in_and_cannot_take_the_picture_is_refused_before_anything_is_paid(
    service: Service,
) -> None:
    body = chained("too wide for the second", size="4096x1024")
    body["input"]["chain_models"]["image_to_video_model"] = [WAN, SEEDANCE]
    answer = await service.api.post("/api/v1/chains/chain1/runs", json=body)
    assert answer.status_code == 400
    [fault] = answer.json()["error"]["errors"]
    assert fault["path"] == ["input", "chain_models", "image_to_video_model", 1]
    assert "0.4 to 2.5" in fault["message"]
    assert await service.submits(prompt="too wide for the second") == []


@pytest.mark.parametrize(
    ("model", "advice"), [(BACH, "720 pixels or more on the shorter side"), (WAN, "as many pixels as 1080P makes")]
)
async def test_a_picture_smaller_than_the_maker_advises_is_a_warning_and_holds_nothing_up(
    service: Service, model: str, advice: str
) -> None:
    """Made by the chain, or uploaded."""
    made = {
        "chain_models": {"text_to_image_model": "bfl/flux-2-pro", "image_to_video_model": model},
        "text_to_image_params": {"prompt": "a boat", "width": 512, "height": 512},
    }
    file = ("p.jpg", jpeg("small", (512, 512)), "image/jpeg")
    asset = (await service.api.post("/api/v1/assets", files={"file": file})).json()
    uploaded = {"image_to_video_model": model, "source_image_url": asset["id"]}
    for slug, asked in (("chain1", made), ("image-to-video", uploaded)):
        body = {"input": asked | {"image_to_video_prompt": "it moves"}}
        answer = await service.api.post(f"/api/v1/chains/{slug}/runs?dry_run=true", json=body)
        assert answer.status_code == 200, answer.text
        [warning] = [said for said in answer.json()["warnings"] if "512×512" in said]
        assert warning.startswith(f"image_to_video: {model} gets a picture of 512×512")
        assert advice in warning


async def test_what_pictures_a_model_takes_can_be_read(service: Service) -> None:
    shown = (await service.api.get(f"/api/v1/models/{WAN}")).json()["input_pictures"]
    assert (shown["minimum"], shown["maximum"]) == (1, 1)
    assert shown["limits"] == {
        "formats": ["image/jpeg", "image/png", "image/bmp", "image/webp"],
        "bytes": 10_000_000,
        "least_side": 360,
        "most_side": 2_000,
        "opaque_png": True,
    }


@pytest.fixture
async def laptop(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Service, Sandbox]]:
    """A service with keys of its own, which no provider can reach; and the providers."""
    async with running_sandbox(replace(QUICK, sees_pictures=True)) as url, httpx.AsyncClient(trust_env=False) as http:
        for name, value in providers.sandbox_environment(url).items():
            monkeypatch.setenv(name, value)
        trusted = f"{url},{url.replace('127.0.0.1', 'localhost')}"
        more: dict[str, Any] = {"provider_mode": "byok", "trusted_origins": trusted}
        async with running_service(temporal, tmp_path, **more) as service:
            assert not service.settings.providers_reach_us
            yield service, Sandbox(url, http)


async def test_a_laptop_chains_into_a_model_that_fetches_its_picture(laptop: tuple[Service, Sandbox]) -> None:
    service, sandbox = laptop
    body = drawn("from a laptop")
    body["input"]["chain_models"]["image_to_video_model"] = BACH
    body["input"]["image_to_video_params"] = {"prompt": "it moves"}
    run = await service.succeeded((await service.create("chain1", body))["id"])
    image, video = run["steps"]
    assert video["generation_input_file"] == image["generation_output_file"]
    [start] = [row for row in await sandbox.jobs() if row["provider"] == "bach" and row["operation"] == "submit"]
    assert "/_results/" in start["body"]["image_url"]


async def test_a_laptop_refuses_an_upload_that_the_model_could_never_fetch(laptop: tuple[Service, Sandbox]) -> None:
    service, sandbox = laptop
    data = jpeg("mine", (400, 400))
    asset = (await service.api.post("/api/v1/assets", files={"file": ("p.jpg", data, "image/jpeg")})).json()
    body = {"input": {"image_to_video_model": BACH, "source_image_url": asset["id"], "image_to_video_prompt": "moves"}}
    answer = await service.api.post("/api/v1/chains/image-to-video/runs", json=body)
    assert answer.status_code == 400
    assert "must be a public https address" in answer.json()["error"]["errors"][0]["message"]
    assert await sandbox.paid_starts() == 0
