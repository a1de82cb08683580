"""Bring in what a job made: provider links die within minutes, so the files become ours before the step succeeds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx

from activities.calls import AttemptRef, Collected
from domain.errors import UnexpectedResponse
from domain.media import MediaKind
from domain.provider import Output, Succeeded
from net.download import LinkExpired, download
from storage.asset_uses import AssetUses
from storage.assets import Assets

_LIMITS = {MediaKind.IMAGE: 64 * 1024 * 1024, MediaKind.VIDEO: 1024 * 1024 * 1024}
_DOWNLOAD_SECONDS = 300.0
_BEAT_SECONDS = 5.0

Beat = Callable[[], None]
LookAgain = Callable[[], Awaitable[Succeeded | None]]


@dataclass(frozen=True)
class Outputs:
    http: httpx.AsyncClient
    assets: Assets
    uses: AssetUses

    async def bring_in(
        self, of: AttemptRef, kind: MediaKind, done: Succeeded, beat: Beat, look_again: LookAgain | None = None
    ) -> Collected:
        """Store every output under its hash. A link that has died is asked for once more."""
        async with _alive(beat):
            try:
                stored = await self._store_all(of, kind, done.outputs)
            except LinkExpired:
                fresh = await look_again() if look_again else None
                if fresh is None:
                    raise
                done = replace(done, outputs=fresh.outputs)
                stored = await self._store_all(of, kind, done.outputs)
        if not stored:
            raise UnexpectedResponse(f"{of.provider} says the job succeeded, and names no output.")
        sources = tuple(output.url for output in done.outputs)
        return Collected(assets=stored, sources=sources, cost=done.cost, metadata=done.metadata)

    async def _store_all(self, of: AttemptRef, kind: MediaKind, outputs: tuple[Output, ...]) -> tuple[str, ...]:
        stored = []
        for output in outputs:
            async with download(self.http, output.url, max_bytes=_LIMITS[kind], timeout=_DOWNLOAD_SECONDS) as chunks:
                facts = await self.assets.add(chunks, limit=_LIMITS[kind], kinds=frozenset({kind}))
            await self.assets.grant(facts.id, of.caller)
            # Kept by name: where the attempt comes to nothing after this, no step says that the run had this file.
            await self.uses.keep(facts.id, of.run_id)
            stored.append(facts.id)
        return tuple(stored)


@asynccontextmanager
async def _alive(beat: Beat) -> AsyncIterator[None]:
    """Beat by the clock: a large file takes long to come, and as long again to be put into a bucket."""

    async def go_on() -> None:
        while True:
            beat()
            await asyncio.sleep(_BEAT_SECONDS)

    beats = asyncio.create_task(go_on())
    try:
        yield
    finally:
        beats.cancel()
