"""Copies of stored pictures, made to fit a model. They are assets themselves, so that they have an address too."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from tempfile import TemporaryFile
from typing import BinaryIO

from domain.errors import OutputInvalid, Refused
from domain.fitting import Copy, Unfit
from domain.media import AssetFacts, MediaKind
from storage.asset_ids import extension_of
from storage.assets import Assets
from storage.decoder import decode

_WALL_SECONDS = 15.0
"""Less than a submit has to prepare itself (`activities.fence.PREPARATION`)."""

_AT_ONCE = 2
_REMEMBERED = 1000
_CHUNK = 256 * 1024


class Scaler:
    def __init__(self, assets: Assets, *, seconds: float = _WALL_SECONDS) -> None:
        self._assets = assets
        self._seconds = seconds
        # A refused submit comes again and again, and would have the same copy made each time.
        self._made: OrderedDict[tuple[str, Copy], AssetFacts] = OrderedDict()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def copy(self, asset_id: str, copy: Copy) -> AssetFacts:
        """The stored copy. Unfit where none can be made; Refused where the machine was too busy."""
        async with self._turns:
            known = self._made.get((asset_id, copy))
            if known is None or await self._assets.facts(known.id) is None:
                known = await self._make(asset_id, copy)
                self._made[asset_id, copy] = known
                if len(self._made) > _REMEMBERED:
                    self._made.popitem(last=False)
        return known

    async def _make(self, asset_id: str, copy: Copy) -> AssetFacts:
        with TemporaryFile() as file, TemporaryFile() as answer:
            async for chunk in self._assets.stream(asset_id):
                await asyncio.to_thread(file.write, chunk)
            file.seek(0)
            if not await self._draw(file, answer, asset_id, copy):
                raise Unfit("The input picture can't be decoded, and would have to be adapted to this model.")
            answer.seek(0)
            try:
                return await self._assets.add(
                    _chunks(answer), limit=copy.most_bytes, kinds=frozenset({MediaKind.IMAGE})
                )
            except OutputInvalid as error:
                raise Unfit("The adapted copy of the input picture is damaged.") from error

    async def _draw(self, file: BinaryIO, answer: BinaryIO, asset_id: str, copy: Copy) -> bool:
        order = (copy.width, copy.height, copy.type, copy.most_bytes, copy.least_side, int(copy.opaque))
        arguments = (extension_of(asset_id), *map(str, order))
        try:
            return await decode("storage.scaling_process", *arguments, file=file, answer=answer, seconds=self._seconds)
        except TimeoutError as error:
            raise Refused("The input picture was not adapted in time.", retry_after=5.0) from error


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, _CHUNK):
        yield chunk
