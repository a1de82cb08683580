"""A picture that a caller uploaded is known before anything is paid: every model of the step has to take it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.inputs import InputAddresses
from domain.choosing import with_fallbacks
from domain.errors import RequestError
from domain.media import InputRef, MediaKind
from domain.plan import ChainPlan
from net.origins import TrustedOrigins
from storage.assets import Assets
from storage.links import AssetLinks
from tests.support.pictures import jpeg
from tests.unit.domain.test_planning import CATALOGUE, plan

BACH, DANCE, WAN = "bach/bach-1.0-preview", "bytedance/seedance-1.5-pro", "bailian/wan2.6-i2v"
WIDE, SMALL, LARGE = (1_200, 300), (512, 512), (1_600, 1_600)


@pytest.fixture
def addresses(tmp_path: Path) -> InputAddresses:
    async def nothing(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host} was looked up")

    links = AssetLinks(b"secret", "https://media.example.com")
    return InputAddresses(TrustedOrigins(), nothing, Assets.open(tmp_path.as_uri()), links, CATALOGUE.models)


async def settled(addresses: InputAddresses, size: tuple[int, int], models: Any, *, fallbacks: str = "") -> ChainPlan:
    async def chunks() -> AsyncIterator[bytes]:
        yield jpeg("mine", size)

    facts = await addresses.assets.add(chunks(), limit=1_000_000, kinds=frozenset({MediaKind.IMAGE}))
    asked = {"source_image_url": facts.id, "image_to_video_prompt": "it moves", "image_to_video_model": models}
    planned = plan("image-to-video", asked, with_fallbacks(CATALOGUE, fallbacks))
    await addresses.assets.grant(facts.id, planned.caller)
    made = await addresses.settle(planned)
    assert made.steps[0].inputs == (InputRef(asset=facts.id),)
    return made


async def test_a_listed_model_that_cannot_take_it_is_refused_at_its_place(addresses: InputAddresses) -> None:
    with pytest.raises(RequestError) as caught:
        await settled(addresses, WIDE, [BACH, DANCE])
    [fault] = caught.value.faults
    assert fault.path == ("input", "chain_models", "image_to_video_model", 1)
    assert "0.4 to 2.5" in fault.message
    assert "leave this model out" in fault.message


async def test_a_listed_model_that_could_not_fetch_it_is_refused_at_its_place(addresses: InputAddresses) -> None:
    laptop = replace(addresses, providers_reach_us=False)
    with pytest.raises(RequestError) as caught:
        await settled(laptop, LARGE, [DANCE, BACH])
    [fault] = caught.value.faults
    assert fault.path == ("input", "chain_models", "image_to_video_model", 1)
    assert "public https address" in fault.message


async def test_a_fallback_that_cannot_take_it_is_left_out_and_the_plan_says_why(addresses: InputAddresses) -> None:
    made = await settled(addresses, WIDE, BACH, fallbacks=f"{BACH}={DANCE}")
    [step] = made.steps
    assert [one.model for one in step.candidates] == [BACH]
    assert step.candidates[0].patience == step.deadline == made.deadline == CATALOGUE.models[BACH].deadline
    assert any(warning.startswith(f"{DANCE} is left out as a fallback") for warning in made.warnings)


async def test_models_that_can_take_it_all_stay(addresses: InputAddresses) -> None:
    made = await settled(addresses, LARGE, [DANCE, BACH, WAN])
    assert [one.model for one in made.steps[0].candidates] == [DANCE, BACH, WAN]
    assert made.warnings == ()


async def test_what_makers_advise_of_it_is_a_warning(addresses: InputAddresses) -> None:
    made = await settled(addresses, SMALL, [BACH, WAN])
    assert [warning.split(" gets ")[0] for warning in made.warnings] == [
        f"image_to_video: {one}" for one in (BACH, WAN)
    ]


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"source_image_url": "nowhere"}, ("source_image_url",)),
        (
            {"image_to_video_params": {"generation_input_file": ["nowhere"]}},
            ("image_to_video_params", "generation_input_file", 0),
        ),
    ],
)
async def test_a_picture_that_cannot_be_used_is_named_where_it_was_given(
    addresses: InputAddresses, input: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    asked = {"image_to_video_model": DANCE, "image_to_video_prompt": "it moves"} | input
    with pytest.raises(RequestError) as caught:
        await addresses.settle(plan("image-to-video", asked, CATALOGUE))
    [fault] = caught.value.faults
    assert fault.path == ("input", *path)
