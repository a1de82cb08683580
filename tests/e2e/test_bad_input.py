"""What is wrong with a request is said at once, with its place and what helps, and nothing has been paid for."""

from typing import Any

import pytest

from tests.support.answers import refusal
from tests.support.service import Json, Service

BACH, WAN = "bach/bach-1.0-preview", "bailian/wan2.6-i2v"
SILENT, FUSION = "relaydance/seedance-1-5-pro-no-audio", "relaydance/doubao-seedance-2-0-1080p"
DANCE_2 = "bytedance/seedance-2.0"
START = "https://93.184.215.14/start.png"
"""A public number, which needs no DNS."""


def item(number: int, role: str) -> Json:
    return {"type": "image_url", "image_url": {"url": f"https://93.184.215.14/{number}.png"}, "role": role}


def relayed(*content: Json, prompt: str = "it moves", **more: Any) -> Json:
    return {"prompt": prompt, "metadata": {"content": list(content)}} | more


def danced(*content: Json) -> Json:
    return {"content": [{"type": "text", "text": "it moves"}, *content]}


def referring(count: int) -> list[Json]:
    return [item(number, "reference_image") for number in range(count)]


PICTURELESS: dict[str, tuple[str, Json, str, str]] = {
    "ten references": (FUSION, relayed(*referring(10)), "", "10 pictures"),
    "two kinds of references": (
        FUSION,
        relayed(item(1, "reference_image"), item(2, "last_frame")),
        ".metadata",
        "exclude",
    ),
    "two kinds at seedance": (
        DANCE_2,
        danced(item(1, "first_frame"), item(2, "reference_image")),
        ".content",
        "first frame",
    ),
    "a picture that is not there": (
        SILENT,
        relayed(item(1, "reference_image"), prompt="@image2"),
        ".prompt",
        "not there: there are 1",
    ),
}
"""The step's own start picture is among the parameters."""

WITH_A_START: dict[str, tuple[str, Json, str, str]] = {
    "unknown model": ("bach/bach-9", {}, "_model", BACH),
    "model of the wrong kind": ("bfl/flux-2-pro", {}, "_model", "video"),
    "out of range": (BACH, {"duration": 7}, ".duration", "6"),
    "wrong type": (SILENT, {"prompt": "x", "seconds": 5}, ".seconds", "string"),
    "wrong word": (WAN, {"input": {"prompt": "x"}, "parameters": {"resolution": "480P"}}, ".parameters", "1080P"),
    "too long": (BACH, {"prompt": "灯" * 10_001}, ".prompt", "10000"),
    "unsafe sound": (
        WAN,
        {"input": {"prompt": "x", "audio_url": "https://10.0.0.7/a.mp3"}},
        ".input.audio_url",
        "public",
    ),
    "unsafe reference": (
        FUSION,
        relayed(item(1, "reference_image") | {"image_url": {"url": "https://127.0.0.1/a.png"}}),
        ".metadata.content.0.image_url.url",
        "public",
    ),
    "a field of the server": (
        SILENT,
        {"prompt": "x", "metadata": {"callback_url": "https://a.example/x"}},
        ".metadata.callback_url",
        "remove it",
    ),
}


async def refused(service: Service, model: str, params: Json, **input: Any) -> list[Json]:
    body = {"input": {"image_to_video_model": model, "image_to_video_params": params} | input}
    answer = await service.api.post("/api/v1/chains/image-to-video/runs", json=body)
    assert answer.status_code == 400, answer.text
    error = refusal(answer, 400, answer.json()["error"]["code"])
    faults: list[Json] = error["errors"]
    return faults


def assert_said(faults: list[Json], place: str, words: str) -> None:
    said = [(".".join(map(str, fault["path"])), fault["message"]) for fault in faults]
    assert any(path.startswith(f"input.image_to_video_{place}") and words in message for path, message in said), said


@pytest.mark.parametrize("case", PICTURELESS)
async def test_pictures_that_do_not_go_together_are_refused_at_their_place(service: Service, case: str) -> None:
    model, params, place, words = PICTURELESS[case]
    before = len(await service.sandbox.jobs())
    assert_said(await refused(service, model, params), f"params{place}", words)
    assert len(await service.sandbox.jobs()) == before


@pytest.mark.parametrize("case", WITH_A_START)
async def test_what_can_be_known_before_the_start_is_refused_at_its_place(service: Service, case: str) -> None:
    model, params, place, words = WITH_A_START[case]
    before = len(await service.sandbox.jobs())
    faults = await refused(service, model, params, source_image_url=START)
    assert_said(faults, f"{'' if place == '_model' else 'params'}{place}".removeprefix("_"), words)
    assert len(await service.sandbox.jobs()) == before


PICTURE = "https://93.184.215.14/mine.png"
FILLED: dict[str, tuple[str, Json, str]] = {
    "bach": (BACH, {"prompt": "x", "image_url": PICTURE}, "image_url"),
    "bailian": (WAN, {"input": {"prompt": "x", "img_url": PICTURE}}, "input.img_url"),
    "relaydance": (SILENT, relayed(item(1, "first_frame")), "metadata.content.0.image_url"),
    "seedance": ("bytedance/seedance-1.5-pro", danced(item(1, "first_frame")), "content.1.image_url"),
    "in our words": (WAN, {"generation_prompt": "x", "generation_input_file": [PICTURE]}, "generation_input_file"),
}


@pytest.mark.parametrize("case", FILLED)
async def test_the_place_that_the_chain_fills_is_refused_by_its_path(service: Service, case: str) -> None:
    model, params, place = FILLED[case]
    models = {"image_to_video_model": model}
    body = {"input": {"chain_models": models, "text_to_image_prompt": "a boat", "image_to_video_params": params}}
    answer = await service.api.post("/api/v1/chains/chain1/runs", json=body)
    error = refusal(answer, 400, "invalid_chain_input")
    assert_said(error["errors"], f"params.{place}", "filled by the chain from text_to_image")
