"""What a caller has said in one model's own parameters that a model which stands in for it is not told.

Found without a list to maintain, value by value: what can be taken out without changing the neutral request says
nothing in it. Names are dotted paths; an item of a list has its role or type (`metadata.content reference_audio`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from domain.provider import ModelCard, Params

Place = tuple[str | int, ...]


def unsaid(card: ModelCard, params: Params) -> dict[str, Any]:
    """By its name, each value that says nothing neutral and that the model would not have taken anyway."""
    found: dict[str, Any] = {}
    rest = dict(params)
    # From the end, so that taking an item out moves none that is still to come. Of two values that say the same, as
    # frames and seconds may, one stays.
    for place, value in reversed(list(_values(params))):
        fewer = _without(rest, place)
        if card.read_neutral(fewer) == card.read_neutral(rest):
            if not _is_default(card, rest, fewer):
                found[_name(place, value)] = value
            rest = fewer
    return dict(reversed(found.items()))


def not_held(card: ModelCard, params: Params, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what these parameters do not hold, defaults included: the same value under the same last name."""
    held = [(place[-1], value) for place, value in _values(_complete(card, params))]
    return tuple(name for name, value in said.items() if (name.rsplit(".", 1)[-1], value) not in held)


def _values(node: Params, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value, and every object in a list as one. Nothing stands in an empty object, so nothing is said there."""
    for name, value in node.items():
        here = (*place, name)
        if isinstance(value, dict):
            yield from _values(value, here)
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            yield from (((*here, index), item) for index, item in enumerate(value))
        else:
            yield here, value


def _without(node: Any, place: Place) -> Any:
    first, *deeper = place
    if deeper:
        return {**node, first: _without(node[first], tuple(deeper))}
    if isinstance(node, list):
        return [item for index, item in enumerate(node) if index != first]
    return {name: value for name, value in node.items() if name != first}


def _name(place: Place, value: Any) -> str:
    if isinstance(place[-1], int) and (kind := value.get("role") or value.get("type")):
        return f"{'.'.join(map(str, place[:-1]))} {kind}"
    return ".".join(map(str, place))


def _is_default(card: ModelCard, params: Params, fewer: Params) -> bool:
    try:
        return _complete(card, fewer) == _complete(card, params)
    except ValidationError:
        return False


def _complete(card: ModelCard, params: Params) -> dict[str, Any]:
    return card.params.model_validate(dict(params)).model_dump()
