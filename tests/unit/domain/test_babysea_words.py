"""In BabySea mode a caller's `generation_*` words are the native parameters: nothing of them is mapped or lost."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.catalogue import Catalogue
from domain.errors import RequestError
from domain.plan import ChainPlan
from domain.planning import RunRequest, plan_run
from providers.babysea import KEY_NAME, MODELS, NAME
from workflows.templates import load_templates

CHAIN1 = load_templates()["chain1"].template
MODEL = {"text_to_image_model": "bfl/flux-2-flex", "image_to_video_model": "bytedance/seedance-1.5-pro"}


def plan(offered: bool = True, **input: Any) -> ChainPlan:
    catalogue = Catalogue(
        MODELS, frozenset({NAME}) if offered else frozenset(), {NAME: KEY_NAME}, "babysea", webhooks_reach_us=True
    )
    prompts = {"text_to_image_prompt": "a paper boat", "image_to_video_prompt": "it drifts", "video_duration": 5}
    whole = {"chain_models": MODEL} | prompts | input
    request = RunRequest("0" * 32, "caller", datetime(2026, 11, 21, tzinfo=UTC), whole, {}, None, None)
    return plan_run(CHAIN1, request, catalogue)


def params(made: ChainPlan) -> list[dict[str, Any]]:
    return [step.candidates[0].params for step in made.steps]


def test_words_and_shortcuts_reach_the_model_as_they_are() -> None:
    words = {"generation_ratio": "21:9", "generation_steps": 20, "generation_output_number": 2}
    made = plan(text_to_image_params=words, image_ratio="1:1", provider_order="bfl, replicate", video_resolution="480p")
    picture, clip = params(made)
    assert picture == words | {"generation_prompt": "a paper boat", "generation_provider_order": "bfl, replicate"}
    assert clip == {
        "generation_prompt": "it drifts",
        "generation_duration": 5,
        "generation_resolution": "480p",
        "generation_provider_order": "bfl, replicate",
    }
    assert any("generation_steps" in warning for warning in made.warnings)


def test_a_steps_own_order_wins_over_the_one_for_all() -> None:
    made = plan(provider_order="fastest", image_to_video_params={"generation_provider_order": "byteplus, fal"})
    assert [one["generation_provider_order"] for one in params(made)] == ["fastest", "byteplus, fal"]


def test_a_clip_without_its_seconds_is_refused() -> None:
    with pytest.raises(RequestError, match="generation_duration") as raised:
        plan(video_duration=None)
    assert raised.value.reason == "invalid_chain_input"


def test_a_raw_field_is_refused_by_name() -> None:
    with pytest.raises(RequestError, match=r"text_to_image_params\.width is not a parameter"):
        plan(text_to_image_params={"width": 1024})


def test_without_a_key_the_mode_is_not_configured() -> None:
    with pytest.raises(RequestError) as raised:
        plan(offered=False)
    assert raised.value.reason == "babysea_not_configured"
    assert all(KEY_NAME in fault.message for fault in raised.value.faults)


def test_a_word_of_one_model_alone_is_lost_to_the_next() -> None:
    models = MODEL | {"text_to_image_model": ["bfl/flux-2-flex", "bytedance/seedream-4.5"]}
    made = plan(chain_models=models, text_to_image_params={"generation_steps": 20, "generation_ratio": "16:9"})
    _, spare = made.steps[0].candidates
    assert spare.params == {"generation_prompt": "a paper boat", "generation_ratio": "16:9"}
    assert "generation_steps" in spare.lost
