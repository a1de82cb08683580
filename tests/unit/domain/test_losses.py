"""What a caller said in the first model's own parameters and the next model is not told: every value, by name."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import Field

from domain.losses import not_held, unsaid
from tests.unit.domain.test_planning import CATALOGUE, PICTURE, Json, plan

FLASH, WAN, BACH = "bailian/wan2.6-i2v-flash", "bailian/wan2.6-i2v", "bach/bach-1.0-preview"
RELAY, DANCE_2 = "relaydance/doubao-seedance-2-0-1080p", "bytedance/seedance-2.0"
DANCE_1, DANCE = "bytedance/seedance-1-pro", "bytedance/seedance-1.5-pro"


def lost(models: list[str], params: Json) -> set[str]:
    """What the second model of a list is not told of the first one's video parameters."""
    asked = {"text_to_image_prompt": "a boat", "image_to_video_model": models, "image_to_video_params": params}
    _, second = plan("chain1", asked).steps[1].candidates
    return set(second.lost)


def wan(input: Json | None = None, **parameters: Any) -> Json:
    return {"input": {"prompt": "it moves"} | (input or {}), "parameters": parameters}


def reference(kind: str, role: str) -> Json:
    return {"type": kind, kind: {"url": PICTURE}, "role": role}


SOUND = reference("audio_url", "reference_audio")
FIGURE = reference("image_url", "reference_image")
TEXT = {"type": "text", "text": "it moves"}


def test_nested_parameters_are_named_by_their_paths() -> None:
    sound = {"audio_url": "https://sounds.example.com/a.mp3", "template": "flying"}
    names = {"input.audio_url", "input.template", "parameters.shot_type"}
    assert lost([FLASH, BACH], wan(sound, shot_type="multi", audio=True)) == names


def test_a_group_of_which_nothing_is_told_is_named_value_by_value() -> None:
    assert lost([FLASH, BACH], wan(shot_type="multi", watermark=True)) == {
        "parameters.shot_type",
        "parameters.watermark",
    }


@pytest.mark.parametrize(
    ("models", "params", "name"),
    [
        ([RELAY, DANCE_2], {"prompt": "x", "metadata": {"content": [SOUND]}}, "metadata.content reference_audio"),
        ([RELAY, DANCE_2], {"prompt": "x", "metadata": {"ratio": "1:1", "content": [SOUND, SOUND]}},
         "metadata.content reference_audio"),
        ([DANCE_2, RELAY], {"content": [TEXT, FIGURE, SOUND]}, "content reference_audio"),
        ([DANCE_2, RELAY], {"content": [TEXT], "tools": [{"type": "web_search"}]}, "tools web_search"),
    ],
)  # fmt: skip
def test_an_item_of_a_list_is_named_by_its_role_or_type_and_what_is_told_beside_it_is_not(
    models: list[str], params: Json, name: str
) -> None:
    assert lost(models, params) == {name}


def test_outside_a_chain_references_that_stay_in_the_parameters_are_lost_too() -> None:
    card = CATALOGUE.models[DANCE_2]
    assert list(unsaid(card, {"content": [FIGURE, TEXT, SOUND]})) == [
        "content reference_image",
        "content reference_audio",
    ]


@pytest.mark.parametrize(
    ("models", "params"),
    [
        ([FLASH, BACH], wan(shot_type="single", watermark=False, prompt_extend=False, seed=7, duration=5)),
        ([FLASH, BACH], wan(audio=True, resolution="720P")),
        ([RELAY, BACH], {"prompt": "it moves", "metadata": {}}),
        ([RELAY, DANCE_2], {"prompt": "it moves", "metadata": {"content": []}}),
        ([DANCE_2, RELAY], {"content": [TEXT], "priority": 0, "seed": -1}),
    ],
)
def test_defaults_and_what_is_carried_over_are_not_called_lost(models: list[str], params: Json) -> None:
    assert lost(models, params) == set()


@pytest.mark.parametrize(
    ("models", "params"),
    [
        ([DANCE_1, DANCE], {"content": [TEXT], "ratio": "adaptive"}),
        ([RELAY, DANCE_2], {"prompt": "it moves", "metadata": {"ratio": "adaptive"}}),
    ],
)
def test_what_the_next_model_does_anyway_is_not_called_lost(models: list[str], params: Json) -> None:
    assert lost(models, params) == set()


def test_of_two_parameters_that_say_the_same_one_is_told() -> None:
    assert lost([DANCE_1, DANCE], {"content": [TEXT], "duration": 5, "frames": 121}) == {"frames"}


def test_a_value_that_its_model_demands_is_lost_and_not_a_default() -> None:
    card = CATALOGUE.models[BACH]

    class Strict(card.params):  # type: ignore[misc,name-defined]
        style: str = Field()

    assert unsaid(replace(card, params=Strict), {"prompt": "it moves", "style": "noir"}) == {"style": "noir"}


def test_the_same_name_with_another_value_is_not_held() -> None:
    card = CATALOGUE.models[WAN]
    said = {"parameters.shot_type": "multi", "other.shot_type": "single", "parameters.steps": 5}
    assert not_held(card, wan(), said) == ("parameters.shot_type", "parameters.steps")
