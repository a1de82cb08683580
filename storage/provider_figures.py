"""How provider accounts have done of late: counts, seconds and errors, from the attempts of ended runs."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.runs import AttemptOutcome
from storage.database import answering_database
from storage.ledger import ATTEMPTS

_DAY = 86_400


@dataclass
class Figures:
    outcomes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    p50: float | None = None
    p95: float | None = None

    @property
    def attempts(self) -> int:
        return self.outcomes.total()

    @property
    def succeeded(self) -> int:
        return self.outcomes[AttemptOutcome.SUCCEEDED]

    @property
    def success_share(self) -> float | None:
        """Of the attempts that nobody canceled."""
        counted = self.attempts - self.outcomes[AttemptOutcome.CANCELED]
        return self.succeeded / counted if counted else None


class ProviderFigures:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def since(self, moment: datetime, mode: str) -> Mapping[str, Figures]:
        """By provider. Seconds are those of attempts that succeeded, waiting for a place included. The sandbox says
        nothing about a real provider, so modes are kept apart."""
        lately = (ATTEMPTS.c.ended_at >= moment) & (ATTEMPTS.c.mode == mode)
        by = (ATTEMPTS.c.provider, ATTEMPTS.c.outcome, ATTEMPTS.c.code)
        figures: defaultdict[str, Figures] = defaultdict(Figures)
        with answering_database():
            async with self._engine.connect() as connection:
                counts = await connection.execute(select(*by, func.count()).where(lately).group_by(*by))
                for provider, outcome, code, count in counts:
                    figures[provider].outcomes[outcome] += count
                    if code is not None:
                        figures[provider].errors[code] += count
                for provider, p50, p95 in await connection.execute(self._percentiles(lately)):
                    figures[provider].p50, figures[provider].p95 = float(p50), float(p95)
        return figures

    def _percentiles(self, lately: ColumnElement[bool]) -> Any:
        """By nearest rank, counted in the database: a busy day has more attempts than should travel."""
        seconds = self._seconds()
        ranked = (
            select(
                ATTEMPTS.c.provider,
                seconds.label("seconds"),
                func.row_number().over(partition_by=ATTEMPTS.c.provider, order_by=seconds).label("place"),
                func.count().over(partition_by=ATTEMPTS.c.provider).label("total"),
            )
            .where(lately, ATTEMPTS.c.outcome == AttemptOutcome.SUCCEEDED.value)
            .subquery()
        )
        at_least = [
            func.min(case((ranked.c.place * 100 >= ranked.c.total * share, ranked.c.seconds))) for share in (50, 95)
        ]
        return select(ranked.c.provider, *at_least).group_by(ranked.c.provider)

    def _seconds(self) -> ColumnElement[Any]:
        began, ended = ATTEMPTS.c.started_at, ATTEMPTS.c.ended_at
        if self._engine.dialect.name == "postgresql":
            return func.extract("epoch", ended - began)
        return (func.julianday(ended) - func.julianday(began)) * _DAY
