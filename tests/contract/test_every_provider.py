"""What holds for every adapter the folder has, whoever wrote it."""

from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import jsonschema
import pytest
from pydantic import ValidationError

import providers
from domain.errors import SetupError
from domain.forbidden import is_credential
from domain.media import MediaKind, MediaRequest
from domain.provider import ModelCard, Params, SafetyClass
from tests.contract.cards import CARDS, MODULES, each_card, each_module, faults_of, least, plan


def wish(kind: MediaKind, **more: Any) -> MediaRequest:
    """Everything a caller can wish for at once."""
    wishes: dict[str, Any] = {
        "prompt": "a paper boat",
        "negative_prompt": "people",
        "ratio": "16:9",
        "resolution": "720p",
        "seconds": 5,
        "seed": 7,
        "audio": True,
        "watermark": False,
        "output_format": "jpeg" if kind is MediaKind.IMAGE else "mp4",
        "camera_fixed": True,
        "enhance_prompt": True,
    }
    return MediaRequest(kind=kind, **(wishes | more))


# ---- the module ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [module.__name__.removeprefix("providers.") for module in MODULES])
def test_the_adapter_has_its_own_test_file(name: str) -> None:
    wanted = Path(__file__).parent / f"test_{name}.py"
    assert wanted.exists(), f"the adapter {name!r} has no test: write {wanted.name}"


@each_module
def test_the_module_is_what_the_loader_expects(module: ModuleType) -> None:
    assert module.__name__ == f"providers.{module.NAME}"
    assert module.KEY_NAME.endswith("_API_KEY")
    assert module.create.__annotations__["return"] is not None
    assert module.MODELS


@each_module
async def test_without_its_key_a_provider_is_not_offered(module: ModuleType) -> None:
    async with httpx.AsyncClient() as http:
        assert module.create({}, http) is None
        assert module.create({module.KEY_NAME: "  "}, http) is None


@each_module
@pytest.mark.parametrize("key", ["short", "line\nbreak-in-key", "blank in-the-key", "x" * 513, "schlüssel-schlüssel"])
async def test_a_key_that_no_header_can_carry_stops_the_start_unshown(module: ModuleType, key: str) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(SetupError) as raised:
            module.create({module.KEY_NAME: key}, http)
    assert module.KEY_NAME in raised.value.message
    assert key not in raised.value.message


@each_module
@pytest.mark.parametrize(
    "url",
    [
        "http://api.bfl.ai",
        "https://api.bfl.ai.evil.example",
        "https://evil-bfl.ai",
        "https://user@api.bfl.ai",
        "https://api.bfl.ai:8443",
        "https://bucket.tos-ap-southeast-1.volces.com",
        "https://ark.ap-southeast.bytepluses.com.evil.example/api/v3",
        "http://ark.ap-southeast.bytepluses.com/api/v3",
        "http://127.0.0.1:8091/x",
        "https://example.com",
        "not a url",
        "https://[",
    ],
)
async def test_the_key_goes_to_no_base_url_but_the_providers_own(module: ModuleType, url: str) -> None:
    setting = module.KEY_NAME.replace("_KEY", "_BASE_URL")
    env = {module.KEY_NAME: "key-123456789", setting: url, "BABYCHAIN_TRUSTED_ORIGINS": "http://127.0.0.1:8090"}
    async with httpx.AsyncClient() as http:
        with pytest.raises(SetupError, match=setting):
            module.create(env, http)


@each_module
async def test_an_origin_that_the_operator_trusts_may_be_a_base_url(module: ModuleType) -> None:
    setting = module.KEY_NAME.replace("_KEY", "_BASE_URL")
    env = {
        module.KEY_NAME: "key-123456789",
        setting: f"http://127.0.0.1:8090/{module.NAME}",
        "BABYCHAIN_TRUSTED_ORIGINS": "http://127.0.0.1:8090",
    }
    async with httpx.AsyncClient() as http:
        assert module.create(env, http) is not None


@each_module
async def test_an_adapter_shows_neither_key_nor_secret_when_printed(module: ModuleType) -> None:
    env = {module.KEY_NAME: "canary-key-123456", "BABYCHAIN_SECRET": "canary-secret"}
    async with httpx.AsyncClient() as http:
        assert "canary" not in repr(module.create(env, http))


# ---- the cards ----------------------------------------------------------------------------------------------------


def test_ids_and_aliases_name_one_model_each() -> None:
    for mode in {providers.mode_of(module) for module in MODULES}:
        cards = [card for module in MODULES if providers.mode_of(module) == mode for card in module.MODELS.values()]
        names = [name.lower() for card in cards for name in (card.id, *card.aliases)]
        assert len(names) == len(set(names))


@each_card
def test_a_card_is_consistent(card: ModelCard) -> None:
    module = next(module for module in MODULES if module.MODELS.get(card.id) is card)
    assert card.provider == module.NAME
    assert "/" in card.id
    assert httpx.URL(card.endpoint).scheme == "https"
    assert 0 <= card.inputs.minimum <= card.inputs.maximum
    assert 0 < card.submit_timeout <= card.deadline
    assert set(card.modes) <= {"babysea", "byok"}
    assert not card.owned & set(card.params.model_fields), "an owned field is no parameter"


@each_card
def test_a_model_that_can_be_found_or_reports_is_of_class_b(card: ModelCard) -> None:
    reached, unreached = (card.safety(webhooks_reach_us=reach) for reach in (True, False))
    if not card.honours_key:
        assert (reached is SafetyClass.B) == (card.findable or card.webhook)
        assert (unreached is SafetyClass.B) == card.findable


@each_card
def test_forms_can_be_made_from_the_schema(card: ModelCard) -> None:
    schema = card.params.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, field in schema["properties"].items():
        assert field.get("description"), f"{name} has no description"
    assert schema["additionalProperties"] is False


@each_card
def test_the_least_request_is_accepted_by_schema_model_and_planner(card: ModelCard) -> None:
    params = least(card)
    jsonschema.validate(params, card.params.model_json_schema())
    card.params.model_validate(params)
    assert plan(card, params).steps[-1].candidates[0].params == params
    assert card.check(params) == []


@each_card
def test_numbers_are_not_coerced_and_five_point_zero_is_five(card: ModelCard) -> None:
    numbers = {
        name: field
        for name, field in card.params.model_json_schema()["properties"].items()
        if "integer" in {field.get("type"), *(choice.get("type") for choice in field.get("anyOf", []))}
    }
    for name, field in numbers.items():
        good = field["default"] or field.get("minimum", 64)
        card.params.model_validate(least(card) | {name: float(good)})
        for bad in (str(good), True, [good], good + 0.5):
            with pytest.raises(ValidationError):
                card.params.model_validate(least(card) | {name: bad})


@each_card
def test_an_unknown_parameter_is_refused_by_name(card: ModelCard) -> None:
    (fault,) = faults_of(card, least(card) | {"colour": "blue"})
    assert fault.path == ("input", "main_params", "colour")
    assert card.id in fault.message


@pytest.mark.parametrize(
    ("card", "fed"),
    [(card, fed) for card in CARDS for fed in (False, True) if not fed or card.inputs.maximum > 0],
    ids=lambda value: getattr(value, "id", "fed" if value is True else "unfed"),
)
def test_owned_fields_are_refused_by_name_at_any_depth(card: ModelCard, fed: bool) -> None:
    for name in sorted(card.owned):
        for path, params in (
            (("main_params", name), {name: "canary"}),
            (("main_params", "deep", 0, name), {"deep": [{name: "canary"}]}),
        ):
            faults = faults_of(card, least(card) | params, fed=fed)
            assert ("input", *path) in [fault.path for fault in faults]
            assert not any("canary" in fault.message for fault in faults)
            if not is_credential(name):
                assert any("is set by the server" in fault.message for fault in faults)


@each_card
def test_a_price_is_whole_micro_dollars_or_unknown(card: ModelCard) -> None:
    for pictures in range(card.inputs.maximum + 1):
        cost = card.price(least(card), pictures)
        for amount in (cost.low, cost.high):
            assert amount is None or (type(amount) is int and amount > 0)
        if cost.low is not None and cost.high is not None:
            assert cost.low <= cost.high


# ---- between providers ----------------------------------------------------------------------------------------------


@each_card
def test_wishing_nothing_says_nothing(card: ModelCard) -> None:
    mapped = card.from_neutral(MediaRequest(card.kind))
    assert mapped.params == {}
    assert mapped.lost == ()


@each_card
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ratio": "5:4"},
        {"ratio": "adaptive"},
        {"ratio": "wide"},
        {"ratio": None, "width": 1024, "height": 1024},
        {"ratio": None, "width": 8, "height": 20_000},
        {"ratio": None, "width": -5, "height": 10**400},
        {"ratio": None, "width": 800},
        {"seconds": 3},
        {"seconds": 10**400, "seed": 10**400},
        {"seconds": -1, "seed": -1},
        {"resolution": "2K"},
        {"resolution": "1080p", "audio": False},
        {"output_format": "gif"},
    ],
)
def test_a_wish_becomes_parameters_that_the_model_takes(card: ModelCard, more: dict[str, Any]) -> None:
    mapped = card.from_neutral(wish(card.kind, **more))
    card.params.model_validate(mapped.params)
    assert card.check(mapped.params) == []
    is_told = card.read_neutral(mapped.params).negative_prompt is not None
    assert ("negative prompt" in mapped.lost) is not is_told


@each_card
def test_parameters_survive_the_way_through_neutral_words(card: ModelCard) -> None:
    for request in (
        wish(card.kind),
        wish(card.kind, ratio="3:4"),
        wish(card.kind, ratio=None, width=1024, height=1024),
    ):
        params = card.from_neutral(request).params
        again = card.from_neutral(card.read_neutral(params))
        assert again.params == params
        assert again.lost == ()


@each_card
def test_inputs_are_taken_out_and_everything_else_is_kept(card: ModelCard) -> None:
    params: Params = least(card)
    assert card.read_inputs(params) == ((), params)
    assert card.read_inputs({"content": "odd", "image": 5, "input_image": [1]})[0] == ()
