"""Prices: each model's own, or the deployment's from `BABYCHAIN_PRICES`; how old they are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from domain.catalogue import Catalogue
from domain.errors import SetupError
from domain.money import Cost, Micros, micros_of
from domain.provider import ModelCard, Params, PriceNote

STALE = timedelta(days=90)

Amount = Annotated[Micros, BeforeValidator(micros_of)]


class Price(BaseModel):
    """One entry of the file: what a job costs, as a sum of a fixed part and a part for each second of video."""

    model_config = ConfigDict(extra="forbid")

    job: Amount = 0
    second: Amount = 0
    date: date
    source: str = Field(min_length=1, max_length=500)


@dataclass(frozen=True)
class _Listed:
    price: Price
    card: ModelCard

    def __call__(self, params: Params, pictures: int) -> Cost:
        if not self.price.second:
            return Cost.exactly(self.price.job)
        seconds = self.card.read_neutral(self.card.params.model_validate(dict(params)).model_dump()).seconds
        return Cost.unknown() if seconds is None else Cost.exactly(self.price.job + seconds * self.price.second)


def with_prices(catalogue: Catalogue, text: str) -> Catalogue:
    """Take prices from `{"model": {"job": "0.04", "second": "0.05", "date": "2026-11-20", "source": "https://..."}}`."""
    try:
        raw = json.loads(text)
        prices = {name: Price.model_validate(value) for name, value in raw.items()}
    except (ValueError, AttributeError) as error:
        where = f": {error.errors()[0]['loc']}" if isinstance(error, ValidationError) else ""
        raise SetupError(f"The file of BABYCHAIN_PRICES cannot be read{where}.") from error
    models = dict(catalogue.models)
    for name, price in prices.items():
        card = catalogue.find(name)
        if card is None:
            raise SetupError(f"The file of BABYCHAIN_PRICES names {name!r}, which is no model.")
        note = PriceNote(price.date, price.source)
        models[card.id] = replace(card, price=_Listed(price, card), priced=note)
    return replace(catalogue, models=models, _by_name={})


def stale_prices(models: Mapping[str, ModelCard], today: date) -> list[str]:
    """The models whose price was read too long ago to be trusted."""
    return [card.id for card in models.values() if card.priced and today - card.priced.as_of > STALE]
