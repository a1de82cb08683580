"""BabySea's models: what their words may be, and what is sent of them."""

import json
from types import ModuleType
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

import providers
from domain.errors import InputRejected
from domain.media import InputFile, MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import ModelCard, SafetyClass
from providers import bfl, byteplus
from providers.babysea import MODELS
from providers.babysea.wire import build_body, build_estimate, read_estimate
from tests.contract.adapters import request, shown
from tests.contract.babysea_orders import ADDRESS, BOAT, DANCE, DRIFT, FLEX, PRO, SCHNELL
from tests.support.pictures import jpeg


@pytest.mark.parametrize("module", [bfl, byteplus], ids=lambda module: module.NAME)
def test_every_model_that_says_it_runs_in_this_mode_does(module: ModuleType) -> None:
    others = {name: card for name, card in module.MODELS.items() if "babysea" in card.modes}
    assert others
    for name, card in others.items():
        assert (MODELS[name].kind, MODELS[name].vendor) == (card.kind, card.vendor)


async def test_the_mode_chooses_who_serves_an_id_that_two_adapters_have() -> None:
    async with httpx.AsyncClient() as http:
        loaded = providers.load({"BABYSEA_API_KEY": "bye_0123456789"}, http)
    by_mode = {mode: loaded.catalogue(mode=mode, webhooks_reach_us=True) for mode in ("byok", "sandbox", "babysea")}
    served = {mode: catalogue.models["bfl/flux-2-flex"].provider for mode, catalogue in by_mode.items()}
    assert served == {"byok": "bfl", "sandbox": "bfl", "babysea": "babysea"}
    assert by_mode["babysea"].models.keys() == MODELS.keys()
    assert "google/veo-2" not in by_mode["byok"].models


@pytest.mark.parametrize("card", MODELS.values(), ids=lambda card: card.id)
def test_every_model_honours_the_key(card: ModelCard) -> None:
    assert card.safety(webhooks_reach_us=False) is SafetyClass.A
    assert card.raw_id == card.id
    assert card.endpoint.endswith(f"/v1/generate/{card.kind}/{card.id}")


def test_published_prices_count_every_picture_and_others_are_unknown() -> None:
    assert PRO.price(BOAT | {"generation_output_number": 3}, 0) == Cost.exactly(156_000)
    assert SCHNELL.price(BOAT, 0) == Cost(4_000, 5_000)
    assert DANCE.price(DRIFT, 1) == Cost.unknown()


@pytest.mark.parametrize(
    ("card", "params"),
    [
        (FLEX, BOAT | {"generation_output_format": "gif"}),
        (FLEX, BOAT | {"generation_output_number": 0}),
        (FLEX, BOAT | {"generation_prompt": " "}),
        (FLEX, BOAT | {"generation_ratio": 1}),
        (FLEX, BOAT | {"prompt": "without the prefix nothing is sent"}),
        (FLEX, {}),
        (DANCE, DRIFT | {"generation_duration": "5"}),
        (DANCE, DRIFT | {"generation_duration": 0}),
        (DANCE, DRIFT | {"generation_output_number": 2}),
        (DANCE, DRIFT | {"generation_output_format": "png"}),
        (DANCE, DRIFT | {"generation_generate_audio": "yes"}),
        (DANCE, DRIFT | {"generation_input_file_last_content": "data:image/png;base64,AAAA"}),
    ],
    ids=shown,
)
def test_what_is_certainly_wrong_is_refused(card: ModelCard, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        card.params.model_validate(params)


def test_a_clip_needs_its_seconds_and_inputs_must_be_a_list() -> None:
    [missing] = DANCE.check({"generation_prompt": "it drifts"})
    assert missing.path == ("generation_duration",)
    assert "video_duration" in missing.message
    [odd] = FLEX.check(BOAT | {"generation_input_file": "https://example.com/a.png"})
    assert odd.path == ("generation_input_file",)


@pytest.mark.parametrize(
    ("card", "params", "said"),
    [
        (FLEX, {"generation_ratio": "21:9"}, "21:9"),
        (FLEX, {"generation_resolution": "4K"}, "4K"),
        (FLEX, {"generation_steps": 20}, "generation_steps"),
        (FLEX, {"generation_provider_order": "bfl, acme"}, "acme"),
        (FLEX, {"generation_provider_order": "bfl, fal, replicate, openai"}, "at most 3"),
        (DANCE, {"generation_duration": 3}, "4 to 12"),
        (DANCE, {"generation_resolution": None}, "prices by it"),
    ],
    ids=shown,
)
def test_what_is_uncertain_is_a_warning_and_passes(card: ModelCard, params: dict[str, Any], said: str) -> None:
    whole = (BOAT if card is FLEX else DRIFT) | params
    card.params.model_validate(whole)
    assert card.check(whole) == []
    assert any(said in fault.message for fault in card.warn(whole))


def test_usual_parameters_warn_of_nothing() -> None:
    assert FLEX.warn(BOAT | {"generation_ratio": "16:9", "generation_provider_order": "fastest"}) == []
    assert DANCE.warn(DRIFT) == []


def test_pictures_are_taken_out_of_the_parameters() -> None:
    urls = ["https://example.com/a.png", "https://example.com/b.png"]
    assert FLEX.read_inputs(BOAT | {"generation_input_file": urls}) == (tuple(urls), BOAT)


def test_a_length_that_nobody_said_is_the_usual_one() -> None:
    assert DANCE.from_neutral(MediaRequest(MediaKind.VIDEO, prompt="it drifts")).params["generation_duration"] == 5
    assert FLEX.from_neutral(MediaRequest(MediaKind.IMAGE, prompt="a", seed=7)).lost == ("seed",)


def test_the_body_holds_the_callers_words_and_what_the_server_adds() -> None:
    order = BOAT | {"generation_provider_order": "bfl, replicate", "generation_output_format": "jpeg"}
    assert build_body(FLEX, request(FLEX, order, ADDRESS)) == {
        "generation_prompt": "a paper boat",
        "generation_provider_order": "bfl, replicate",
        "generation_output_format": "jpg",
        "generation_output_number": 1,
        "generation_input_file": ["https://example.com/boat.png"],
    }
    clip = build_body(DANCE, request(DANCE, DRIFT | {"generation_duration": 5.0, "generation_ratio": None}))
    assert clip == DRIFT | {"generation_output_number": 1, "generation_output_format": "mp4"}
    assert json.dumps(clip["generation_duration"]) == "5"


def test_a_picture_that_only_we_have_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputRejected, match="BABYCHAIN_PUBLIC_URL"):
        build_body(FLEX, request(FLEX, BOAT, InputFile(data=jpeg("a", (8, 8)), media_type="image/jpeg")))


def test_the_estimate_asks_for_what_the_price_depends_on() -> None:
    assert build_estimate(BOAT | {"generation_output_number": 2}) == {"count": "2"}
    assert build_estimate(DRIFT | {"generation_generate_audio": True}) == {
        "count": "1",
        "duration": "5",
        "resolution": "480p",
        "audio": "true",
    }


@pytest.mark.parametrize("said", [None, True, "0.1", -1, 1e9, float("nan"), [1]], ids=str)
def test_an_estimate_that_is_no_amount_is_unknown(said: object) -> None:
    assert read_estimate({"data": {"cost_total_consumed": said}}) is None
    assert read_estimate(None) is None
    assert read_estimate({"data": {"cost_total_consumed": 0.052}}) == 52_000
