"""Every adapter and model that the folder has, the least that each can be asked, and a plan of one step for it."""

from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

import providers
from domain.catalogue import Catalogue
from domain.chains import ChainTemplate, Step
from domain.errors import Fault, RequestError
from domain.media import InputFile, MediaKind, MediaRequest
from domain.plan import ChainPlan
from domain.planning import RunRequest, plan_run
from domain.provider import JobRequest, ModelCard
from tests.contract.adapters import request

MODULES = providers.every_module()
CARDS = [card for module in MODULES for card in module.MODELS.values()]
_LONGEST_ACCEPTANCE = 600
"""Seconds. A model that may take longer over its submit answers it with the picture itself: there is no job."""

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.NAME)
each_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)


def least(card: ModelCard) -> dict[str, Any]:
    return card.from_neutral(MediaRequest(card.kind, prompt="a paper boat")).params


def is_read_later(card: ModelCard) -> bool:
    return card.submit_timeout < _LONGEST_ACCEPTANCE


def first_job(module: ModuleType) -> ModelCard:
    """The first model whose job is read later."""
    cards: list[ModelCard] = list(module.MODELS.values())
    return next(filter(is_read_later, cards))


def order(card: ModelCard) -> JobRequest:
    return request(card, least(card), *[InputFile(url="https://example.com/a.png")] * card.inputs.minimum)


def plan(card: ModelCard, params: dict[str, Any], *, fed: bool = False) -> ChainPlan:
    """A run of one step; `fed` puts a step before it whose picture it continues from, as some models need."""
    fed = fed or card.inputs.minimum > 0
    first = Step("first", "First", MediaKind.IMAGE, "bfl/flux-2-pro")
    step = Step("main", "Main", card.kind, card.id, takes=("first",) if fed else ())
    template = ChainTemplate("chain1", "test", "test", "test", (first, step) if fed else (step,))
    # BabySea serves ids of others in a mode of its own; the model under test is always the card's own.
    models = {known.id: known for known in CARDS if known.modes != ("babysea",)} | {card.id: card}
    names = frozenset(known.provider for known in CARDS)
    catalogue = Catalogue(models, names, dict.fromkeys(names, "KEY"), "byok", webhooks_reach_us=True)
    values = {"main_params": params} | ({"first_params": {"generation_prompt": "a boat"}} if fed else {})
    return plan_run(
        template,
        RunRequest("0" * 32, "caller", datetime(2026, 11, 21, tzinfo=UTC), values, {}, None, None),
        catalogue,
    )


def faults_of(card: ModelCard, params: dict[str, Any], *, fed: bool = False) -> list[Fault]:
    with pytest.raises(RequestError) as raised:
        plan(card, params, fed=fed)
    return list(raised.value.faults)
