"""Several models for one step: who may stand in for whom, and what is lost on the way."""

from dataclasses import replace
from typing import Any

import pytest

from domain.choosing import with_fallbacks
from domain.errors import SetupError
from domain.plan import PlannedStep, RunOptions
from tests.support.bodies import SEED_EXAMPLE
from tests.unit.domain.test_planning import CATALOGUE, FLEX, SEEDANCE, SEEDREAM, plan, prompts, refused

SILENT = "relaydance/seedance-1-5-pro-no-audio"
WITH_FALLBACK = with_fallbacks(CATALOGUE, f"{SEEDANCE}={SILENT}")


def models(step: PlannedStep) -> list[str]:
    return [candidate.model for candidate in step.candidates]


def listed(*names: Any) -> dict[str, Any]:
    return prompts("chain1") | {"chain_models": {"text_to_image_model": list(names)}}


def test_a_list_of_models_is_tried_in_its_order_across_providers() -> None:
    made = plan("chain1", listed(SEEDREAM, FLEX))
    assert models(made.steps[0]) == [SEEDREAM, FLEX]
    assert [candidate.provider for candidate in made.steps[0].candidates] == ["byteplus", "bfl"]
    assert made.input["chain_models"]["text_to_image_model"] == [SEEDREAM, FLEX]


def test_a_model_that_is_not_the_last_loses_patience_sooner_and_each_has_its_own_deadline() -> None:
    first, last = plan("chain1", listed(SEEDREAM, FLEX)).steps[0].candidates
    assert first.patience < last.patience == last.deadline
    assert plan("chain1", listed(SEEDREAM, FLEX)).steps[0].deadline == first.deadline + last.deadline


@pytest.mark.parametrize(
    ("names", "path"),
    [
        ([], "chain_models.text_to_image_model"),
        ([FLEX] * 6, "chain_models.text_to_image_model"),
        ([FLEX, FLEX], "chain_models.text_to_image_model.1"),
        ([FLEX, "BFL/flux-2-flex"], "chain_models.text_to_image_model.1"),
        ([FLEX, SEEDANCE], "chain_models.text_to_image_model.1"),
        ([FLEX, 5], "chain_models.text_to_image_model.1"),
        ([FLEX, "acme/none"], "chain_models.text_to_image_model.1"),
    ],
)
def test_a_fault_in_a_list_is_told_with_its_place(names: list[Any], path: str) -> None:
    _, faults = refused("chain1", listed(*names))
    assert list(faults) == [path]


def test_a_listed_model_without_its_key_is_refused() -> None:
    without = replace(CATALOGUE, offered=CATALOGUE.offered - {"bfl"})
    code, faults = refused("chain1", listed(SEEDREAM, FLEX), without)
    assert code == "byok_credentials_missing"
    assert "BFL_API_KEY" in faults["chain_models.text_to_image_model.1"]


def test_native_parameters_of_the_first_model_reach_the_second_in_its_own_words_and_the_rest_is_listed() -> None:
    asked = listed(FLEX, SEEDREAM) | {
        "text_to_image_params": {"prompt": "a boat", "width": 2048, "height": 2048, "safety_tolerance": 4, "seed": 7}
    }
    first, second = plan("chain1", asked).steps[0].candidates
    assert first.lost == ()
    assert second.params["prompt"] == "a boat"
    assert second.params["size"] == "2048x2048"
    assert set(second.lost) == {"safety_tolerance", "seed"}


def test_babychains_own_words_reach_a_model_that_knows_them_though_the_first_does_not() -> None:
    asked = listed(SEEDREAM, FLEX) | {"text_to_image_params": {"generation_prompt": "a boat", "generation_seed": 7}}
    first, second = plan("chain1", asked).steps[0].candidates
    assert first.lost == ("seed",)
    assert second.params["seed"] == 7
    assert second.lost == ()


def test_a_parameter_left_at_its_default_is_not_called_lost() -> None:
    asked = listed(FLEX, SEEDREAM) | {"text_to_image_params": {"prompt": "a boat", "safety_tolerance": 2}}
    assert plan("chain1", asked).steps[0].candidates[1].lost == ()


def test_a_deployments_fallback_stands_in_for_a_model_that_was_named_alone() -> None:
    made = plan("chain1", SEED_EXAMPLE["input"], WITH_FALLBACK)
    assert models(made.steps[1]) == [SEEDANCE, SILENT]
    assert made.input == plan("chain1", SEED_EXAMPLE["input"]).input, "the caller's own words are shown, and no others"
    spare = made.steps[1].candidates[1]
    assert spare.params["prompt"] == "clouds drift slowly"
    assert spare.params["metadata"]["ratio"] == "1:1"
    assert spare.lost == ("exact duration (it gets 4 seconds)",)


def test_no_fallback_is_used_for_a_list_nor_where_the_caller_wants_none_nor_without_its_key() -> None:
    asked = prompts("chain1") | {"image_to_video_model": [SEEDANCE]}
    assert models(plan("chain1", asked, WITH_FALLBACK).steps[1]) == [SEEDANCE]
    unwanted = plan("chain1", prompts("chain1"), WITH_FALLBACK, options=RunOptions(fallbacks=False))
    assert models(unwanted.steps[1]) == [SEEDANCE]
    keyless = replace(WITH_FALLBACK, offered=WITH_FALLBACK.offered - {"relaydance"})
    assert models(plan("chain1", prompts("chain1"), keyless).steps[1]) == [SEEDANCE]


@pytest.mark.parametrize(
    "text", ["acme/none=bfl/flux-2-flex", f"{FLEX}=acme/none", f"{FLEX}", f"{FLEX}={FLEX}", f"{FLEX}={SEEDANCE}"]
)
def test_fallbacks_that_make_no_sense_stop_the_start(text: str) -> None:
    with pytest.raises(SetupError, match="BABYCHAIN_FALLBACKS"):
        with_fallbacks(CATALOGUE, text)


def test_fallbacks_may_be_several_and_spread_over_lines() -> None:
    made = with_fallbacks(CATALOGUE, f" {FLEX} = {SEEDREAM} , bfl/flux-2-pro ;\n{SEEDANCE}={SILENT};")
    assert made.fallbacks == {FLEX: (SEEDREAM, "bfl/flux-2-pro"), SEEDANCE: (SILENT,)}
