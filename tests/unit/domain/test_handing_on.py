"""What a plan asks of a step for the sake of the next one, and the pictures that a caller adds to the chain's."""

from dataclasses import replace
from typing import Any

import pytest

from domain.media import InputRef
from tests.unit.domain.test_planning import CATALOGUE, PICTURE, Json, plan, refused

WAN, DANCE, DANCE_2 = "bailian/wan2.6-i2v", "bytedance/seedance-1.5-pro", "bytedance/seedance-2.0"
BACH, RELAY = "bach/bach-1.0-preview", "relaydance/doubao-seedance-2-0-1080p"
DREAM, DREAM_4 = "bytedance/seedream-4.5", "bytedance/seedream-4"
FLUX, KLEIN = "bfl/flux-2-pro", "bfl/flux-2-klein-4b"
LAPTOP = replace(CATALOGUE, webhooks_reach_us=False)


def pair(image: Any, video: Any, image_params: Json | None = None, **more: Any) -> Json:
    models = {"text_to_image_model": image, "image_to_video_model": video}
    params = {"prompt": "a boat"} | (image_params or {})
    return {"chain_models": models, "text_to_image_params": params, "image_to_video_prompt": "it moves"} | more


# ---- sizes --------------------------------------------------------------------------------------------------------


def test_a_model_that_makes_too_large_pictures_unasked_is_asked_for_a_size_that_fits() -> None:
    made = plan("chain1", pair(DREAM, WAN))
    assert made.steps[0].candidates[0].params == {"prompt": "a boat", "size": "2000x2000"}
    assert f"text_to_image: {DREAM} is asked for 2000×2000, which {WAN} takes" in made.warnings


def test_what_is_asked_for_is_what_is_priced() -> None:
    flex = "bfl/flux-2-flex"
    card = CATALOGUE.models[flex]
    big = replace(card, params=_large(card.params))
    offered = replace(CATALOGUE, models={**CATALOGUE.models, flex: big})
    candidate = plan("chain1", pair(flex, WAN), offered).steps[0].candidates[0]
    assert (candidate.params["width"], candidate.params["height"]) == (2000, 2000)
    assert candidate.cost == card.price(candidate.params, 0)


def _large(params: Any) -> Any:
    """A model whose default is too large."""

    class Large(params):  # type: ignore[misc]
        width: int = 2048
        height: int = 2048

    return Large


@pytest.mark.parametrize("video", [DANCE, BACH, RELAY])
def test_what_fits_unasked_is_left_to_the_model(video: str) -> None:
    made = plan("chain1", pair(DREAM, video))
    assert made.steps[0].candidates[0].params == {"prompt": "a boat"}
    assert not any(warning.startswith("text_to_image") for warning in made.warnings)


@pytest.mark.parametrize(
    ("said", "size"),
    [({"size": "2560x1440"}, "2560×1440"), ({"generation_ratio": "16:9"}, "2560×1440"), ({"size": "4K"}, "4096×4096")],
)
def test_the_callers_own_size_stays_and_the_plan_says_that_a_copy_is_scaled(said: Json, size: str) -> None:
    made = plan("chain1", pair(DREAM, WAN, said))
    assert made.steps[0].candidates[0].params["size"] == said.get("size", "2560x1440")
    assert f"text_to_image: {DREAM} makes {size}; {WAN} gets a scaled copy" in made.warnings


def test_every_candidate_of_a_step_is_asked_for_itself() -> None:
    first, second = plan("chain1", pair([DREAM, DREAM_4], WAN)).steps[0].candidates
    assert first.params["size"] == second.params["size"] == "2000x2000"


def test_a_shape_that_only_cropping_would_mend_is_refused_before_it_is_paid_for() -> None:
    code, faults = refused("chain1", pair(DREAM, DANCE, {"size": "4096x1024"}))
    assert code == "invalid_chain_input"
    assert "0.4 to 2.5" in faults["text_to_image_params"]


def test_a_copy_that_the_next_model_could_not_fetch_is_refused_before_it_is_paid_for() -> None:
    tiny = pair(FLUX, BACH, {"width": 256, "height": 256})
    assert plan("chain1", tiny).warnings
    _, faults = refused("chain1", tiny, LAPTOP)
    assert "BABYCHAIN_PUBLIC_URL" in faults["text_to_image_params"]
    assert plan("chain1", pair(FLUX, BACH), LAPTOP)


# ---- pictures of the caller's own ---------------------------------------------------------------------------------


def picture(number: int) -> str:
    return f"https://pictures.example.com/{number}.png"


def refs(*numbers: int) -> tuple[InputRef, ...]:
    return tuple(InputRef(url=picture(number)) for number in numbers)


def edited(model: str, **params: Any) -> Json:
    return {
        "chain_models": {"image_to_image_model": model},
        "text_to_image_prompt": "a boat",
        "image_to_image_params": {"prompt": "in oil", **params},
        "image_to_video_prompt": "it moves",
    }


def relayed(*roles: str, prompt: str = "it moves") -> Json:
    content = [
        {"type": "image_url", "image_url": {"url": picture(number)}, "role": role}
        for number, role in enumerate(roles, start=2)
    ]
    return pair(DREAM, RELAY, image_to_video_params={"prompt": prompt, "metadata": {"content": content}})


def danced(model: str, *roles: str) -> Json:
    text = {"type": "text", "text": "it moves"}
    content = [
        {"type": "image_url", "image_url": {"url": picture(number)}, "role": role}
        for number, role in enumerate(roles, start=2)
    ]
    return pair(DREAM, model, image_to_video_params={"content": [text, *content]})


def test_numbered_pictures_come_after_the_chains() -> None:
    step = plan("chain3", edited(FLUX, input_image_3=picture(3), input_image_2=picture(2))).steps[1]
    assert step.inputs == refs(2, 3)
    assert step.candidates[0].params == {"prompt": "in oil"}


@pytest.mark.parametrize(("model", "name"), [(FLUX, "input_image"), (KLEIN, "input_image_5"), (FLUX, "image")])
def test_the_chains_own_place_and_places_that_a_model_lacks_are_refused(model: str, name: str) -> None:
    _, faults = refused("chain3", edited(model, **{name: PICTURE}))
    assert "filled by the chain" in faults[f"image_to_image_params.{name}"]


def test_up_to_eight_references_come_after_the_chains_at_relaydance() -> None:
    roles = ["reference_image"] * 8
    step = plan("chain1", relayed(*roles, prompt="@image1 beside @image9")).steps[1]
    assert step.inputs == refs(*range(2, 10))
    assert step.candidates[0].pictures == 9
    _, faults = refused("chain1", relayed(*roles, "reference_image"))
    assert "takes 8 here" in faults["image_to_video_params"]
    _, faults = refused("chain1", relayed("reference_image", prompt="@image3"))
    assert "image_to_video_params.prompt" in faults


@pytest.mark.parametrize("role", ["first_frame", "last_frame"])
def test_frames_in_a_step_that_the_chain_feeds_are_refused(role: str) -> None:
    for asked, place in ((relayed(role), "metadata.content.0"), (danced(DANCE_2, role), "content.1")):
        _, faults = refused("chain1", asked)
        assert "filled by the chain" in faults[f"image_to_video_params.{place}.image_url"]


def test_references_come_after_the_chains_at_seedance_2_and_the_plan_says_what_that_changes() -> None:
    made = plan("chain1", danced(DANCE_2, "reference_image", "reference_image"))
    step = made.steps[1]
    assert step.inputs == refs(2, 3)
    assert step.candidates[0].pictures == 3
    assert step.candidates[0].params["content"] == [{"type": "text", "text": "it moves"}]
    assert any("first reference, not the first frame" in warning for warning in made.warnings)
    _, faults = refused("chain1", danced(DANCE_2, *["reference_image"] * 9))
    assert "takes 8 here" in faults["image_to_video_params"]


def test_a_seedance_without_references_takes_the_chains_picture_alone() -> None:
    _, faults = refused("chain1", danced(DANCE, "reference_image"))
    assert "filled by the chain" in faults["image_to_video_params.content.1.image_url"]


def test_outside_a_chain_a_lone_reference_stays_where_it_is() -> None:
    item = {"type": "image_url", "image_url": {"url": picture(2)}, "role": "reference_image"}
    frame = {"type": "image_url", "image_url": {"url": picture(1)}, "role": "first_frame"}
    card = CATALOGUE.models[DANCE_2]
    assert card.read_inputs({"content": [item, frame]}) == ((picture(1),), {"content": [item]})
