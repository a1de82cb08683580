"""How an input picture travels to a provider: by address where the provider can reach us, else as its bytes."""

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from domain.errors import StepError
from domain.media import InputFile, InputForm, InputRef, MediaKind
from net.download import download
from storage.assets import Assets
from storage.links import AssetLinks

_MOST_BYTES = 20 * 1024 * 1024


class InputMissing(StepError):
    code = "chain_step_params_failed"


@dataclass(frozen=True)
class InputFiles:
    http: httpx.AsyncClient
    assets: Assets
    links: AssetLinks
    providers_reach_us: bool

    async def prepare(self, refs: tuple[InputRef, ...], accepts: tuple[InputForm, ...]) -> tuple[InputFile, ...]:
        return tuple([await self._prepare(ref, accepts) for ref in refs])

    async def _prepare(self, ref: InputRef, accepts: tuple[InputForm, ...]) -> InputFile:
        if ref.asset is None:
            return await self._from_outside(ref.url or "", accepts)
        facts = await self.assets.facts(ref.asset)
        if facts is None:
            raise InputMissing("The input picture is no longer stored.")
        if self.providers_reach_us and InputForm.URL in accepts:
            return InputFile(url=self.links.url(ref.asset, utc_now()), media_type=facts.type)
        return InputFile(data=await self.assets.read(ref.asset), media_type=facts.type)

    async def _from_outside(self, url: str, accepts: tuple[InputForm, ...]) -> InputFile:
        """A caller's own address is handed on as it is, unless the model takes bytes alone."""
        if InputForm.URL in accepts:
            return InputFile(url=url)
        async with download(self.http, url, max_bytes=_MOST_BYTES, timeout=60.0) as chunks:
            facts = await self.assets.add(chunks, limit=_MOST_BYTES, kinds=frozenset({MediaKind.IMAGE}))
        return InputFile(data=await self.assets.read(facts.id), media_type=facts.type)


def utc_now() -> datetime:
    return datetime.now(UTC)
