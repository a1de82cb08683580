"""Bailian's models: what they take and cost, and the body that is sent."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import InputRejected
from domain.media import InputFile, InputForm, MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import ModelCard, SafetyClass
from providers import bailian
from providers.bailian import MODELS
from providers.bailian.wire import build_body
from tests.contract.adapters import request, shown
from tests.contract.bailian_orders import FLASH, PICTURE, PROMPT, WAN, given, told

OLD = MODELS["bailian/wan2.5-i2v-preview"]
ADDRESS = InputFile(url="https://example.com/a.png")


def test_the_models_are_those_of_the_page() -> None:
    assert [(name, card.raw_id) for name, card in MODELS.items()] == [
        ("bailian/wan2.6-i2v", "wan2.6-i2v"),
        ("bailian/wan2.6-i2v-flash", "wan2.6-i2v-flash"),
        ("bailian/wan2.5-i2v-preview", "wan2.5-i2v-preview"),
    ]
    for card in MODELS.values():
        assert card.endpoint == "https://api.gpt.ge/task/bailian/image2video"
        assert (card.inputs.minimum, card.inputs.maximum) == (1, 1)
        assert "as many pixels as the resolution" in " ".join(card.hints)


@pytest.mark.parametrize("reach", [True, False])
def test_a_lost_create_stays_lost(reach: bool) -> None:
    assert WAN.safety(webhooks_reach_us=reach) is SafetyClass.C


@pytest.mark.parametrize(
    ("card", "params", "path"),
    [
        (WAN, {}, ("input",)),
        (WAN, {"input": {}}, ("input", "prompt")),
        (WAN, given(prompt=" "), ("input", "prompt")),
        (WAN, {"input": "a kite"}, ("input",)),
        (WAN, given(audio_url="ftp://x/a.mp3"), ("input", "audio_url")),
        (WAN, given(video_url="https://x"), ("input", "video_url")),
        (WAN, PROMPT | {"seed": 5}, ("seed",)),
        (WAN, told(resolution="480P"), ("parameters", "resolution")),
        (FLASH, told(resolution="480P"), ("parameters", "resolution")),
        (WAN, told(resolution="720p"), ("parameters", "resolution")),
        (WAN, told(duration=1), ("parameters", "duration")),
        (WAN, told(duration=16), ("parameters", "duration")),
        (WAN, told(duration=5.5), ("parameters", "duration")),
        (WAN, told(duration="5"), ("parameters", "duration")),
        (OLD, told(duration=15), ("parameters", "duration")),
        (OLD, told(duration=6), ("parameters", "duration")),
        (WAN, told(audio=False), ("parameters", "audio")),
        (OLD, told(audio=True), ("parameters", "audio")),
        (FLASH, told(audio=1), ("parameters", "audio")),
        (OLD, told(shot_type="multi"), ("parameters", "shot_type")),
        (WAN, told(shot_type="many"), ("parameters", "shot_type")),
        (WAN, told(seed=-1), ("parameters", "seed")),
        (WAN, told(seed=2_147_483_648), ("parameters", "seed")),
        (WAN, told(prompt_extend="true"), ("parameters", "prompt_extend")),
    ],
    ids=shown,
)
def test_what_a_model_does_not_take_is_refused_with_its_path(
    card: ModelCard, params: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as raised:
        card.params.model_validate(params)
    assert path in [error["loc"] for error in raised.value.errors()]


@pytest.mark.parametrize(
    ("card", "params"),
    [
        (WAN, PROMPT),
        (WAN, told(resolution="720P", duration=15, seed=0, shot_type="multi")),
        (FLASH, told(resolution="1080P", duration=10.0, audio=False, prompt_extend=False, seed=2_147_483_647)),
        (OLD, told(resolution="480P", duration=10)),
        (WAN, given(negative_prompt="flicker", audio_url="https://x.example/a.mp3?sig=1")),
        (WAN, given(audio_url="https://x.example/sound")),
        (WAN, given(prompt="x" * 1500, negative_prompt="x" * 500)),
    ],
    ids=shown,
)
def test_what_is_documented_passes_without_a_word(card: ModelCard, params: dict[str, Any]) -> None:
    card.params.model_validate(params)
    assert card.check(params) == []
    assert card.warn(params) == []


@pytest.mark.parametrize(
    ("card", "params", "words"),
    [
        (WAN, told(duration=7), "older pages know 5, 10, 15 only"),
        (WAN, told(shot_type="multi", prompt_extend=False), "no effect without prompt_extend"),
        (WAN, told(watermark=True), "not by the gateway"),
        (WAN, given(template="flying"), "the prompt is ignored"),
        (WAN, given(prompt="x" * 1501), "first 1500 characters"),
        (WAN, given(negative_prompt="x" * 501), "first 500 characters"),
        (WAN, given(audio_url="https://x.example/a.ogg?b=.mp3"), "wav and mp3"),
        (FLASH, given(audio_url="https://x.example/a.wav") | {"parameters": {"audio": False}}, "with an audio_url"),
    ],
    ids=shown,
)
def test_what_is_uncertain_or_idle_is_accepted_with_a_warning(
    card: ModelCard, params: dict[str, Any], words: str
) -> None:
    card.params.model_validate(params)
    (warning,) = card.warn(params)
    assert words in warning.message


@pytest.mark.parametrize(
    ("params", "pictures", "rest"),
    [
        (given(img_url="https://a"), ("https://a",), PROMPT),
        (given(img_url="data:image/png;base64,AA=="), ("data:image/png;base64,AA==",), PROMPT),
        (given(img_url=5), (), given(img_url=5)),
        ({"input": "odd"}, (), {"input": "odd"}),
        (told(duration=5), (), told(duration=5)),
    ],
    ids=shown,
)
def test_a_callers_own_picture_is_read_out_of_the_input(
    params: dict[str, Any], pictures: tuple[str, ...], rest: dict[str, Any]
) -> None:
    assert WAN.read_inputs(params) == (pictures, rest)


@pytest.mark.parametrize(
    ("mapped", "native", "merged"),
    [
        (PROMPT, {"parameters": {"seed": 1}}, told(seed=1)),
        (told(duration=5, seed=2), {"parameters": {"seed": 1}}, told(duration=5, seed=1)),
        (PROMPT, given(prompt="mine", template="fly"), given(prompt="mine", template="fly")),
        (PROMPT, {"input": "odd"}, {"input": "odd"}),
        ({}, PROMPT, PROMPT),
    ],
    ids=shown,
)
def test_native_values_win_one_by_one(mapped: dict[str, Any], native: dict[str, Any], merged: dict[str, Any]) -> None:
    assert WAN.merge(mapped, native) == merged


@pytest.mark.parametrize(
    ("card", "params", "cost"),
    [
        (WAN, PROMPT, 750_000),
        (WAN, told(resolution="720P", duration=10), 1_000_000),
        (FLASH, told(resolution="720P"), 250_000),
        (FLASH, told(resolution="720P", audio=False), 125_000),
        (FLASH, told(resolution="1080P", audio=False), 187_500),
        (
            FLASH,
            given(audio_url="https://x.example/a.wav") | {"parameters": {"resolution": "720P", "audio": False}},
            250_000,
        ),
        (OLD, told(resolution="480P"), 250_000),
        (OLD, told(resolution="720P", duration=10), 1_000_000),
    ],
    ids=shown,
)
def test_prices(card: ModelCard, params: dict[str, Any], cost: int) -> None:
    assert card.price(params, 1) == Cost.exactly(cost)


@pytest.mark.parametrize(
    ("card", "parameters", "lost"),
    [
        (WAN, {"duration": 3, "seed": 9, "prompt_extend": True}, ("resolution", "silence (it always makes sound)")),
        (
            OLD,
            {"resolution": "480P", "duration": 5, "seed": 9, "prompt_extend": True},
            ("exact duration (it gets 5 seconds)", "silence (it always makes sound)"),
        ),
        (FLASH, {"duration": 3, "seed": 9, "prompt_extend": True, "audio": False}, ("resolution",)),
    ],
    ids=shown,
)
def test_a_wish_is_told_as_far_as_the_model_can_be_told(
    card: ModelCard, parameters: dict[str, Any], lost: tuple[str, ...]
) -> None:
    wish = MediaRequest(
        MediaKind.VIDEO,
        prompt="waves roll",
        negative_prompt="flicker",
        resolution="480p",
        seconds=3,
        seed=9,
        audio=False,
        enhance_prompt=True,
        output_format="mp4",
    )
    mapped = card.from_neutral(wish)
    assert mapped.params == {
        "input": {"prompt": "waves roll", "negative_prompt": "flicker"},
        "parameters": parameters,
    }
    assert mapped.lost == lost


def test_resolutions_are_small_letters_between_providers_and_capitals_here() -> None:
    assert WAN.from_neutral(MediaRequest(MediaKind.VIDEO, resolution="720p")).params == {
        "parameters": {"resolution": "720P"}
    }
    assert WAN.read_neutral(told(resolution="720P")).resolution == "720p"


def test_a_body_holds_the_picture_and_what_the_gateway_demands() -> None:
    said = {"negative_prompt": "flicker", "template": "flying", "audio_url": "https://x.example/a.mp3"}
    params = given(**said) | {"parameters": {"duration": 10.0, "audio": False, "shot_type": "multi"}}
    body = build_body(FLASH, request(FLASH, params, ADDRESS))
    assert body == {
        "model": "wan2.6-i2v-flash",
        "input": {**PROMPT["input"], **said, "img_url": ADDRESS.url},
        "parameters": {"resolution": "1080P", "duration": 10, "audio": False, "shot_type": "multi"},
    }
    assert json.dumps(body["parameters"]["duration"]) == "10"


def test_a_picture_goes_by_address_or_as_base64() -> None:
    assert bailian.Bailian.accepts == (InputForm.URL, InputForm.INLINE)
    inline = build_body(WAN, request(WAN, PROMPT, PICTURE))["input"]["img_url"]
    assert inline.startswith("data:image/jpeg;base64,/9j/")


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (InputFile(url="https://a", media_type="image/gif"), "no picture of type image/gif"),
        (InputFile(data=b"\xff" * (10_000_001), media_type="image/png"), "at most 10000000 bytes"),
    ],
    ids=["type", "size"],
)
def test_a_picture_that_wan_does_not_take_is_refused_before_anything_is_paid(picture: InputFile, words: str) -> None:
    with pytest.raises(InputRejected, match=words):
        build_body(WAN, request(WAN, PROMPT, picture))
    build_body(WAN, request(WAN, PROMPT, InputFile(data=b"\xff" * (10_000_000), media_type="image/bmp")))
