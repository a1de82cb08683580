"""From a chosen model and what the caller wishes to a candidate: native parameters, checked and priced.

The caller's native parameters belong to the first model. Those after it are told the same wish through the neutral
request; what they cannot be told is listed, never dropped in silence.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.catalogue import Catalogue
from domain.findings import Path
from domain.losses import unsaid
from domain.media import MediaRequest
from domain.plan import Candidate
from domain.provider import ModelCard, Params

SHORT_PATIENCE = 45.0
"""Seconds that a provider may refuse while another could take the step."""


def make_candidate(
    card: ModelCard, params: dict[str, Any], pictures: int, lost: tuple[str, ...], catalogue: Catalogue, *, last: bool
) -> Candidate:
    return Candidate(
        model=card.id,
        raw_id=card.raw_id,
        provider=card.provider,
        params=params,
        safety=card.safety(webhooks_reach_us=catalogue.webhooks_reach_us),
        webhook=card.webhook and catalogue.webhooks_reach_us,
        findable=card.findable,
        pictures=card.inputs.maximum,
        input_forms=card.input_forms,
        looks=card.looks,
        submit_timeout=card.submit_timeout,
        patience=card.deadline if last else min(SHORT_PATIENCE, card.deadline),
        deadline=card.deadline,
        cost=card.price(params, min(pictures, card.inputs.maximum)),
        lost=lost,
    )


def wish_of(card: ModelCard, params: Params, words: MediaRequest) -> tuple[MediaRequest, dict[str, Any]]:
    """The first model's parameters as a neutral request, and by their names the values that it cannot say.

    BabyChain's own words fill what the first model had no parameter for.
    """
    wish = card.read_neutral(params)
    unfilled = {
        one.name: getattr(words, one.name)
        for one in fields(words)
        if one.name not in ("kind", "images") and getattr(wish, one.name) is None
    }
    return replace(wish, images=(), **unfilled), unsaid(card, params)


def retell(card: ModelCard, wish: MediaRequest, pictures: int) -> tuple[dict[str, Any], tuple[str, ...]] | str:
    """The wish in this model's own parameters and what is lost, or why it cannot be told at all."""
    mapped = card.from_neutral(wish)
    faults = judge(card, mapped.params)
    count = min(pictures, card.inputs.maximum)
    faults += [(fault.path, fault.message) for fault in card.check_pictures(mapped.params, count)] if not faults else []
    if faults:
        path, message = faults[0]
        return f"{'.'.join(map(str, path))} {message}".strip()
    lost = mapped.lost
    if count < pictures:
        lost += (f"pictures beyond the first {count}" if count > 1 else "pictures beyond the first",)
    return mapped.params, lost


def judge(card: ModelCard, params: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Every certain fault of native parameters. Prices and warnings read them, so they are asked only of valid ones."""
    try:
        card.params.model_validate(dict(params))
    except ValidationError as error:
        return [
            (problem["loc"], _message(card, problem["type"], problem["loc"], problem["msg"]))
            for problem in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    return [(fault.path, fault.message) for fault in card.check(params)]


def _message(card: ModelCard, kind: str, path: Path, said: str) -> str:
    if kind == "extra_forbidden":
        return f"is not a parameter of {card.id}; it takes {', '.join(sorted(_fields_at(card, path[:-1])))}"
    return said[0].lower() + said[1:]


@cache
def _schema(params: type[BaseModel]) -> dict[str, Any]:
    """Kept: a request may name two hundred fields that no model has, and each would make it anew."""
    return params.model_json_schema()


def _fields_at(card: ModelCard, path: Path) -> Iterable[str]:
    """The fields that stand beside an unknown one: its own object's, not always the model's."""
    schema = _schema(card.params)
    here = schema
    for part in path:
        here = here["items"] if isinstance(part, int) else here["properties"][part]
        while "$ref" in here or "anyOf" in here:
            here = schema["$defs"][here["$ref"].rsplit("/", 1)[1]] if "$ref" in here else here["anyOf"][0]
    return list(here["properties"])
