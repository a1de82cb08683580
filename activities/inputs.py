"""How an input picture travels to a provider: made to fit, and by address where it can reach us, else as bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import httpx

from domain.errors import InputRejected, OutputInvalid, StepError
from domain.fitting import PNG, Picture, Unfit, describe, fit
from domain.media import ANY_PICTURE, AssetFacts, InputFile, InputForm, InputRef, MediaKind, PictureLimits
from net.download import download
from storage.assets import Assets
from storage.links import AssetLinks
from storage.pictures import has_alpha
from storage.scaling import Scaler

_MOST_BYTES = 20 * 1024 * 1024
_LONGEST_NOTE = 300
"""It stands in the memo of the run, which has to stay small."""


class InputMissing(StepError):
    code = "chain_step_params_failed"


@dataclass(frozen=True)
class HandedOn:
    """Input pictures as an adapter takes them, and one sentence on how they were made to fit."""

    files: tuple[InputFile, ...]
    adapted: str | None = None
    made: tuple[str, ...] = ()
    """Assets that came to be on the way: copies, and what was fetched from a caller's address."""


@dataclass
class InputFiles:
    http: httpx.AsyncClient
    assets: Assets
    links: AssetLinks
    providers_reach_us: bool
    limits: Mapping[str, PictureLimits] = field(default_factory=dict)
    """What pictures each model takes, by the model's public id."""

    def __post_init__(self) -> None:
        self._scaler = Scaler(self.assets)

    async def hand_on(
        self, model: str, refs: tuple[InputRef, ...], forms: tuple[InputForm, ...], as_of: datetime
    ) -> HandedOn:
        """The stored pictures stay as they are: a model that takes less gets a copy. Links are those of `as_of`."""
        limits = self._shared(self.limits.get(model, ANY_PICTURE), forms, len(refs))
        files, notes = [], []
        made: list[str] = []
        for number, ref in enumerate(refs, start=1):
            file, note = await self._hand_on(ref, forms, limits, made, as_of)
            files.append(file)
            if note is not None:
                notes.append(f"picture {number}: {note}" if len(refs) > 1 else note)
        return HandedOn(tuple(files), "; ".join(notes)[:_LONGEST_NOTE] or None, tuple(made))

    def _shared(self, limits: PictureLimits, forms: tuple[InputForm, ...], pictures: int) -> PictureLimits:
        """Pictures that travel inside the request share what it may hold."""
        if limits.together is None or not pictures or (InputForm.URL in forms and self.providers_reach_us):
            return limits
        share = limits.together // pictures
        return replace(limits, bytes=min(limits.bytes or share, share))

    async def _hand_on(
        self,
        ref: InputRef,
        forms: tuple[InputForm, ...],
        limits: PictureLimits,
        made: list[str],
        as_of: datetime,
    ) -> tuple[InputFile, str | None]:
        if ref.asset is None and InputForm.URL in forms:
            # A caller's own address goes on as it is: what is behind it is the provider's to look at.
            return InputFile(url=ref.url), None
        facts = await (self._fetched(ref.url or "") if ref.asset is None else self._stored(ref.asset))
        fitted, note = await self._fitted(facts, limits)
        made += dict.fromkeys(asset for asset in (facts.id, fitted.id) if asset != ref.asset)
        if ref.asset is not None and InputForm.URL in forms and self.providers_reach_us:
            return InputFile(url=self.links.url(fitted.id, as_of), media_type=fitted.type), note
        if forms == (InputForm.URL,) and ref.source is not None:
            return self._at_its_maker(ref.source, facts, fitted), note
        return InputFile(data=await self.assets.read(fitted.id), media_type=fitted.type), note

    def _at_its_maker(self, source: str, facts: AssetFacts, fitted: AssetFacts) -> InputFile:
        """The next provider fetches pictures and can't reach us: the one who made it still serves it for a while."""
        if fitted.id != facts.id:
            raise Unfit(
                "The model fetches its input picture, which has to be adapted first, and it can't reach this server: "
                "set BABYCHAIN_PUBLIC_URL, or ask the step before for a size that fits."
            )
        return InputFile(url=source, media_type=facts.type)

    async def _stored(self, asset: str) -> AssetFacts:
        facts = await self.assets.facts(asset)
        if facts is None:
            raise InputMissing("The input picture is no longer stored.")
        return facts

    async def _fetched(self, url: str) -> AssetFacts:
        """From a caller's own address, for a model that takes bytes alone."""
        try:
            async with download(self.http, url, max_bytes=_MOST_BYTES, timeout=60.0) as chunks:
                return await self.assets.add(chunks, limit=_MOST_BYTES, kinds=frozenset({MediaKind.IMAGE}))
        except OutputInvalid as error:
            raise InputRejected(
                f"The input picture can't be used: {error.message}", code=InputMissing.code, facts=error.facts
            ) from error

    async def _fitted(self, facts: AssetFacts, limits: PictureLimits) -> tuple[AssetFacts, str | None]:
        is_seen = limits.opaque_png and facts.type == PNG
        before = Picture.of(facts, has_alpha=is_seen and has_alpha(await self.assets.read(facts.id)))
        copy = fit(before, limits)
        if copy is None:
            return facts, None
        made = await self._scaler.copy(facts.id, copy)
        after = Picture.of(made, has_alpha=before.has_alpha and not copy.opaque)
        if fit(after, limits) is not None:
            raise Unfit(f"No copy of the input picture fits this model: {describe(before, after)} is not enough.")
        return made, describe(before, after)
