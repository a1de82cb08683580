"""Who uses an asset, so that deleting one run never takes a picture away from another.

The rule: an asset lives while somebody uses it. A use is an object `uses/<hash>/<run id>` beside the asset. A run
claims what it is given before it starts and what it made before the step counts as succeeded, and lets go only when
it is deleted or its media are swept. A fresh upload counts as used for a day, for the run it was made for.

Claiming and removing may meet. Who removes first puts up `removing/<hash>/<run id>` and then looks for uses; who
claims first writes the use and then looks for that mark. So at least one of the two sees the other, whatever the
order: either the removal keeps its hands off, or the claim fails and is repeated.

A removal that is cut off leaves its mark. So a removal has a minute, and a mark counts for five: the first claim after
that takes it away. Both times are the store's, so no clock of ours can make a living removal look old.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import obstore
from obstore.store import ObjectStore

from domain.errors import UnavailableError
from storage.asset_ids import hash_of, is_asset_id
from storage.blobs import answering_store, open_store

if TYPE_CHECKING:
    from obstore import ObjectMeta  # exists for type checkers only

UPLOAD = "upload"
UPLOAD_COUNTS = timedelta(hours=24)
MARK_COUNTS = timedelta(minutes=5)

_REMOVAL_SECONDS = 60.0


class AssetUses:
    def __init__(self, store: ObjectStore, *, removal_seconds: float = _REMOVAL_SECONDS) -> None:
        self._store = store
        self._removal_seconds = removal_seconds

    @classmethod
    def open(cls, url: str) -> Self:
        """From `BABYCHAIN_ASSETS_URL`, as the assets themselves."""
        return cls(open_store(url))

    async def claim(self, asset_id: str, user: str) -> bool:
        """Hold the asset for a run, or for `UPLOAD`. False: it is not there any more, and must be brought again.

        UnavailableError while it is being removed: a repeat, a moment later, knows more.
        """
        digest = hash_of(asset_id)
        with answering_store():
            await obstore.put_async(self._store, f"uses/{digest}/{user}", b"")
        if await self._is_being_removed(digest, f"uses/{digest}/{user}"):
            raise UnavailableError("The asset is just being removed.", code="asset_busy", retry_after=1.0)
        return await self._exists(f"{asset_id}.json")

    async def keep(self, asset_id: str, run_id: str) -> None:
        """Hold an asset that came to be on a run's way, and remember that it goes with that run."""
        with answering_store():
            await obstore.put_async(self._store, f"kept/{run_id}/{asset_id}", b"")
        if not await self.claim(asset_id, run_id):
            raise UnavailableError("The asset was removed while it was made.", code="asset_busy", retry_after=1.0)

    async def release_kept(self, run_id: str, now: datetime | None = None) -> None:
        """Let go of all that came to be on the run's way. Safe to repeat."""
        for name in await self._names(f"kept/{run_id}/"):
            await self.release(name.rpartition("/")[2], run_id, now)
            await self._delete(name)

    async def release(self, asset_id: str, user: str, now: datetime | None = None) -> bool:
        """Let go of the asset, and remove it when nobody else uses it. Whether it is gone. Safe to repeat.

        UnavailableError when that takes too long: what is then left goes with the repeat.
        """
        if not is_asset_id(asset_id):
            return False
        digest = hash_of(asset_id)
        mark = f"removing/{digest}/{user}"
        with answering_store():
            await obstore.put_async(self._store, mark, b"")
        try:
            async with asyncio.timeout(self._removal_seconds):
                await self._delete(f"uses/{digest}/{user}")
                is_used = await self._is_used(digest, now or datetime.now(UTC))
                if not is_used:
                    await self._remove(asset_id)
        except TimeoutError:
            # The mark stays: a request that was cut off may yet take effect.
            said = "The asset store took too long to remove a file."
            raise UnavailableError(said, code="assets_unreachable") from None
        await self._delete(mark)
        return not is_used

    async def _is_being_removed(self, digest: str, use: str) -> bool:
        marks = await self._list(f"removing/{digest}/")
        if not marks:
            return False
        with answering_store():
            now = (await obstore.head_async(self._store, use))["last_modified"]
        left = [mark["path"] for mark in marks if now - mark["last_modified"] > MARK_COUNTS]
        for mark in left:
            # Whoever puts it up again in this moment looks for uses after that, and finds ours.
            await self._delete(mark)
        return len(left) < len(marks)

    async def _is_used(self, digest: str, now: datetime) -> bool:
        uses = await self._list(f"uses/{digest}/")
        return any(not use["path"].endswith(f"/{UPLOAD}") or now - use["last_modified"] < UPLOAD_COUNTS for use in uses)

    async def _remove(self, asset_id: str) -> None:
        """The facts go first, as they came last: whoever still finds them finds a whole file."""
        digest = hash_of(asset_id)
        for name in (f"{asset_id}.json", asset_id, f"{asset_id}.poster.webp", f"uses/{digest}/{UPLOAD}"):
            await self._delete(name)
        for name in await self._names(f"grants/{digest}/"):
            await self._delete(name)

    async def _names(self, prefix: str) -> list[str]:
        return [found["path"] for found in await self._list(prefix)]

    async def _list(self, prefix: str) -> Sequence["ObjectMeta"]:
        with answering_store():
            return await obstore.list(self._store, prefix).collect_async()

    async def _exists(self, name: str) -> bool:
        try:
            with answering_store():
                await obstore.head_async(self._store, name)
        except FileNotFoundError:
            return False
        return True

    async def _delete(self, name: str) -> None:
        try:
            with answering_store():
                await obstore.delete_async(self._store, name)
        except FileNotFoundError:
            pass  # gone already: another removal, or our own first try
