"""The provider accounts as an operator sees them: may they be asked, how busy are they, how have they done of late."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain import breaker
from domain.breaker import Account
from domain.catalogue import Catalogue
from domain.provider import ModelCard
from domain.timestamps import millis
from storage.provider_figures import Figures, ProviderFigures
from storage.provider_gate import DisabledModel, Known, ProviderGate, Use

Json = dict[str, Any]


@dataclass(frozen=True)
class ProviderAccounts:
    gate: ProviderGate
    figures: ProviderFigures
    limits: Mapping[str, int]
    catalogue: Catalogue

    async def rows(self) -> list[Json]:
        now = datetime.now(UTC)
        known, use, hour, day = await asyncio.gather(
            self.gate.known(),
            self.gate.use(now),
            self.figures.since(now - timedelta(hours=1), self.catalogue.mode),
            self.figures.since(now - timedelta(days=1), self.catalogue.mode),
        )
        return [
            self._row(name, known, use.get(name, Use()), now)
            | {"last_hour": _figures(hour.get(name)), "last_day": _figures(day.get(name))}
            for name in sorted({card.provider for card in self.catalogue.models.values()})
        ]

    async def row(self, name: str) -> Json:
        return next(row for row in await self.rows() if row["name"] == name)

    async def disable(self, name: str, by: str, reason: str | None) -> None:
        await self.gate.change(name, lambda account: breaker.disabled(account, by, reason, datetime.now(UTC)))

    async def enable(self, name: str) -> None:
        await self.gate.change(name, lambda account: breaker.enabled(account, datetime.now(UTC)))

    async def disable_model(self, model: str, by: str, reason: str | None) -> None:
        await self.gate.disable_model(DisabledModel(model, datetime.now(UTC), by, reason))

    def _row(self, name: str, known: Known, use: Use, now: datetime) -> Json:
        account = known.account(name)
        cards = [card for card in self.catalogue.models.values() if card.provider == name]
        return {
            "object": "provider",
            "name": name,
            "offered": name in self.catalogue.offered,
            "mode": self.catalogue.mode,
            "safety_classes": sorted({self._safety(card) for card in cards}),
            "breaker": _breaker(account, now),
            "paused_until": _future(account.paused_until, now),
            "disabled": _switched_off(account),
            "limit": self.limits.get(name),
            # Without a limit nobody counts.
            "active": use.active if name in self.limits else None,
            "waiting": use.waiting,
            "models": [self._model(card, known.disabled_models) for card in cards],
        }

    def _model(self, card: ModelCard, disabled: Mapping[str, DisabledModel]) -> Json:
        return {"id": card.id, "safety_class": self._safety(card), "disabled": model_switch(disabled.get(card.id))}

    def _safety(self, card: ModelCard) -> str:
        return card.safety(webhooks_reach_us=self.catalogue.webhooks_reach_us).value


def model_switch(model: DisabledModel | None) -> Json | None:
    return None if model is None else {"since": millis(model.since), "by": model.by, "reason": model.reason}


def _switched_off(account: Account) -> Json | None:
    if account.disabled_since is None:
        return None
    return {"since": millis(account.disabled_since), "by": account.disabled_by, "reason": account.disabled_reason}


def _breaker(account: Account, now: datetime) -> Json:
    return {
        "state": account.state(now).value,
        "reason": account.trouble,
        "code": account.code,
        "message": account.message,
        "since": millis(account.since),
        "next_probe_at": millis(account.next_probe),
        "failures_in_a_row": account.failures + account.failed_reads,
    }


def _future(moment: datetime | None, now: datetime) -> str | None:
    return millis(moment) if moment is not None and moment > now else None


def _figures(figures: Figures | None) -> Json:
    found = figures or Figures()
    share = found.success_share
    return {
        "attempts": found.attempts,
        "succeeded": found.succeeded,
        "success_share": None if share is None else round(share, 4),
        "seconds": {"p50": _seconds(found.p50), "p95": _seconds(found.p95)},
        "errors": dict(found.errors.most_common()),
    }


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
