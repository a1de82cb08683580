"""Where a caller's own pictures may stand in a model's parameters, as data: for clients, and for forms made of it.

All of it is asked of the model's own readers, so that what is told is what is taken.
"""

from typing import Any

from domain.provider import ModelCard
from domain.request_schemas import parameter_names

Json = dict[str, Any]

_PICTURE = "https://pictures.example.com/boat.png"
_LISTS = (("content",), ("metadata", "content"))


def picture_fields(card: ModelCard) -> list[str]:
    """The names beside the model's own parameters: what stands there is read as a picture and handed on."""
    return sorted(parameter_names(card) - card.params.model_fields.keys())


def field_schema(card: ModelCard, name: str) -> Json:
    forms: tuple[tuple[object, Json], ...] = (
        (_PICTURE, {"type": "string"}),
        ([_PICTURE], {"type": "array", "items": {"type": "string"}}),
    )
    taken = [form for value, form in forms if card.read_inputs({name: value})[0]]
    about = "An input picture: a public https address, or the id of an uploaded asset."
    return {"anyOf": [*taken, {"type": "null"}], "default": None, "description": about}


def further_pictures(card: ModelCard) -> Json | None:
    """How a step which the chain feeds takes more pictures: in these fields, in this order, or as items of a list.

    None where it takes none. `beside_start_picture`: so does a step that begins with the caller's picture.
    """
    further = card.further
    if further is None:
        return None
    fields = [name for name in picture_fields(card) if further.is_place((name,), {name: _PICTURE})]
    lists = [{"list": list(path), "item": _item(""), "address": ["image_url", "url"]} for path in _LISTS]
    places: list[Json] = [{"fields": fields}] if fields else lists
    for place in places:
        one = _given(place)
        if further.read(one)[0]:
            return {"maximum": further.most, "beside_start_picture": bool(card.read_inputs(one)[0]), **place}
    return None


def _given(place: Json) -> Json:
    """Parameters in which one picture stands at this place."""
    if "fields" in place:
        return {place["fields"][0]: _PICTURE}
    params: Any = [_item(_PICTURE)]
    for name in reversed(place["list"]):
        params = {name: params}
    return dict(params)


def _item(address: str) -> Json:
    return {"type": "image_url", "image_url": {"url": address}, "role": "reference_image"}
