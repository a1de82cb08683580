"""The media we keep, each file under the hash of its bytes.

For every asset the store holds `<id>` (the bytes as they came), then `<id>.json` (the facts). Facts are written last,
so whoever finds them finds a whole file. Both writes are atomic: buckets are by nature, and in a folder obstore
writes `<name>#1` and renames it. Writing the same bytes twice changes nothing, so every step here may be repeated.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import TYPE_CHECKING, BinaryIO, Self, cast

import obstore
from obstore.store import ObjectStore

from domain.errors import RequestError, UnavailableError
from domain.media import AssetFacts, MediaKind
from storage.asset_ids import hash_of, is_asset_id
from storage.blobs import answering_store, open_store
from storage.measure import measure
from storage.spool import Spool

if TYPE_CHECKING:
    from obstore import GetOptions  # exists for type checkers only

_CHUNK = 256 * 1024
# Walking a small file takes less time than handing it to a thread.
_INLINE = 256 * 1024


class AssetMissing(RequestError):
    code = "asset_not_found"


class Assets:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def open(cls, url: str) -> Self:
        """From `BABYCHAIN_ASSETS_URL`; see `open_store`."""
        return cls(open_store(url))

    async def add(self, chunks: AsyncIterator[bytes], *, limit: int, kinds: frozenset[MediaKind]) -> AssetFacts:
        """Take a file in. OutputInvalid names why it is no whole media of these kinds; nothing is kept then."""
        with Spool(limit) as spool:
            async for chunk in chunks:
                await spool.write(chunk)
            sha256 = await spool.finish()
            file = cast("BinaryIO", spool.file)
            if spool.size <= _INLINE:
                facts = measure(file, spool.size, sha256, kinds)
            else:
                facts = await asyncio.to_thread(measure, file, spool.size, sha256, kinds)
            if not await self._has(facts):
                file.seek(0)
                with answering_store():
                    await obstore.put_async(self._store, facts.id, file.read() if spool.is_in_memory else file)
                await self._put(f"{facts.id}.json", json.dumps(asdict(facts)).encode())
        return facts

    async def facts(self, asset_id: str) -> AssetFacts | None:
        """None for what was never stored whole, and for text that is no asset id."""
        if not is_asset_id(asset_id):
            return None
        text = await self._get(f"{asset_id}.json")
        return None if text is None else _read_facts(text)

    async def size(self, asset_id: str) -> int | None:
        return await self._length(asset_id) if is_asset_id(asset_id) else None

    async def read(self, asset_id: str) -> bytes:
        """All bytes, held against the hash in their name: a damaged disk must not reach a paid job."""
        data = await self._get(asset_id) if is_asset_id(asset_id) else None
        if data is None:
            raise AssetMissing("There is no such asset.")
        if hashlib.sha256(data).hexdigest() != hash_of(asset_id):
            raise UnavailableError(f"The stored asset {asset_id!r} is damaged.", code="asset_damaged")
        return data

    async def stream(self, asset_id: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`, which must lie inside the file."""
        if not is_asset_id(asset_id):
            raise AssetMissing("There is no such asset.")
        options: GetOptions = {"range": {"offset": start} if end is None else (start, end)}
        try:
            with answering_store():
                found = await obstore.get_async(self._store, asset_id, options=options)
                async for chunk in found.stream(min_chunk_size=_CHUNK):
                    yield chunk
        except FileNotFoundError as error:
            raise AssetMissing("There is no such asset.") from error

    async def grant(self, asset_id: str, caller: str) -> None:
        """Remember that this caller may use this asset. Equal bytes of two callers are one asset with two grants."""
        if not is_asset_id(asset_id):
            raise AssetMissing("There is no such asset.")
        await self._put(_grant(asset_id, caller), b"")

    async def is_granted(self, asset_id: str, caller: str) -> bool:
        return is_asset_id(asset_id) and await self._length(_grant(asset_id, caller)) is not None

    async def kept_poster(self, asset_id: str) -> bytes | None:
        """The asset's poster once it was made; empty bytes when it was tried in vain."""
        return await self._get(_poster(asset_id)) if is_asset_id(asset_id) else None

    async def keep_poster(self, asset_id: str, picture: bytes) -> None:
        if not is_asset_id(asset_id):
            raise AssetMissing("There is no such asset.")
        await self._put(_poster(asset_id), picture)

    async def _has(self, facts: AssetFacts) -> bool:
        """Known, and of the right length: a file that a power cut left empty is written again."""
        return await self.facts(facts.id) == facts and await self._length(facts.id) == facts.bytes

    async def _put(self, name: str, data: bytes) -> None:
        with answering_store():
            await obstore.put_async(self._store, name, data)

    async def _get(self, name: str) -> bytes | None:
        try:
            with answering_store():
                found = await obstore.get_async(self._store, name)
                return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None

    async def _length(self, name: str) -> int | None:
        try:
            with answering_store():
                return (await obstore.head_async(self._store, name))["size"]
        except FileNotFoundError:
            return None


def _grant(asset_id: str, caller: str) -> str:
    return f"grants/{hash_of(asset_id)}/{hashlib.sha256(caller.encode()).hexdigest()}"


def _poster(asset_id: str) -> str:
    return f"{asset_id}.poster.webp"


def _read_facts(text: bytes) -> AssetFacts | None:
    try:
        return AssetFacts(**json.loads(text))
    except (ValueError, TypeError):
        return None
