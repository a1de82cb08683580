"""Black Forest Labs' models: what they take and cost, and the body that is sent."""

import base64
import json
from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import InputRejected
from domain.media import InputFile, MediaKind, MediaRequest
from domain.money import Cost
from providers.bfl.models import MODELS, megapixels
from providers.bfl.wire import build_body, read_credits
from tests.contract.adapters import request
from tests.contract.bfl_orders import BYTES, PRO, PROMPT

ADDRESS = InputFile(url="https://example.com/a.png")
BYTES_TEXT = base64.b64encode(b"\x89PNG").decode()


def test_the_models_are_those_of_the_contract() -> None:
    assert {name: card.raw_id for name, card in MODELS.items()} == {
        "bfl/flux-1.1-pro": "flux-pro-1.1",
        "bfl/flux-1.1-pro-ultra": "flux-pro-1.1-ultra",
        "bfl/flux-2-klein-4b": "flux-2-klein-4b",
        "bfl/flux-2-klein-9b": "flux-2-klein-9b",
        "bfl/flux-2-flex": "flux-2-flex",
        "bfl/flux-2-pro": "flux-2-pro",
        "bfl/flux-2-max": "flux-2-max",
    }
    assert MODELS["bfl/flux-1.1-pro"].aliases == ("bfl/flux-pro-1.1", "black-forest-labs/flux-pro-1.1")
    assert PRO.aliases == ("black-forest-labs/flux-2-pro",)
    assert PRO.endpoint == "https://api.bfl.ai/v1/flux-2-pro"
    assert {card.vendor for card in MODELS.values()} == {"black-forest-labs"}


@pytest.mark.parametrize(
    ("model", "params", "path"),
    [
        ("bfl/flux-2-pro", {"prompt": ""}, ("prompt",)),
        ("bfl/flux-2-pro", {"prompt": " \n "}, ("prompt",)),
        ("bfl/flux-2-pro", {}, ("prompt",)),
        ("bfl/flux-2-pro", PROMPT | {"safety_tolerance": 6}, ("safety_tolerance",)),
        ("bfl/flux-2-pro", PROMPT | {"steps": 10}, ("steps",)),
        ("bfl/flux-2-pro", PROMPT | {"output_format": "gif"}, ("output_format",)),
        ("bfl/flux-2-klein-4b", PROMPT | {"prompt_upsampling": True}, ("prompt_upsampling",)),
        ("bfl/flux-2-flex", PROMPT | {"guidance": 1.4}, ("guidance",)),
        ("bfl/flux-2-flex", PROMPT | {"guidance": float("nan")}, ("guidance",)),
        ("bfl/flux-2-flex", PROMPT | {"steps": 51}, ("steps",)),
        ("bfl/flux-1.1-pro", PROMPT | {"width": 1000}, ("width",)),
        ("bfl/flux-1.1-pro", PROMPT | {"height": 1472}, ("height",)),
        ("bfl/flux-1.1-pro", PROMPT | {"output_format": "webp"}, ("output_format",)),
        ("bfl/flux-1.1-pro-ultra", PROMPT | {"image_prompt_strength": 1.1}, ("image_prompt_strength",)),
        ("bfl/flux-1.1-pro-ultra", PROMPT | {"raw": 1}, ("raw",)),
    ],
)
def test_what_no_model_takes_is_refused_with_its_path(
    model: str, params: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as raised:
        MODELS[model].params.model_validate(params)
    assert [error["loc"] for error in raised.value.errors()] == [path]


@pytest.mark.parametrize(
    ("model", "params", "path"),
    [
        ("bfl/flux-2-pro", {"width": 63}, ("width",)),
        ("bfl/flux-2-pro", {"height": 1}, ("height",)),
        ("bfl/flux-2-pro", {"width": 2064, "height": 2048}, ("width",)),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "22:9"}, ("aspect_ratio",)),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "9:22"}, ("aspect_ratio",)),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "wide"}, ("aspect_ratio",)),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "1:0"}, ("aspect_ratio",)),
    ],
)
def test_certain_rules_over_several_values_are_faults(model: str, params: dict[str, Any], path: tuple[str]) -> None:
    MODELS[model].params.model_validate(PROMPT | params)
    assert [fault.path for fault in MODELS[model].check(PROMPT | params)] == [path]


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("bfl/flux-2-pro", {"width": 0, "height": 0}),
        ("bfl/flux-2-pro", {"width": 64, "height": 64}),
        ("bfl/flux-2-pro", {"width": 2048, "height": 2048, "output_format": "jpg", "seed": -12}),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "21:9"}),
        ("bfl/flux-2-flex", {"guidance": 5, "steps": 50.0, "input_image_blob_path": "a/b"}),
    ],
)
def test_what_is_documented_passes_without_a_word(model: str, params: dict[str, Any]) -> None:
    card = MODELS[model]
    card.params.model_validate(PROMPT | params)
    assert card.check(params) == []
    assert card.warn(params) == []


@pytest.mark.parametrize(
    ("model", "params", "word"),
    [
        ("bfl/flux-2-pro", {"width": 1000, "height": 1024}, "multiples of 16"),
        ("bfl/flux-2-pro", {"prompt_upsampling": True}, "prompt_upsampling"),
        ("bfl/flux-2-max", {"transparent_bg": True, "output_format": "png"}, "transparent_bg"),
        ("bfl/flux-2-flex", {"transparent_bg": True}, "png or webp"),
    ],
)
def test_what_is_uncertain_is_accepted_with_a_warning(model: str, params: dict[str, Any], word: str) -> None:
    card = MODELS[model]
    card.params.model_validate(PROMPT | params)
    assert card.check(params) == []
    (warning,) = card.warn(params)
    assert word in warning.message


def test_input_pictures_are_read_in_the_order_of_their_numbers() -> None:
    params = PROMPT | {"input_image_3": "c", "input_image": "a", "input_image_2": "b", "input_image_9": "x"}
    assert PRO.read_inputs(params) == (("a", "b", "c"), PROMPT | {"input_image_9": "x"})
    assert MODELS["bfl/flux-1.1-pro"].read_inputs(PROMPT | {"image_prompt": "a"}) == (("a",), PROMPT)


@pytest.mark.parametrize(
    ("model", "params", "pictures", "cost"),
    [
        ("bfl/flux-2-pro", {}, 0, Cost.exactly(30_000)),
        ("bfl/flux-2-pro", {"width": 1024, "height": 1024}, 0, Cost.exactly(30_000)),
        (
            "bfl/flux-2-pro",
            {"width": 1440, "height": 1440},
            0,
            Cost.exactly(45_000),
        ),  # answered: 4.5 credits
        ("bfl/flux-2-pro", {"width": 2048, "height": 2048}, 0, Cost.exactly(75_000)),
        ("bfl/flux-2-pro", {"width": 2048}, 0, Cost(30_000, 75_000)),
        ("bfl/flux-2-pro", {"width": 1024, "height": 1024}, 1, Cost(45_000, None)),
        ("bfl/flux-2-max", {"width": 1024, "height": 1024}, 1, Cost(100_000, None)),
        ("bfl/flux-2-flex", {"width": 1024, "height": 1024}, 1, Cost(100_000, None)),
        ("bfl/flux-2-klein-4b", {"width": 2048, "height": 1024}, 0, Cost.exactly(15_000)),
        ("bfl/flux-2-klein-9b", {"width": 2048, "height": 1024}, 0, Cost.exactly(17_000)),
        ("bfl/flux-1.1-pro", {}, 1, Cost.exactly(40_000)),
        ("bfl/flux-1.1-pro-ultra", {}, 0, Cost.exactly(60_000)),
    ],
)
def test_prices(model: str, params: dict[str, Any], pictures: int, cost: Cost) -> None:
    assert MODELS[model].price(PROMPT | params, pictures) == cost


@pytest.mark.parametrize(
    ("credits", "micros"),
    [
        (3.0, 30_000),
        (4.5, 45_000),
        (0, 0),
        (1.00001, 10_001),
        (None, None),
        ("3", None),
        (True, None),
        (-1, None),
        (float("inf"), None),
        (float("nan"), None),
    ],
)
def test_a_cost_in_credits_becomes_whole_micro_dollars(credits: object, micros: int | None) -> None:
    assert read_credits(credits) == micros


@pytest.mark.parametrize("ratio", ["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9", "9:21"])
def test_a_ratio_becomes_one_megapixel_of_that_shape(ratio: str) -> None:
    for model, step in (("bfl/flux-2-pro", 16), ("bfl/flux-1.1-pro", 32)):
        mapped = MODELS[model].from_neutral(MediaRequest(MediaKind.IMAGE, ratio=ratio))
        width, height = mapped.params["width"], mapped.params["height"]
        across, down = map(int, ratio.split(":"))
        assert megapixels(width, height) == 1
        assert width % step == height % step == 0
        assert width / height == pytest.approx(across / down, rel=0.03)
        assert mapped.lost == ()


def test_ultra_is_told_the_ratio_itself() -> None:
    mapped = MODELS["bfl/flux-1.1-pro-ultra"].from_neutral(MediaRequest(MediaKind.IMAGE, ratio="7:5"))
    assert mapped.params == {"aspect_ratio": "7:5"}
    assert mapped.lost == ()


def test_what_a_model_cannot_be_told_is_named() -> None:
    wish = MediaRequest(
        MediaKind.IMAGE,
        prompt="a boat",
        negative_prompt="people",
        width=4096,
        height=2048,
        watermark=True,
        enhance_prompt=True,
        output_format="webp",
    )
    mapped = MODELS["bfl/flux-1.1-pro"].from_neutral(wish)
    assert mapped.params == {"prompt": "a boat", "width": 1440, "height": 704, "prompt_upsampling": True}
    assert mapped.lost == ("negative prompt", "watermark", "output format", "exact size (it gets 1440 by 704)")
    assert "prompt enhancement" in MODELS["bfl/flux-2-klein-4b"].from_neutral(wish).lost


@pytest.mark.parametrize(
    ("model", "params", "pictures", "body"),
    [
        ("bfl/flux-2-pro", PROMPT, (), PROMPT),
        ("bfl/flux-2-pro", PROMPT, (ADDRESS,), PROMPT | {"input_image": ADDRESS.url}),
        (
            "bfl/flux-2-pro",
            PROMPT,
            (BYTES, ADDRESS),
            PROMPT | {"input_image": BYTES_TEXT, "input_image_2": ADDRESS.url},
        ),
        ("bfl/flux-1.1-pro", PROMPT, (), PROMPT),
        ("bfl/flux-1.1-pro", PROMPT, (BYTES,), PROMPT | {"image_prompt": BYTES_TEXT}),
        ("bfl/flux-1.1-pro-ultra", PROMPT, (BYTES,), PROMPT | {"image_prompt": BYTES_TEXT}),
        ("bfl/flux-2-pro", PROMPT | {"width": 1024.0}, (), PROMPT | {"width": 1024}),
        ("bfl/flux-2-pro", PROMPT | {"output_format": "jpg"}, (), PROMPT | {"output_format": "jpeg"}),
    ],
)
def test_bodies(model: str, params: dict[str, Any], pictures: tuple[InputFile, ...], body: dict[str, Any]) -> None:
    built = build_body(MODELS[model], request(MODELS[model], params, *pictures))
    assert json.dumps(built, sort_keys=True) == json.dumps(body, sort_keys=True)


def test_flux_1_is_never_given_an_address() -> None:
    """It reads `image_prompt` as Base64, so an address would be a broken picture."""
    with pytest.raises(InputRejected) as raised:
        build_body(MODELS["bfl/flux-1.1-pro"], request(MODELS["bfl/flux-1.1-pro"], PROMPT, ADDRESS))
    assert raised.value.reason == "invalid_provider_params"


def test_no_picture_is_left_out_in_silence() -> None:
    with pytest.raises(InputRejected, match="at most 4"):
        build_body(MODELS["bfl/flux-2-klein-4b"], request(MODELS["bfl/flux-2-klein-4b"], PROMPT, *[ADDRESS] * 5))
