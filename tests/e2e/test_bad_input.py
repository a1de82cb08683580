"""What is wrong with a request is said at once, with its place and what helps, and nothing has been paid for."""

from typing import Any

import pytest

from tests.support.answers import refusal
from tests.support.bodies import drawn
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


LEAK = "sk" + "-live-0123456789abcdefghijABCDEF"
LEAKS: dict[str, tuple[Json, list[str]]] = {
    "by name": ({"metadata": {"api_key": LEAK}}, ["metadata", "api_key"]),
    "deep": ({"metadata": {"deep": {"Authorization": f"Bearer {LEAK}"}}}, ["metadata", "deep", "Authorization"]),
    "by shape": ({"metadata": {"order": LEAK}}, ["metadata", "order"]),
    "beside the input": ({"api_key": LEAK}, ["api_key"]),
    "ignored": ({"execution": {"session_tokens": [LEAK]}}, ["execution", "session_tokens"]),
}


@pytest.mark.parametrize("case", LEAKS)
@pytest.mark.parametrize("route", ["runs", "estimate"])
async def test_a_credential_beside_the_input_is_refused_and_stored_nowhere(
    service: Service, case: str, route: str
) -> None:
    more, path = LEAKS[case]
    answer = await service.api.post(f"/api/v1/chains/chain1/{route}", json=drawn("a boat with a key") | more)
    error = refusal(answer, 400, "invalid_request")
    assert [fault["path"] for fault in error["errors"]] == [path]
    assert LEAK not in answer.text
    assert await service.submits(prompt="a boat with a key") == []


CREATE = "/api/v1/chains/chain2/runs"
NOBODY = "https://nobody.invalid/start.png"
"""A name that no resolver knows."""


def told(error: Json) -> set[str]:
    return {".".join(map(str, fault["path"])) for fault in error["errors"]}


def restyled(picture: str, **more: Any) -> Json:
    prompts = {"image_to_image_prompt": "in ink", "image_to_video_prompt": "it moves"}
    return {"input": prompts | {"source_image_url": picture}} | more


async def test_all_that_is_wrong_with_a_body_is_in_one_answer(service: Service) -> None:
    body = restyled("http://pictures.example.com/a.png", metadata=5, max_cost="a", api_key="abc-secret-value")
    body["webhook_url"] = "http://shop.example.com/hook"
    body["input"] |= {
        "chain_models": {"image_to_image_model": "no/such-model"},
        "image_to_image_params": {"aspect": "1:1"},
        "image_to_video_params": {"ratio": "7:3", "client_secret": "abc-secret-value"},
        "surprise": 1,
    }
    answer = await service.api.post(CREATE, json=body)
    error = refusal(answer, 400, "invalid_request")
    assert error["message"] == "Request validation failed."
    assert told(error) == {
        "metadata",
        "max_cost",
        "api_key",
        "webhook_url",
        "input.chain_models.image_to_image_model",
        "input.image_to_image_params.aspect",
        "input.image_to_video_params.ratio",
        "input.image_to_video_params.client_secret",
        "input.source_image_url",
        "input.surprise",
    }
    assert set(error["details"]["fieldErrors"]) == {"metadata", "max_cost", "api_key", "webhook_url", "input"}
    assert "abc-secret-value" not in answer.text


async def test_what_stands_beside_a_good_input_is_refused_alone(service: Service) -> None:
    error = refusal(await service.api.post(CREATE, json=restyled(START, metadata=5)), 400, "invalid_request")
    assert error["errors"] == [{"path": ["metadata"], "message": "must be an object"}]
    assert error["details"] == {"formErrors": [], "fieldErrors": {"metadata": ["metadata must be an object"]}}


async def test_address_callback_and_cost_are_refused_together_by_the_first_ones_code(service: Service) -> None:
    body = restyled("https://127.0.0.1/a.png", webhook_url="http://shop.example.com/hook", max_cost="0.000001")
    error = refusal(await service.api.post(CREATE, json=body), 400, "invalid_chain_input")
    assert error["message"] == "An input picture can't be used."
    assert told(error) == {"input.source_image_url", "webhook_url", "max_cost"}
    body["input"]["source_image_url"] = START
    error = refusal(await service.api.post(CREATE, json=body), 400, "invalid_callback_url")
    assert told(error) == {"webhook_url", "max_cost"}
    del body["webhook_url"]
    assert told(refusal(await service.api.post(CREATE, json=body), 400, "max_cost_exceeded")) == {"max_cost"}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"webhook_url": "http://shop.example.com/hook"}, "invalid_callback_url"),
        ({"max_cost": "0.000001"}, "max_cost_exceeded"),
        ({"metadata": 5}, "invalid_request"),
    ],
)
async def test_names_are_looked_up_only_when_nothing_else_is_wrong(service: Service, wrong: Json, code: str) -> None:
    error = refusal(await service.api.post(CREATE, json=restyled(NOBODY, **wrong)), 400, code)
    assert told(error) == set(wrong)
    error = refusal(await service.api.post(CREATE, json=restyled(NOBODY)), 400, "invalid_chain_input")
    assert "does not resolve" in error["errors"][0]["message"]


async def test_all_that_is_wrong_with_a_retry_is_in_one_answer(service: Service) -> None:
    run = await service.create("chain1", drawn("canceled, then retried badly"))
    await service.cancel(run["id"])
    await service.ended(run["id"])
    again = f"/api/v1/chains/runs/{run['id']}/retry"
    body = {"input": {"surprise": 1}, "metadata": {"tokens": "x"}, "webhook_url": "http://shop.example.com/hook"}
    error = refusal(await service.api.post(again, json=body), 400, "invalid_request")
    assert told(error) == {"metadata.tokens", "webhook_url", "input.surprise"}
    error = refusal(await service.api.post(again, json=body | {"from_step": "none"}), 400, "invalid_request")
    assert told(error) == {"metadata.tokens", "from_step"}
