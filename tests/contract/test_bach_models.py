"""Bach's model: what it takes, and the body that is sent."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from api.requests import read_envelope
from domain.errors import InputRejected
from domain.fitting import Picture, fits
from domain.media import InputFile, InputForm, MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import SafetyClass
from domain.tokens import AttemptToken
from net.webhook_addresses import WebhookAddresses
from providers import bach
from providers.bach import MODELS
from providers.bach.wire import build_body
from tests.contract.adapters import SECRET, request, shown
from tests.contract.bach_orders import ADDRESS, MODEL, PROMPT
from tests.support.pictures import jpeg
from tests.unit.domain.test_planning import plan, refused


def test_the_card_says_what_the_page_says() -> None:
    assert list(MODELS) == ["bach/bach-1.0-preview"]
    assert MODEL.raw_id == "bach-1.0-preview"
    assert MODEL.endpoint == "https://api-gen-na.bach.art/api/vdr/videos/image2video"
    assert (MODEL.inputs.minimum, MODEL.inputs.maximum) == (1, 1)
    hints = " ".join(MODEL.hints)
    for advice in ("720p or more", "clear subject", "camera", "jerky motion", "1-2", "3-4", "5-6"):
        assert advice in hints


def test_a_lost_create_is_found_by_its_callback_alone() -> None:
    assert MODEL.safety(webhooks_reach_us=True) is SafetyClass.B
    assert MODEL.safety(webhooks_reach_us=False) is SafetyClass.C


@pytest.mark.parametrize(
    "params",
    [
        {"resolution": "720P"},
        {"resolution": "480p"},
        {"duration": 0},
        {"duration": 7},
        {"duration": 2.5},
        {"duration": "5"},
        {"fps": 25},
        {"cfg_scale": 0.9},
        {"cfg_scale": 15.1},
        {"audio_prompt": "x" * 201},
        {"seed": -1},
        {"seed": 10_000_001},
        {"enhance_prompt": "true"},
        {"generate_audio": 1},
        {"enable_moderation": None},
        {"prompt": "x" * 10_001},
        {"prompt": " "},
        {"negative_prompt": "x" * 10_001},
    ],
    ids=lambda params: shown(params)[:20],
)
def test_what_bach_does_not_take_is_refused_with_its_path(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        MODEL.params.model_validate(PROMPT | params)
    assert {error["loc"][0] for error in raised.value.errors()} == set(params)


@pytest.mark.parametrize(
    "params",
    [
        {"duration": 1},
        {"duration": 5, "fps": 24},
        {"cfg_scale": 1, "seed": 0},
        {"cfg_scale": 15.0, "seed": 10_000_000},
        {"prompt": "x" * 10_000, "negative_prompt": "灯" * 10_000},
        {"generate_audio": True, "audio_prompt": "x" * 200},
        {"resolution": "1080p", "enhance_prompt": False, "enable_moderation": False},
    ],
    ids=lambda params: shown(params)[:20],
)
def test_what_is_documented_passes_without_a_word(params: dict[str, Any]) -> None:
    MODEL.params.model_validate(PROMPT | params)
    assert MODEL.check(PROMPT | params) == []
    assert MODEL.warn(PROMPT | params) == []


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "prompt: optional"),
        (PROMPT | {"duration": 6}, "1 to 5 seconds"),
        (PROMPT | {"audio_prompt": "surf"}, "without generate_audio"),
        (PROMPT | {"audio_prompt": "surf", "generate_audio": False}, "without generate_audio"),
    ],
)
def test_what_bachs_page_is_at_odds_about_is_accepted_with_a_warning(params: dict[str, Any], words: str) -> None:
    MODEL.params.model_validate(params)
    (warning,) = MODEL.warn(params)
    assert words in warning.message


@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
def test_bachs_own_limit_on_texts_goes_before_the_general_one_in_every_script(name: str) -> None:
    """Ten thousand characters are thirty thousand bytes here, and other models' texts end at 8,192."""

    def asked(length: int, model: str = MODEL.id) -> dict[str, Any]:
        said = {"prompt": "waves"} | {name: "灯" * length}
        body = {"chain_models": {"image_to_video_model": model}, "text_to_image_prompt": "a boat"}
        return read_envelope({"input": body | {"image_to_video_params": said}}).input

    assert plan("chain1", asked(10_000)).steps[1].candidates[0].params[name] == "灯" * 10_000
    _, faults = refused("chain1", asked(10_001))
    assert "10000" in faults[f"image_to_video_params.{name}"]
    _, faults = refused("chain1", asked(10_000, "bailian/wan2.6-i2v"))
    assert "at most 8192" in faults[f"image_to_video_params.{name}"]


def test_the_card_gives_bachs_defaults() -> None:
    fields = MODEL.params.model_json_schema()["properties"]
    documented = {
        "fps": 30,
        "cfg_scale": 5.0,
        "enhance_prompt": True,
        "generate_audio": False,
        "enable_moderation": True,
    }
    assert {name: fields[name]["default"] for name in documented} == documented


def test_bach_is_asked_as_often_as_its_own_samples_ask() -> None:
    assert MODEL.looks.pause == 10


@pytest.mark.parametrize(
    ("change", "fit"),
    [
        ({}, True),
        ({"bytes": 10_000_000}, True),
        ({"bytes": 10_000_001}, False),
        ({"width": 300, "height": 300}, True),
        ({"width": 299}, False),
        ({"height": 299}, False),
        ({"type": "image/tiff"}, True),
        ({"type": "image/avif"}, False),
    ],
    ids=shown,
)
def test_pictures_are_judged_by_bachs_limits_to_the_byte_and_the_pixel(change: dict[str, Any], fit: bool) -> None:
    assert fits(replace(Picture(1280, 720, "image/jpeg", 200_000), **change), MODEL.pictures) is fit


def test_our_callback_address_is_short_enough_behind_the_longest_public_one() -> None:
    public = "https://" + "x" * (bach._LONGEST_PUBLIC_URL - len("https://"))
    token = AttemptToken(str(uuid4()), "image_to_video", 99)
    assert len(WebhookAddresses(SECRET, public).url("bach", token)) <= 500


def test_the_price_is_said_to_be_unknown() -> None:
    assert MODEL.price(PROMPT, 1) == Cost.unknown()


def test_a_callers_own_picture_is_read_out_of_the_parameters() -> None:
    assert MODEL.read_inputs(PROMPT | {"image_url": "https://a"}) == (("https://a",), PROMPT)
    assert MODEL.read_inputs({"image_url": 5}) == ((), {"image_url": 5})


def test_a_wish_is_told_as_far_as_bach_can_be_told() -> None:
    wish = MediaRequest(
        MediaKind.VIDEO,
        prompt="waves roll",
        negative_prompt="morphing",
        ratio="16:9",
        resolution="1080P",
        seconds=10,
        seed=9,
        audio=True,
        enhance_prompt=False,
        output_format="mp4",
    )
    mapped = MODEL.from_neutral(wish)
    assert mapped.params == {
        "prompt": "waves roll",
        "negative_prompt": "morphing",
        "resolution": "1080p",
        "duration": 6,
        "seed": 9,
        "generate_audio": True,
        "enhance_prompt": False,
    }
    assert mapped.lost == ("ratio", "exact duration (it gets 6 seconds)")


def test_a_body_names_what_bach_demands_and_leaves_its_defaults_to_it() -> None:
    assert build_body(MODEL, request(MODEL, PROMPT, ADDRESS), "https://us.example/hook") == {
        **PROMPT,
        "model_name": "bach-1.0-preview",
        "image_url": ADDRESS.url,
        "resolution": "720p",
        "duration": 5,
        "callback_url": "https://us.example/hook",
    }
    body = build_body(MODEL, request(MODEL, {"duration": 3.0, "resolution": "1080p"}, ADDRESS), None)
    assert json.dumps(body["duration"]) == "3"
    assert body["resolution"] == "1080p"
    assert "callback_url" not in body


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ((), "got none"),
        ((ADDRESS, ADDRESS), "at most 1"),
        ((InputFile(url="https://a", media_type="image/avif"),), "no picture of type image/avif"),
        ((InputFile(data=jpeg("a"), media_type="image/jpeg"),), "BABYCHAIN_PUBLIC_URL"),
        ((InputFile(data=b"\xff" * (10_000_001)),), "at most 10000000 bytes"),
    ],
)
def test_a_picture_that_bach_can_not_take_is_refused_before_anything_is_paid(
    pictures: tuple[InputFile, ...], words: str
) -> None:
    with pytest.raises(InputRejected, match=words):
        build_body(MODEL, request(MODEL, PROMPT, *pictures), None)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff"])
def test_every_documented_type_of_picture_passes(kind: str) -> None:
    picture = InputFile(url="https://a", media_type=f"image/{kind}")
    assert build_body(MODEL, request(MODEL, PROMPT, picture), None)["image_url"] == "https://a"


def test_pictures_travel_by_address_alone() -> None:
    assert bach.Bach.accepts == (InputForm.URL,)
