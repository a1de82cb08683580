"""What a create request becomes, and everything that can be wrong with one."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.requests import read_envelope
from domain.catalogue import Catalogue
from domain.chains import ChainTemplate, Step
from domain.errors import Fault, RequestError
from domain.media import InputRef, MediaKind
from domain.plan import ChainPlan
from domain.planning import RunRequest, input_fields, plan_run
from domain.provider import ModelCard, SafetyClass
from tests.support.bodies import FIRST_EXAMPLE, SEED_EXAMPLE
from tests.support.orders import catalogue
from workflows.templates import load_templates

CATALOGUE = catalogue()
TEMPLATES = {slug: workflow.template for slug, workflow in load_templates().items()}
PICTURE = "https://pictures.example.com/boat.png"
SEEDREAM, SEEDANCE, FLEX = "bytedance/seedream-4.5", "bytedance/seedance-1.5-pro", "bfl/flux-2-flex"

Json = dict[str, Any]


def plan(slug: str, input: Json, offered: Catalogue = CATALOGUE, **more: Any) -> ChainPlan:
    values: Json = {
        "run_id": "3b1c8a4e-52d7-4f0a-9c11-6f2f0b0f7a10",
        "caller": "key-test",
        "created_at": datetime(2026, 5, 27, tzinfo=UTC),
        "metadata": {},
        "webhook_url": None,
        "client_request_id": None,
    }
    return plan_run(TEMPLATES[slug], RunRequest(input=input, **(values | more)), offered)


def refused(slug: str, input: Json, offered: Catalogue = CATALOGUE) -> tuple[str, dict[str, str]]:
    """The code, and each fault's message by its path below `input`."""
    with pytest.raises(RequestError) as caught:
        plan(slug, input, offered)
    assert all(fault.path[0] == "input" for fault in caught.value.faults)
    return caught.value.reason, {".".join(map(str, fault.path[1:])): fault.message for fault in caught.value.faults}


def refusal(slug: str, input: Json) -> tuple[Fault, ...] | None:
    """The faults, or None where the request is planned. Any other exception is a crash."""
    try:
        plan(slug, input)
    except RequestError as error:
        return error.faults
    return None


def prompts(slug: str) -> Json:
    """As little as a chain can be asked for."""
    template = TEMPLATES[slug]
    asked: Json = {f"{step.key}_prompt": f"prompt of {step.key}" for step in template.steps}
    return asked | ({"source_image_url": PICTURE} if "source_image_url" in input_fields(template) else {})


# ---- models -----------------------------------------------------------------------------------------------------


def test_models_have_defaults_which_are_shown_first_in_the_callers_input() -> None:
    made = plan("chain1", prompts("chain1"))
    assert [step.candidates[0].model for step in made.steps] == [SEEDREAM, SEEDANCE]
    assert list(made.input) == ["chain_models", "text_to_image_prompt", "image_to_video_prompt"]
    assert made.input["chain_models"] == {"text_to_image_model": SEEDREAM, "image_to_video_model": SEEDANCE}


def test_a_model_may_be_named_in_the_group_or_beside_it_and_the_group_wins() -> None:
    nested = plan("chain1", prompts("chain1") | {"chain_models": {"text_to_image_model": FLEX}})
    flat = plan("chain1", prompts("chain1") | {"text_to_image_model": FLEX})
    assert nested.steps == flat.steps
    assert nested.input == flat.input
    both = prompts("chain1") | {"chain_models": {"text_to_image_model": FLEX}, "text_to_image_model": SEEDREAM}
    assert plan("chain1", both).steps == nested.steps


def test_other_entries_of_the_group_are_dropped() -> None:
    models = {"note": "x", "text_to_image_model": FLEX}
    made = plan("chain1", prompts("chain1") | {"chain_models": models})
    assert list(made.input["chain_models"]) == ["text_to_image_model", "image_to_video_model"]


@pytest.mark.parametrize("name", ["BFL/flux-2-flex", " bfl/flux-2-flex ", "black-forest-labs/flux-2-flex"])
def test_a_model_is_known_by_its_other_names_and_shown_by_its_own(name: str) -> None:
    made = plan("chain1", prompts("chain1") | {"text_to_image_model": name})
    assert made.steps[0].candidates[0].model == FLEX
    assert made.input["chain_models"]["text_to_image_model"] == FLEX


@pytest.mark.parametrize("name", [5, "", "  ", "flux", {}, True])
def test_what_is_no_model_id_is_refused(name: Any) -> None:
    code, faults = refused("chain1", prompts("chain1") | {"text_to_image_model": name})
    assert code == "invalid_model_identifier"
    assert list(faults) == ["text_to_image_model"]


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    models = {"image_to_video_model": "acme/clip"}
    code, faults = refused("chain1", prompts("chain1") | {"chain_models": models})
    assert code == "unsupported_model_identifier"
    assert SEEDANCE in faults["chain_models.image_to_video_model"]
    assert FLEX not in faults["chain_models.image_to_video_model"]


@pytest.mark.parametrize("model", ["acme/clip", 5, FLEX, ["acme/clip", SEEDANCE]])
def test_a_model_that_cannot_be_used_hides_nothing_that_every_model_refuses(model: Any) -> None:
    params = {"ratio": "7:3", "flux": 1, "generation_duration": "long", "resolution": "720p"}
    asked = prompts("chain1") | {"image_to_video_model": model}
    alone, _ = refused("chain1", asked)
    code, faults = refused("chain1", asked | {"image_to_video_params": params})
    assert code == alone
    where = "image_to_video_model.0" if isinstance(model, list) else "image_to_video_model"
    told = {f"image_to_video_params.{name}" for name in ("ratio", "flux", "generation_duration")}
    assert set(faults) == {where} | told
    assert faults["image_to_video_params.flux"].startswith("suits no video model: is not a parameter of")


def test_what_one_of_the_models_takes_is_no_fault_while_the_model_is_unknown() -> None:
    for card in (card for card in CATALOGUE.models.values() if card.kind is MediaKind.VIDEO):
        for name, field in card.params.model_fields.items():
            if isinstance(field.default, (str, int)):
                asked = {"image_to_video_model": "acme/clip", "image_to_video_params": {name: field.default}}
                assert list(refused("chain1", prompts("chain1") | asked)[1]) == ["image_to_video_model"], (
                    card.id,
                    name,
                )


def test_a_model_of_the_other_kind_is_refused_at_its_field() -> None:
    code, faults = refused(
        "chain1", prompts("chain1") | {"image_to_video_model": FLEX, "text_to_image_model": SEEDANCE}
    )
    assert code == "invalid_chain_input"
    assert set(faults) == {"image_to_video_model", "text_to_image_model"}


def test_a_model_whose_provider_has_no_key_is_refused_by_the_name_of_the_key() -> None:
    keyless = replace(CATALOGUE, offered=frozenset({"byteplus"}))
    code, faults = refused("chain1", prompts("chain1") | {"text_to_image_model": FLEX}, keyless)
    assert code == "byok_credentials_missing"
    assert "BFL_API_KEY" in faults["text_to_image_model"]
    assert plan("chain1", prompts("chain1"), keyless)


@pytest.mark.parametrize(
    ("inputs", "slug", "step", "said"),
    [((0, 0), "chain2", "image_to_image", "takes no input"), ((1, 1), "chain1", "text_to_image", "needs an input")],
)
def test_a_model_that_cannot_take_what_the_step_has_is_refused(
    inputs: tuple[int, int], slug: str, step: str, said: str
) -> None:
    card = CATALOGUE.models[FLEX]
    odd = replace(card, id="acme/odd", aliases=(), inputs=type(card.inputs)(*inputs))
    offered = replace(CATALOGUE, models={**CATALOGUE.models, odd.id: odd}, _by_name={})
    code, faults = refused(slug, prompts(slug) | {f"{step}_model": odd.id}, offered)
    assert code == "invalid_chain_input"
    assert said in faults[f"{step}_model"]


def test_a_group_of_another_chains_models_is_refused() -> None:
    _, faults = refused("chain1", prompts("chain1") | {"chain_models": {"image_to_image_model": FLEX}})
    assert list(faults) == ["chain_models.image_to_image_model"]


@pytest.mark.parametrize("models", [None, [], "x", 5])
def test_a_group_that_is_no_object_is_refused(models: Any) -> None:
    assert "chain_models" in refused("chain1", prompts("chain1") | {"chain_models": models})[1]


# ---- names ------------------------------------------------------------------------------------------------------


def test_every_fault_is_named_and_the_first_check_gives_the_code() -> None:
    code, faults = refused(
        "chain1",
        {
            "chain_models": {"text_to_image_model": "acme/none", "image_to_video_model": 5},
            "text_to_image_params": [],
            "image_to_video_params": {"password": "hunter2"},
            "unheard_of": 1,
        },
    )
    assert code == "invalid_chain_input"
    assert set(faults) == {
        "chain_models.text_to_image_model",
        "chain_models.image_to_video_model",
        "text_to_image_params",
        "image_to_video_params.password",
        "unheard_of",
    }


def test_a_group_of_models_may_not_hold_a_credential_either() -> None:
    _, faults = refused("chain1", prompts("chain1") | {"chain_models": {"tokens": "the-secret-itself"}})
    assert list(faults) == ["chain_models.tokens"]


def test_a_field_that_is_named_by_a_key_is_refused_without_the_key() -> None:
    secret = "sk" + "-0123456789abcdefghijABCDEF"
    asked = prompts("chain1") | {"text_to_image_params": {secret: 1}, secret: 1}
    with pytest.raises(RequestError) as caught:
        plan("chain1", asked)
    assert secret not in f"{caught.value.message} {caught.value.faults}"
    assert {fault.path for fault in caught.value.faults} == {
        ("input", "[hidden]"),
        ("input", "text_to_image_params", "[hidden]"),
    }


@pytest.mark.parametrize("name", ["api_key", "X-Api-Key", "ToKeN", "Authorization", "client_secret", "password"])
@pytest.mark.parametrize(
    "place",
    [(), ("text_to_image_params",), ("image_to_video_params", "content", "0"), ("text_to_image_params", "a", "b")],
)
def test_a_credential_is_refused_anywhere_and_its_value_is_not_repeated(place: tuple[str, ...], name: str) -> None:
    asked: Json = prompts("chain1")
    here = asked
    for part in place:
        here[part] = {}
        here = here[part]
    here[name] = "the-secret-itself"
    _, faults = refused("chain1", asked)
    assert ".".join((*place, name)) in faults
    assert "the-secret-itself" not in "".join(faults.values())


def test_a_prompt_may_speak_of_secrets() -> None:
    prompt = "a password, an api_key, a secret token and its Authorization: Bearer model"
    assert plan("chain1", prompts("chain1") | {"text_to_image_prompt": prompt})


@pytest.mark.parametrize("name", ["model", "Model", "callback_url", "generation_model", "generation_callback_url"])
def test_fields_of_the_server_are_refused_at_the_top_of_the_params(name: str) -> None:
    for step in ("text_to_image", "image_to_video"):
        _, faults = refused("chain1", prompts("chain1") | {f"{step}_params": {name: "x"}})
        assert faults == {f"{step}_params.{name}": "is set by the server; remove it"}


def _owned() -> Iterator[tuple[str, str]]:
    return ((card.id, name) for card in CATALOGUE.models.values() for name in sorted(card.owned))


@pytest.mark.parametrize(("model", "name"), list(_owned()))
def test_what_an_adapter_sets_itself_is_refused_in_both_spellings(model: str, name: str) -> None:
    key = "text_to_image" if CATALOGUE.models[model].kind is MediaKind.IMAGE else "image_to_video"
    for spelled in (name, f"generation_{name}"):
        asked = prompts("chain1") | {f"{key}_model": model, f"{key}_params": {spelled: "x"}}
        _, faults = refused("chain1", asked)
        assert f"{key}_params.{spelled}" in faults


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"generation_input_file": [PICTURE]}, "generation_input_file"),
        ({"input_image": PICTURE}, "input_image"),
        ({"generation_input_image": PICTURE}, "generation_input_image"),
        ({"generation_image": PICTURE}, "generation_image"),
        ({"image": [PICTURE]}, "image"),
    ],
)
def test_a_later_steps_picture_is_the_chains_to_fill(params: Json, path: str) -> None:
    asked = prompts("chain3") | {"image_to_image_model": FLEX, "image_to_image_params": params}
    _, faults = refused("chain3", asked)
    assert f"image_to_image_params.{path}" in faults
    assert "text_to_image" in faults[f"image_to_image_params.{path}"]


def test_a_later_steps_content_may_hold_text_and_no_picture() -> None:
    picture = {"type": "image_url", "image_url": {"url": PICTURE}, "role": "first_frame"}
    text = {"type": "text", "text": "it moves"}
    asked = {"text_to_image_prompt": "a boat", "image_to_video_params": {"content": [text]}}
    assert plan("chain1", asked).steps[1].candidates[0].params["content"] == [text]
    _, faults = refused("chain1", asked | {"image_to_video_params": {"content": [text, picture]}})
    assert "filled by the chain" in faults["image_to_video_params.content.1.image_url"]


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_an_empty_picture_wires_nothing(value: Any) -> None:
    asked = prompts("chain3") | {"image_to_image_model": FLEX, "image_to_image_params": {"input_image": value}}
    assert "filled by the chain" not in str(refusal("chain3", asked))


# ---- parameters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [FIRST_EXAMPLE, SEED_EXAMPLE], ids=["contract", "seed"])
def test_the_documented_requests_go_on_as_they_are(body: Json) -> None:
    made = plan("chain1", body["input"])
    assert [step.candidates[0].params for step in made.steps] == [
        body["input"]["text_to_image_params"],
        body["input"]["image_to_video_params"],
    ]
    assert list(made.input) == list(body["input"])


def test_an_undocumented_length_is_a_warning_and_not_a_refusal() -> None:
    made = plan("chain1", SEED_EXAMPLE["input"])
    assert made.warnings == ("image_to_video: duration 3: documented range is 4..12",)


def test_a_prompt_may_stand_at_the_root_in_our_word_or_in_the_models_own() -> None:
    own = {"text_to_image_params": {"prompt": "a boat"}}
    ours = {"text_to_image_params": {"generation_prompt": "a boat"}}
    root = {"text_to_image_prompt": "a boat"}
    plans = [plan("chain1", {"image_to_video_prompt": "it moves"} | said) for said in (own, ours, root)]
    assert {made.steps[0].candidates[0].params["prompt"] for made in plans} == {"a boat"}
    mixed = plan("chain1", {"image_to_video_prompt": "it moves", "text_to_image_prompt": "root"} | own)
    assert mixed.steps[0].candidates[0].params["prompt"] == "a boat"


def test_shortcuts_at_the_root_reach_the_steps_they_are_for() -> None:
    asked = prompts("chain1") | {
        "image_ratio": "16:9",
        "video_ratio": "9:16",
        "video_duration": 6,
        "video_resolution": "480p",
    }
    image, video = [step.candidates[0].params for step in plan("chain1", asked).steps]
    assert image["size"] == "2560x1440"
    assert (video["ratio"], video["duration"], video["resolution"]) == ("9:16", 6, "480p")


def test_words_of_the_params_win_over_the_root_and_native_ones_over_both() -> None:
    asked = prompts("chain1") | {"video_duration": 6}
    ours = asked | {"image_to_video_params": {"generation_duration": 7}}
    native = asked | {"image_to_video_params": {"generation_duration": 7, "duration": 8}}
    lengths = [plan("chain1", said).steps[1].candidates[0].params["duration"] for said in (asked, ours, native)]
    assert lengths == [6, 7, 8]


def test_a_whole_number_with_a_point_is_that_number() -> None:
    asked = prompts("chain1") | {"video_duration": 5.0, "image_to_video_params": {"generation_seed": 7.0}}
    params = plan("chain1", asked).steps[1].candidates[0].params
    assert (params["duration"], params["seed"]) == (5, 7)


def test_a_word_of_null_says_nothing() -> None:
    words = {"generation_seed": None, "generation_ratio": None, "generation_prompt": None, "generation_surprise": None}
    asked = prompts("chain1") | {"image_to_video_params": words}
    assert plan("chain1", asked).steps == plan("chain1", prompts("chain1")).steps


@pytest.mark.parametrize(
    ("said", "path", "message"),
    [
        ({"video_duration": "5"}, "video_duration", "must be a whole number"),
        ({"video_duration": 5.5}, "video_duration", "must be a whole number"),
        ({"video_duration": True}, "video_duration", "must be a whole number"),
        ({"image_ratio": 1}, "image_ratio", "must be text"),
        ({"text_to_image_prompt": ["a"]}, "text_to_image_prompt", "must be text"),
        (
            {"image_to_video_params": {"generation_watermark": "no"}},
            "image_to_video_params.generation_watermark",
            "must be true or false",
        ),
        (
            {"text_to_image_params": {"generation_input_file": PICTURE}},
            "text_to_image_params.generation_input_file",
            "must be a list of picture addresses",
        ),
    ],
)
def test_a_word_of_another_type_is_refused_where_it_was_said(said: Json, path: str, message: str) -> None:
    assert refused("chain1", prompts("chain1") | said)[1][path] == message


def test_a_word_nobody_knows_is_refused_in_the_callers_spelling() -> None:
    _, faults = refused("chain1", prompts("chain1") | {"image_to_video_params": {"generation_surprise": 1}})
    assert list(faults) == ["image_to_video_params.generation_surprise"]


def test_what_a_model_cannot_be_told_is_a_warning() -> None:
    asked = prompts("chain1") | {"text_to_image_params": {"generation_seed": 7}}
    made = plan("chain1", asked)
    assert made.steps[0].candidates[0].lost == ("seed",)
    assert made.warnings == (f"text_to_image: {SEEDREAM} cannot be told seed",)


def test_words_about_providers_and_counts_are_dropped() -> None:
    words = {"generation_output_number": 1, "generation_provider_order": "fastest"}
    asked = prompts("chain1") | {"text_to_image_params": words, "provider_order": "fastest"}
    assert plan("chain1", asked).steps == plan("chain1", prompts("chain1")).steps


@pytest.mark.parametrize("params", [None, [], "x", 5, True])
def test_params_that_are_no_object_are_refused(params: Any) -> None:
    _, faults = refused("chain1", prompts("chain1") | {"text_to_image_params": params})
    assert list(faults) == ["text_to_image_params"]


WRONG: list[Any] = ["x", "", 5, -1, 0, 5.5, 1e300, 10**400, True, None, [], [None], ["x"], [[]], {}, {"x": 1}, [{}],
                    {"url": 5}, [{"type": "text"}], [{"type": []}], [{"type": "image_url", "image_url": 5, "role": {}}],
                    [{"role": ["first_frame"]}]]  # fmt: skip


def _asked(card: ModelCard, params: Json) -> tuple[str, Json]:
    slug, key = ("chain2", "image_to_image") if card.kind is MediaKind.IMAGE else ("image-to-video", "image_to_video")
    return slug, prompts(slug) | {f"{key}_model": card.id, f"{key}_params": params}


@pytest.mark.parametrize("model", sorted(CATALOGUE.models))
def test_any_value_in_any_field_of_a_model_is_planned_or_refused(model: str) -> None:
    card = CATALOGUE.models[model]
    fields = {*card.params.model_fields, "input_image", "input_image_3", "image", "image_prompt", "content", "tools"}
    words = {name for name in _WORDS if name not in fields}
    for name in fields | words | {f"generation_{field}" for field in fields}:
        for value in WRONG:
            slug, asked = _asked(card, {name: value})
            assert refusal(slug, asked) != ()


_WORDS = [
    "generation_prompt", "generation_negative_prompt", "generation_ratio", "generation_resolution",
    "generation_duration", "generation_output_format", "generation_generate_audio", "generation_seed",
    "generation_width", "generation_height", "generation_watermark", "generation_camera_fixed",
    "generation_input_file_last_content", "generation_input_file", "generation_output_number", "generation_",
]  # fmt: skip


@pytest.mark.parametrize("model", sorted(CATALOGUE.models))
def test_a_value_of_another_type_is_refused_at_its_field(model: str) -> None:
    card = CATALOGUE.models[model]
    for name in card.params.model_fields:
        slug, asked = _asked(card, {name: {"no": "field takes this"}})
        _, faults = refused(slug, asked)
        assert any(path.split(".")[1] == name for path in faults), (name, faults)


# ---- pictures ---------------------------------------------------------------------------------------------------

START: dict[str, tuple[str, Json]] = {
    "source_image_url": (SEEDREAM, {"source_image_url": PICTURE}),
    "generation_input_file": (SEEDREAM, {"image_to_image_params": {"generation_input_file": [PICTURE]}}),
    "input_image": (FLEX, {"image_to_image_params": {"input_image": PICTURE}}),
    "image_prompt": ("bfl/flux-1.1-pro", {"image_to_image_params": {"image_prompt": PICTURE}}),
    "image": (SEEDREAM, {"image_to_image_params": {"image": PICTURE}}),
    "image list": (SEEDREAM, {"image_to_image_params": {"image": [PICTURE]}}),
}


@pytest.mark.parametrize("spelling", START)
def test_chain2_takes_its_picture_by_every_name(spelling: str) -> None:
    model, said = START[spelling]
    asked = {"image_to_image_prompt": "restyled", "image_to_video_prompt": "it moves", "image_to_image_model": model}
    step = plan("chain2", asked | said).steps[0]
    assert step.inputs == (InputRef(url=PICTURE),)
    assert PICTURE not in str(step.candidates[0].params)


def test_chain2_without_a_picture_is_refused_with_what_to_send() -> None:
    asked = {"image_to_image_prompt": "restyled", "image_to_video_prompt": "it moves"}
    for more in ({}, {"source_image_url": ""}, {"source_image_url": None}):
        code, faults = refused("chain2", asked | more)
        assert code == "invalid_chain_input"
        assert "start picture" in faults["source_image_url"]


def test_one_picture_named_twice_is_one_picture() -> None:
    asked = prompts("chain2") | {"image_to_image_model": FLEX, "image_to_image_params": {"input_image": PICTURE}}
    assert plan("chain2", asked).steps[0].inputs == (InputRef(url=PICTURE),)


def test_pictures_keep_the_order_of_their_numbers() -> None:
    params = {"input_image_3": "https://c.example/3", "input_image": "https://a.example/1", "input_image_2": PICTURE}
    asked = {"image_to_image_model": FLEX, "image_to_image_prompt": "x", "image_to_video_prompt": "y"}
    inputs = plan("chain2", asked | {"image_to_image_params": params}).steps[0].inputs
    assert [ref.url for ref in inputs] == ["https://a.example/1", PICTURE, "https://c.example/3"]


def test_more_pictures_than_a_model_takes_are_refused() -> None:
    params = {"generation_input_file": [PICTURE, "https://b.example/2"]}
    asked = prompts("chain2") | {"image_to_image_model": "bfl/flux-1.1-pro", "image_to_image_params": params}
    assert "takes 1 here" in refused("chain2", asked)[1]["image_to_image_params"]


def test_image_to_video_takes_its_picture_in_the_content_too() -> None:
    content = [
        {"type": "text", "text": "it moves"},
        {"type": "image_url", "image_url": {"url": PICTURE}, "role": "first_frame"},
    ]
    step = plan("image-to-video", {"image_to_video_params": {"content": content}}).steps[0]
    assert step.inputs == (InputRef(url=PICTURE),)
    assert step.candidates[0].params["content"] == content[:1]


def test_a_start_picture_where_none_is_used_is_refused_and_not_ignored() -> None:
    _, faults = refused("chain1", prompts("chain1") | {"source_image_url": PICTURE})
    assert list(faults) == ["source_image_url"]


# ---- the plan ---------------------------------------------------------------------------------------------------


def test_a_lost_submit_can_be_mended_only_where_the_model_and_the_deployment_allow() -> None:
    near = plan("chain1", prompts("chain1") | {"text_to_image_model": FLEX})
    far = plan(
        "chain1",
        prompts("chain1") | {"text_to_image_model": FLEX},
        replace(CATALOGUE, webhooks_reach_us=False),
    )
    assert [step.candidates[0].safety for step in near.steps] == [SafetyClass.B, SafetyClass.B]
    assert [step.candidates[0].safety for step in far.steps] == [SafetyClass.C, SafetyClass.B]
    assert not any(step.candidates[0].webhook for step in far.steps)


def test_a_plan_remembers_what_the_caller_said_in_the_callers_order() -> None:
    asked = {
        "image_to_video_prompt": "b",
        "text_to_image_params": {"seed": 1, "prompt": "a"},
        "text_to_image_model": FLEX,
    }
    made = plan("chain1", asked, metadata={"z": 1, "a": 2}, webhook_url="https://a.example", client_request_id="web-1")
    assert list(made.input) == ["chain_models", "image_to_video_prompt", "text_to_image_params"]
    assert list(made.input["text_to_image_params"]) == ["seed", "prompt"]
    assert list(made.metadata) == ["z", "a"]
    assert (made.webhook_url, made.client_request_id, made.mode) == ("https://a.example", "web-1", "sandbox")
    assert made.deadline == sum(step.deadline for step in made.steps)
    assert len({made.step_id(step.key) for step in made.steps}) == 2


def test_planning_the_same_request_twice_gives_the_same_plan() -> None:
    assert plan("chain3", prompts("chain3")) == plan("chain3", prompts("chain3"))


# ---- templates --------------------------------------------------------------------------------------------------


def template(*steps: Step, slug: str = "made-up") -> ChainTemplate:
    return ChainTemplate(slug, "2026-01-01", "made up", "for tests", steps)


def test_a_template_may_not_take_a_slug_that_is_a_route() -> None:
    for slug in ("runs", "get", "cancel", "estimate"):
        with pytest.raises(ValueError, match="reserved"):
            template(slug=slug)


def test_a_template_takes_only_from_steps_before() -> None:
    first = Step("first", "First", MediaKind.IMAGE, SEEDREAM)
    second = Step("second", "Second", MediaKind.VIDEO, SEEDANCE, takes=("first",))
    assert template(first, second).step("second").takes == ("first",)
    with pytest.raises(ValueError, match="do not come before"):
        template(second, first)
    with pytest.raises(ValueError, match="do not come before"):
        template(replace(first, takes=("first",)))
    with pytest.raises(ValueError, match="two steps"):
        template(first, first)


@pytest.mark.parametrize("slug", sorted(TEMPLATES))
def test_every_template_runs_with_prompts_alone(slug: str) -> None:
    made = plan(slug, prompts(slug))
    assert [step.key for step in made.steps] == [step.key for step in TEMPLATES[slug].steps]


# ---- anything at all --------------------------------------------------------------------------------------------

_SOME_NAMES = [
    *_WORDS, "prompt", "content", "duration", "size", "width", "image", "input_image", "input", "metadata",
    "webhook_url", "type", "text", "image_url", "url", "role", "aspect_ratio",
]  # fmt: skip
_FIELDS = sorted({name for made in TEMPLATES.values() for name in input_fields(made)})
_NAMES = st.sampled_from(_FIELDS) | st.sampled_from(_SOME_NAMES) | st.text(max_size=6)
_VALUES = st.sampled_from(
    [*sorted(CATALOGUE.models), PICTURE, "16:9", "text", "image_url", "first_frame", "2K", "0x0", ":", "99999x1"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | _VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=30,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(_NAMES, _JSON, max_size=4))
def test_any_json_object_is_an_envelope_or_refused(body: Json) -> None:
    with suppress(RequestError):
        assert isinstance(read_envelope(body).input, dict)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(TEMPLATES)), st.dictionaries(_NAMES, _JSON, max_size=8))
def test_any_input_is_planned_or_refused(slug: str, asked: Json) -> None:
    assert refusal(slug, asked) != ()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(CATALOGUE.models)), st.dictionaries(_NAMES, _JSON, max_size=8))
def test_any_params_of_any_model_are_planned_or_refused(model: str, params: Json) -> None:
    slug, asked = _asked(CATALOGUE.models[model], params)
    assert refusal(slug, asked) != ()
