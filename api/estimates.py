"""What a run would do and cost: every candidate, and the very request that its provider would get. Nothing is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from domain.catalogue import Catalogue
from domain.forbidden import is_credential
from domain.media import InputFile, InputForm, InputRef
from domain.money import dollars
from domain.plan import Candidate, ChainPlan, PlannedStep
from domain.prices import STALE
from domain.provider import JobRequest, Provider
from domain.resources import shown_cost
from net.paid import rehearse
from storage.links import AssetLinks

Json = dict[str, Any]

_HIDDEN = "[hidden]"


@dataclass(frozen=True)
class Estimates:
    catalogue: Catalogue
    providers: Mapping[str, Provider]
    links: AssetLinks
    base_url: str

    async def of(self, plan: ChainPlan) -> Json:
        shown: Json = {
            "object": "chain_estimate",
            "chain_slug": plan.template,
            "chain_version": plan.version,
            "mode": plan.mode,
            "input": plan.input,
            "estimate": shown_cost(plan.cost),
            "steps": [await self._step(planned, index) for index, planned in enumerate(plan.steps)],
        }
        if plan.options.max_cost is not None:
            shown["max_cost"] = {"currency": "USD", "amount": dollars(plan.options.max_cost)}
        if warnings := [*plan.warnings, *self._old_prices(plan)]:
            shown["warnings"] = warnings
        return shown

    async def _step(self, planned: PlannedStep, index: int) -> Json:
        return {
            "step_index": index,
            "step_key": planned.key,
            "step_kind": str(planned.kind),
            "depends_on": list(planned.takes),
            "estimate": shown_cost(planned.cost),
        } | await self._how(planned)

    async def _how(self, planned: PlannedStep) -> Json:
        if planned.reused is not None:
            return {"reused": {"saved": shown_cost(planned.reused.saved)}}
        return {"candidates": [await self._candidate(planned, candidate) for candidate in planned.candidates]}

    async def _candidate(self, planned: PlannedStep, candidate: Candidate) -> Json:
        shown: Json = {
            "model": candidate.model,
            "provider": candidate.provider,
            "safety_class": str(candidate.safety),
            "estimate": shown_cost(candidate.cost),
        }
        if priced := self.catalogue.models[candidate.model].priced:
            shown["price_source"] = {"as_of": priced.as_of.isoformat(), "source": priced.source}
        if candidate.lost:
            shown["not_told"] = list(candidate.lost)
        if hints := self.catalogue.models[candidate.model].hints:
            shown["hints"] = list(hints)
        shown["request"] = await self._request(planned, candidate)
        return shown

    async def _request(self, planned: PlannedStep, candidate: Candidate) -> Json:
        """Made by the adapter's own code, with what is not there yet, and what is secret, under placeholders."""
        provider = self.providers[candidate.provider]
        forms = candidate.input_forms or provider.accepts
        waiting = [_awaited(step, forms) for step in planned.takes]
        pictures = [*waiting, *(self._picture(ref, forms) for ref in planned.inputs)][: candidate.pictures]
        request = JobRequest(candidate.raw_id, candidate.params, tuple(pictures), _HIDDEN)
        callback = f"{self.base_url}/api/webhooks/{candidate.provider}/{_HIDDEN}" if candidate.webhook else None
        sent = await rehearse(lambda: provider.submit(request, _HIDDEN, callback))
        return {"method": "POST", "url": sent.url, "body": _masked(sent.body)}

    def _picture(self, ref: InputRef, forms: tuple[InputForm, ...]) -> InputFile:
        url = self.links.url(ref.asset, datetime.now(UTC)) if ref.asset else ref.url
        return InputFile(url=url) if InputForm.URL in forms else InputFile(data=b"", media_type="image/png")

    def _old_prices(self, plan: ChainPlan, today: date | None = None) -> list[str]:
        asked = dict.fromkeys(one.model for step in plan.steps for one in step.candidates)
        notes = [(name, self.catalogue.models[name].priced) for name in asked]
        return [
            f"The price of {name} is of {note.as_of}; it may have changed since."
            for name, note in notes
            if note is not None and (today or datetime.now(UTC).date()) - note.as_of > STALE
        ]


def _awaited(step: str, forms: tuple[InputForm, ...]) -> InputFile:
    if InputForm.URL in forms:
        return InputFile(url=f"https://output-of-{step.replace('_', '-')}.invalid/")
    return InputFile(data=b"", media_type="image/png")


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _masked(child, key) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(child) for child in value]
    if isinstance(value, str) and is_credential(name):
        return _HIDDEN
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value.partition(',')[0]},[the picture]"
    return value
