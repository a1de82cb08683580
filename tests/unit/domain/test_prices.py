"""Where prices come from, how a deployment's own take their place, and when they are too old."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain.errors import SetupError
from domain.money import Cost
from domain.prices import stale_prices, with_prices
from tests.support.orders import catalogue
from tests.unit.domain.test_planning import FLEX, SEEDANCE, plan, prompts

CATALOGUE = catalogue()
OWN = '{"%s": {"job": "0.10", "second": 0.05, "date": "2026-11-01", "source": "our contract"}}'


@pytest.mark.parametrize("card", CATALOGUE.models.values(), ids=lambda card: card.id)
def test_a_price_says_of_when_it_is_and_where_it_stands(card: Any) -> None:
    asked = {"prompt": "a boat", "content": [{"type": "text", "text": "a boat"}]}
    known = {name: value for name, value in asked.items() if name in card.params.model_fields}
    if card.price(known, 1).low is not None:
        assert card.priced is not None
        assert card.priced.source


def test_a_deployments_own_price_is_used_by_the_second() -> None:
    own = with_prices(CATALOGUE, OWN % SEEDANCE)
    asked = prompts("chain1") | {"image_to_video_params": {"duration": 4}}
    step = plan("chain1", asked, own).steps[1]
    assert step.candidates[0].cost == Cost(300_000, 300_000)
    assert own.models[SEEDANCE].priced != CATALOGUE.models[SEEDANCE].priced
    assert own.find(SEEDANCE) is own.models[SEEDANCE]


def test_a_clip_of_a_length_that_nobody_knows_has_no_price() -> None:
    own = with_prices(CATALOGUE, OWN % SEEDANCE)
    asked = prompts("chain1") | {"image_to_video_params": {"duration": -1}}
    assert plan("chain1", asked, own).steps[1].candidates[0].cost == Cost.unknown()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"acme/none": {"job": 1, "date": "2026-11-01", "source": "x"}}',
        f'{{"{FLEX}": {{"job": -1, "date": "2026-11-01", "source": "x"}}}}',
        f'{{"{FLEX}": {{"job": 1, "source": "x"}}}}',
        f'{{"{FLEX}": {{"job": 1, "date": "2026-11-01", "source": "x", "per_month": 3}}}}',
    ],
)
def test_a_price_file_that_makes_no_sense_stops_the_start(text: str) -> None:
    with pytest.raises(SetupError, match="BABYCHAIN_PRICES"):
        with_prices(CATALOGUE, text)


def test_a_price_older_than_ninety_days_is_called_so() -> None:
    card = CATALOGUE.models[FLEX]
    assert card.priced is not None
    assert FLEX not in stale_prices({FLEX: card}, card.priced.as_of + timedelta(days=90))
    assert FLEX in stale_prices({FLEX: card}, card.priced.as_of + timedelta(days=91))
    assert stale_prices(CATALOGUE.models, date(2020, 1, 1)) == []
