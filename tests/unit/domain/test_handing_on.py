"""What a plan asks of a step for the sake of the next one, and the pictures that a caller adds to the chain's."""

from dataclasses import replace
from typing import Any

import pytest

from domain.choosing import with_fallbacks
from domain.media import InputRef
from domain.plan import ChainPlan
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


# ---- models that stand in -----------------------------------------------------------------------------------------

WIDE = {"size": "4096x1024"}
TINY = {"width": 256, "height": 256}


def models(made: ChainPlan) -> list[str]:
    return [candidate.model for candidate in made.steps[1].candidates]


@pytest.mark.parametrize("image", [DREAM, [DREAM, DREAM_4]])
def test_a_listed_model_that_cannot_take_the_picture_is_refused_at_its_place(image: Any) -> None:
    code, faults = refused("chain1", pair(image, [BACH, WAN, DANCE], WIDE))
    assert code == "invalid_chain_input"
    assert list(faults) == ["chain_models.image_to_video_model.2"]
    [message] = faults.values()
    assert "0.4 to 2.5" in message
    assert "ask for another size in text_to_image_params, or leave this model out" in message


def test_a_listed_model_that_could_not_fetch_a_scaled_copy_is_refused_at_its_place() -> None:
    tiny = pair(FLUX, [DANCE, BACH], TINY)
    _, faults = refused("chain1", tiny, LAPTOP)
    assert list(faults) == ["chain_models.image_to_video_model.1"]
    assert "BABYCHAIN_PUBLIC_URL" in faults["chain_models.image_to_video_model.1"]
    made = plan("chain1", tiny)
    assert models(made) == [DANCE, BACH]
    assert f"text_to_image: {FLUX} makes 256×256; {BACH} gets a scaled copy" in made.warnings


def test_a_fallback_that_cannot_take_the_picture_is_left_out_and_the_plan_says_why() -> None:
    made = plan("chain1", pair(DREAM, BACH, WIDE), with_fallbacks(CATALOGUE, f"{BACH}={DANCE},{WAN}"))
    assert models(made) == [BACH, WAN]
    [warning] = [said for said in made.warnings if "left out" in said]
    assert warning.startswith(f"{DANCE} is left out as a fallback: A picture of 4096×1024")
    assert made.steps[1].deadline == sum(one.deadline for one in made.steps[1].candidates)


def test_a_model_whose_only_fallback_is_left_out_gets_all_the_time_again() -> None:
    alone = plan("chain1", pair(FLUX, DANCE, TINY), LAPTOP)
    left = plan("chain1", pair(FLUX, DANCE, TINY), with_fallbacks(LAPTOP, f"{DANCE}={BACH}"))
    assert left.steps == alone.steps
    assert left.deadline == alone.deadline


def test_models_that_stand_in_are_kept_where_the_size_is_not_known() -> None:
    assert models(plan("chain1", pair(FLUX, [DANCE, BACH, WAN]), LAPTOP)) == [DANCE, BACH, WAN]


# ---- advice -------------------------------------------------------------------------------------------------------

SMALL = {"width": 512, "height": 512}


def advice(made: ChainPlan) -> list[str]:
    return [warning for warning in made.warnings if "advises" in warning]


def test_a_picture_below_what_bach_advises_is_a_warning() -> None:
    [warning] = advice(plan("chain1", pair(FLUX, BACH, SMALL)))
    assert warning.startswith(f"image_to_video: {BACH} gets a picture of 512×512; ")
    assert "720 pixels or more on the shorter side" in warning
    assert advice(plan("chain1", pair(FLUX, BACH, {"width": 1280, "height": 704})))
    assert not advice(plan("chain1", pair(FLUX, BACH, {"width": 1280, "height": 720})))


@pytest.mark.parametrize(
    ("resolution", "image", "warned"),
    [
        (None, SMALL, True),
        ("1080P", {"width": 1920, "height": 1072}, True),
        ("1080P", {"width": 1440, "height": 1456}, False),
        ("720P", {"width": 960, "height": 944}, True),
        ("720P", {"width": 960, "height": 960}, False),
    ],
)
def test_a_picture_with_fewer_pixels_than_the_resolution_that_wan_is_asked_for_is_a_warning(
    resolution: str | None, image: Json, warned: bool
) -> None:
    params = {"parameters": {"resolution": resolution} if resolution else {}}
    made = plan("chain1", pair(FLUX, WAN, image, image_to_video_params={"input": {"prompt": "it moves"}} | params))
    said = advice(made)
    assert bool(said) is warned
    assert all(f"as many pixels as {resolution or '1080P'} makes" in warning for warning in said)


def test_what_each_model_of_a_list_advises_is_said_once() -> None:
    made = plan("chain1", pair([FLUX, KLEIN], [BACH, WAN], SMALL))
    assert [warning.split()[1] for warning in advice(made)] == [BACH, WAN]


def test_nothing_is_advised_of_a_picture_whose_size_is_not_known() -> None:
    assert not advice(plan("chain1", pair(FLUX, [BACH, WAN])))


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


@pytest.mark.parametrize(
    ("prompt", "uncited"),
    [("@image2 moves", "@image1"), ("it moves", "@image2"), ("@image1 meets @image2", None)],
)
def test_pictures_that_a_prompt_never_cites_are_a_warning_that_counts_the_chains(
    prompt: str, uncited: str | None
) -> None:
    made = plan("chain1", relayed("reference_image", prompt=prompt))
    told = [warning for warning in made.warnings if "never cites" in warning]
    assert len(told) == (uncited is not None)
    assert all(warning.startswith(f"image_to_video: prompt: never cites {uncited};") for warning in told)
    assert plan("chain1", relayed()).warnings == ()


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


def test_outside_a_chain_a_reference_goes_beside_the_start_picture_and_beside_no_first_frame() -> None:
    item = {"type": "image_url", "image_url": {"url": picture(2)}, "role": "reference_image"}
    frame = {"type": "image_url", "image_url": {"url": picture(1)}, "role": "first_frame"}
    asked: Json = {"image_to_video_model": DANCE_2, "image_to_video_params": {"content": [item]}}
    made = plan("image-to-video", asked | {"source_image_url": picture(1)})
    assert made.steps[0].inputs == refs(1)
    assert made.steps[0].candidates[0].params["content"] == [item]
    assert any("first reference, not the first frame" in warning for warning in made.warnings)
    _, faults = refused("image-to-video", asked | {"image_to_video_params": {"content": [item, frame]}})
    assert list(faults) == ["image_to_video_params.content"]


def test_a_video_to_refer_to_goes_beside_the_chains_picture() -> None:
    video = {"type": "video_url", "video_url": {"url": "https://pictures.example.com/a.mp4"}, "role": "reference_video"}
    spoken = {"prompt": "it moves", "metadata": {"content": [video]}}
    for model, params in ((DANCE_2, {"content": [video]}), (RELAY, spoken)):
        step = plan("chain1", pair(DREAM, model, image_to_video_params=params)).steps[1]
        assert video in (step.candidates[0].params.get("metadata") or step.candidates[0].params)["content"]
    _, faults = refused("chain1", pair(DREAM, DANCE, image_to_video_params={"content": [video]}))
    assert "image_to_video_params.content.0.video_url" in faults
