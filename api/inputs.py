"""Addresses in a request: each must be safe, and ours are read from the store instead of being fetched."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.errors import Fault, RequestError
from domain.findings import without_keys
from domain.fitting import Picture, misfit
from domain.handing_on import advice_on, without
from domain.media import InputForm, InputRef
from domain.plan import Candidate, ChainPlan, PlannedStep
from domain.provider import ModelCard
from net.origins import TrustedOrigins
from net.resolve import Resolver, resolve_public
from net.urls import check_url
from storage.assets import Assets
from storage.links import AssetLinks

_ASSET_ID = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{2,5}")
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class InputAddresses:
    trusted: TrustedOrigins
    resolver: Resolver
    assets: Assets
    links: AssetLinks
    models: Mapping[str, ModelCard] = field(default_factory=dict)
    providers_reach_us: bool = True

    async def settle(self, plan: ChainPlan) -> ChainPlan:
        """Refuse every address that is unsafe as it is spelled, all at once; name our own assets by their id."""
        faults = self._misspelt(plan.input)
        warnings: list[str] = []
        steps = tuple([await self._settled(step, plan, faults, warnings) for step in plan.steps])
        _refuse(faults)
        deadline = sum(step.deadline for step in steps)
        return replace(plan, steps=steps, deadline=deadline, warnings=(*plan.warnings, *warnings))

    def check_spelling(self, input: Mapping[str, Any]) -> None:
        """Of an input that has no plan."""
        _refuse(self._misspelt(input))

    async def resolve(self, plan: ChainPlan) -> None:
        """Refuse every name in the input that leads inside, or nowhere."""
        judged = await asyncio.gather(*(self._judge(path, text) for path, text in self._foreign(plan.input)))
        _refuse([fault for faults in judged for fault in faults])

    def check_callback(self, url: str | None) -> None:
        """DNS is asked at delivery; here the address itself is judged, where there is one."""
        if url is None:
            return
        try:
            check_url(url, self.trusted)
        except RequestError as error:
            fault = Fault(("webhook_url",), error.message)
            raise RequestError(error.message, code="invalid_callback_url", faults=[fault]) from error

    def _foreign(self, input: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
        for path, text in _strings(input, ("input",)):
            if _is_web_address(text) and self.links.asset_of(text) is None:
                yield path, text

    def _misspelt(self, input: Mapping[str, Any]) -> list[Fault]:
        refusals = []
        for path, text in self._foreign(input):
            try:
                check_url(text, self.trusted)
            except RequestError as error:
                refusals.append(Fault(path, error.message))
        return refusals

    async def _judge(self, path: Path, url: str) -> list[Fault]:
        try:
            await resolve_public(url, self.trusted, self.resolver)
        except RequestError as error:
            return [Fault(path, error.message)]
        return []

    async def _settled(
        self, step: PlannedStep, plan: ChainPlan, faults: list[Fault], warnings: list[str]
    ) -> PlannedStep:
        refs = []
        for ref in step.inputs:
            settled = await self._settle(ref, plan.caller)
            if settled is None:
                message = "must be a public https address of a picture, or the id of a picture you uploaded"
                faults.append(Fault(_place(ref, step, plan), message))
            elif (reason := await self._misfit(settled, step.candidates[0])) is not None:
                faults.append(Fault(_place(ref, step, plan), reason))
            else:
                refs.append(settled)
        named = plan.input["chain_models"][f"{step.key}_model"]
        step = await self._with_fitting_spares(replace(step, inputs=tuple(refs)), named, faults, warnings)
        warnings += await self._advice(step)
        return step

    async def _with_fitting_spares(
        self, step: PlannedStep, named: object, faults: list[Fault], warnings: list[str]
    ) -> PlannedStep:
        """What stands in for the first model has to take the stored pictures too, as many as it gets."""
        for number, spare in enumerate(step.candidates[1:], start=1):
            given = step.inputs[: max(spare.pictures - len(step.takes), 0)]
            reasons = [reason for ref in given if (reason := await self._misfit(ref, spare)) is not None]
            if reasons and isinstance(named, list):
                message = f"names a model that can't take the picture: it {reasons[0]}; leave this model out"
                faults.append(Fault(("input", "chain_models", f"{step.key}_model", number), message))
            elif reasons:
                warnings.append(f"{spare.model} is left out as a fallback: the picture {reasons[0]}")
                step = without(step, spare)
        return step

    async def _advice(self, step: PlannedStep) -> Iterable[str]:
        stored = [await self.assets.facts(ref.asset) for ref in step.inputs if ref.asset is not None]
        return advice_on(step, [Picture.of(facts) for facts in stored if facts is not None], self.models)

    async def _misfit(self, ref: InputRef, candidate: Candidate) -> str | None:
        """Of a stored picture all is known: what no copy of it can mend is refused before anything is paid."""
        card = self.models.get(candidate.model)
        facts = await self.assets.facts(ref.asset) if ref.asset is not None else None
        if card is None or facts is None:
            return None
        if candidate.input_forms == (InputForm.URL,) and not self.providers_reach_us:
            return f"must be a public https address: {candidate.model} fetches it, and it can't reach this server"
        reason = misfit(facts, card.pictures)
        return None if reason is None else f"can't be used with {candidate.model}: {reason}"

    async def _settle(self, ref: InputRef, caller: str) -> InputRef | None:
        text = ref.url or ""
        asset = self.links.asset_of(text)
        if asset is None and _ASSET_ID.fullmatch(text):
            asset = text
        if asset is not None and not await self.assets.is_granted(asset, caller):
            return None
        if asset is not None:
            facts = await self.assets.facts(asset)
            return InputRef(asset=asset) if facts is not None and facts.type.startswith("image/") else None
        return ref if _is_web_address(text) else None


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise RequestError("An input picture can't be used.", code="invalid_chain_input", faults=without_keys(faults))


def _place(ref: InputRef, step: PlannedStep, plan: ChainPlan) -> Path:
    """Where the caller has named this picture: a start picture stands beside the steps' parameters, or in them."""
    named = (path for path, text in _strings(plan.input, ("input",)) if text == ref.url)
    return next(named, ("input", f"{step.key}_params"))


def _is_web_address(text: str) -> bool:
    return text.strip().lower().startswith(("http://", "https://"))


def _strings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    todo: list[tuple[Path, Any]] = [(path, value)]
    while todo:
        here, node = todo.pop()
        if isinstance(node, str):
            yield here, node
        elif isinstance(node, dict):
            todo.extend(((*here, key), child) for key, child in node.items())
        elif isinstance(node, list):
            todo.extend(((*here, index), child) for index, child in enumerate(node))
