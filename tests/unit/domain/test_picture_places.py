"""What is told of the places of pictures is what planning takes there, for every model."""

from typing import Any

import pytest

from domain.media import MediaKind
from domain.picture_places import further_pictures, picture_fields
from domain.provider import ModelCard
from tests.support.orders import catalogue
from tests.unit.domain.test_handing_on import picture, refs
from tests.unit.domain.test_planning import plan, refused

Json = dict[str, Any]

MODELS = catalogue().models
TAKING = sorted(name for name, card in MODELS.items() if card.further is not None)
FED = {MediaKind.IMAGE: "image_to_image", MediaKind.VIDEO: "image_to_video"}


def pictures(count: int) -> list[str]:
    return [picture(number) for number in range(1, count + 1)]


def placed(place: Json, urls: list[str]) -> Json:
    """As a client does that knows nothing but what it was told."""
    if "fields" in place:
        return dict(zip(place["fields"][: len(urls)], urls, strict=True))
    *way, last = place["address"]
    items: list[Json] = []
    for url in urls:
        item = node = {**place["item"]}
        for name in way:
            node[name] = node = {**node[name]}
        node[last] = url
        items.append(item)
    nested: Any = items
    for name in reversed(place["list"]):
        nested = {name: nested}
    return dict(nested)


def asked(card: ModelCard, params: Json) -> Json:
    step = FED[card.kind]
    return {
        "chain_models": {f"{step}_model": card.id},
        "text_to_image_prompt": "a boat",
        "image_to_image_prompt": "in oil",
        "image_to_video_prompt": "it moves",
        f"{step}_params": params,
    }


def told(card: ModelCard) -> Json:
    place = further_pictures(card)
    assert place is not None, f"domain/picture_places.py finds no place of {card.id}"
    return place


@pytest.mark.parametrize("name", TAKING)
def test_as_many_further_pictures_as_are_told_are_taken_where_they_are_told(name: str) -> None:
    card, place = MODELS[name], told(MODELS[name])
    params = placed(place, pictures(place["maximum"]))
    [step] = [one for one in plan("chain3", asked(card, params)).steps if one.key == FED[card.kind]]
    assert step.inputs == refs(*range(1, place["maximum"] + 1))


@pytest.mark.parametrize("name", [name for name in TAKING if "list" in told(MODELS[name])])
def test_one_more_in_a_list_is_refused(name: str) -> None:
    card, place = MODELS[name], told(MODELS[name])
    _, faults = refused("chain3", asked(card, placed(place, pictures(place["maximum"] + 1))))
    assert any(path.startswith(f"{FED[card.kind]}_params") for path in faults)


@pytest.mark.parametrize("name", TAKING)
def test_beside_a_start_picture_they_are_taken_where_that_is_told(name: str) -> None:
    card, place = MODELS[name], told(MODELS[name])
    slug = {MediaKind.IMAGE: "chain2", MediaKind.VIDEO: "image-to-video"}[card.kind]
    fields = {"chain_models", "image_to_video_prompt", f"{FED[card.kind]}_prompt", f"{FED[card.kind]}_params"}
    body = {key: value for key, value in asked(card, placed(place, pictures(2))).items() if key in fields}
    step = plan(slug, body | {"source_image_url": picture(9)}).steps[0]
    assert step.inputs == (refs(9, 1, 2) if place["beside_start_picture"] else refs(9))


@pytest.mark.parametrize("name", sorted(set(MODELS) - set(TAKING)))
def test_a_model_that_takes_no_further_pictures_has_no_place_for_them(name: str) -> None:
    assert further_pictures(MODELS[name]) is None


def test_fields_are_told_in_the_order_in_which_they_are_read() -> None:
    card = MODELS["bfl/flux-2-pro"]
    fields = picture_fields(card)
    given = {name: picture(number) for number, name in enumerate(fields)}
    assert card.read_inputs(given)[0] == tuple(given.values())
