"""What a video is made from, role by role: as the caller named it, and as it reached the provider."""

from typing import Any

import pytest

from tests.support.service import Json, Service

RELAYED, DANCED = "relaydance/seedance-1-5-pro-no-audio", "bytedance/seedance-2.0"
HOST = "https://93.184.215.14"
"""A public number, which needs no DNS."""


def item(kind: str, role: str) -> Json:
    return {"type": kind, kind: {"url": f"{HOST}/{role}"}, "role": role}


FIRST, LAST = item("image_url", "first_frame"), item("image_url", "last_frame")
VIDEO, SOUND = item("video_url", "reference_video"), item("audio_url", "reference_audio")


def content_of(model: str, body: Json) -> list[Any]:
    content: list[Any] = body["metadata"]["content"] if model == RELAYED else body["content"]
    return [item for item in content if item["type"] != "text"]


def params(model: str, prompt: str, *content: Json) -> Json:
    if model == RELAYED:
        return {"prompt": prompt, "metadata": {"content": list(content)}}
    return {"content": [{"type": "text", "text": prompt}, *content]}


@pytest.mark.parametrize("model", [RELAYED, DANCED])
async def test_a_video_starts_from_the_first_frame_and_ends_with_the_last(service: Service, model: str) -> None:
    prompt = f"from frame to frame with {model}"
    asked = {"image_to_video_model": model, "image_to_video_params": params(model, prompt, FIRST, LAST)}
    created = await service.create("image-to-video", {"input": asked})
    await service.succeeded(created["id"])
    [start] = await service.submits(prompt=prompt)
    assert sorted(content_of(model, start["body"]), key=str) == sorted([FIRST, LAST], key=str)


@pytest.mark.parametrize("model", [RELAYED, DANCED])
async def test_a_video_and_a_sound_go_beside_the_picture_that_the_chain_hands_on(service: Service, model: str) -> None:
    prompt = f"beside a video with {model}"
    asked = {
        "chain_models": {"image_to_video_model": model},
        "text_to_image_prompt": "a boat",
        "image_to_video_params": params(model, prompt, VIDEO, SOUND),
    }
    created = await service.create("chain1", {"input": asked})
    await service.succeeded(created["id"])
    [start] = await service.submits(prompt=prompt)
    [picture, *references] = content_of(model, start["body"])
    assert picture["role"] == "reference_image"
    assert references == [VIDEO, SOUND]
