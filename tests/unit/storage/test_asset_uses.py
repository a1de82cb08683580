"""Deleting one run never takes a picture away from another."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore

from domain.errors import UnavailableError
from domain.media import MediaKind
from storage.asset_uses import MARK_COUNTS, UPLOAD, UPLOAD_COUNTS, AssetUses
from storage.assets import Assets
from tests.support.pictures import jpeg

CALLER = "alice"


async def put(assets: Assets, words: str = "boat") -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield jpeg(words)

    facts = await assets.add(chunks(), limit=1_000_000, kinds=frozenset({MediaKind.IMAGE}))
    await assets.grant(facts.id, CALLER)
    await assets.keep_poster(facts.id, b"small")
    return facts.id


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


@pytest.fixture
def assets(store: LocalStore) -> Assets:
    return Assets(store)


@pytest.fixture
def uses(store: LocalStore) -> AssetUses:
    return AssetUses(store)


async def names(store: LocalStore) -> list[str]:
    return [found["path"] for found in await obstore.list(store).collect_async()]


async def test_an_asset_lives_until_its_last_user_lets_go(store: LocalStore, assets: Assets, uses: AssetUses) -> None:
    asset = await put(assets)
    assert await uses.claim(asset, "run-1")
    assert await uses.claim(asset, "run-2")
    assert not await uses.release(asset, "run-1")
    assert await assets.facts(asset) is not None
    assert await uses.release(asset, "run-2")
    assert await assets.facts(asset) is None
    assert await names(store) == [], "bytes, facts, poster, grants and marks are all gone"


async def test_what_came_to_be_on_a_runs_way_goes_with_it_unless_another_run_has_it_too(
    store: LocalStore, assets: Assets, uses: AssetUses
) -> None:
    shared, own = await put(assets, "shared"), await put(assets, "own")
    for asset, run in ((shared, "run-1"), (own, "run-1"), (shared, "run-2")):
        await uses.keep(asset, run)
    for _ in range(2):
        await uses.release_kept("run-1")
    assert await assets.facts(own) is None
    assert await assets.facts(shared) is not None
    await uses.release_kept("run-2")
    assert await names(store) == []


async def test_letting_go_twice_takes_nothing_from_others(assets: Assets, uses: AssetUses) -> None:
    asset = await put(assets)
    await uses.claim(asset, "run-2")
    for _ in range(2):
        assert not await uses.release(asset, "run-1")
    assert await assets.facts(asset) is not None


async def test_a_fresh_upload_is_kept_for_the_run_it_was_made_for(assets: Assets, uses: AssetUses) -> None:
    asset = await put(assets)
    await uses.claim(asset, UPLOAD)
    await uses.claim(asset, "run-1")
    now = datetime.now(UTC)
    assert not await uses.release(asset, "run-1", now)
    assert await uses.release(asset, "run-1", now + UPLOAD_COUNTS + timedelta(minutes=1))


async def test_what_is_gone_can_not_be_claimed(assets: Assets, uses: AssetUses) -> None:
    asset = await put(assets)
    await uses.release(asset, "run-1")
    assert not await uses.claim(asset, "run-2")


async def test_what_is_being_removed_can_not_be_claimed_either(
    store: LocalStore, assets: Assets, uses: AssetUses
) -> None:
    asset = await put(assets)
    await obstore.put_async(store, f"removing/{asset.partition('.')[0]}/run-1", b"")
    with pytest.raises(UnavailableError):
        await uses.claim(asset, "run-2")


async def test_the_mark_of_a_removal_that_was_killed_does_not_shut_the_asset_for_ever(
    store: LocalStore, assets: Assets, uses: AssetUses, tmp_path: Path
) -> None:
    asset = await put(assets)
    digest = asset.partition(".")[0]
    for run, age in (("killed", MARK_COUNTS + timedelta(minutes=1)), ("alive", MARK_COUNTS - timedelta(minutes=1))):
        await obstore.put_async(store, f"removing/{digest}/{run}", b"")
        then = (datetime.now(UTC) - age).timestamp()
        os.utime(tmp_path / "removing" / digest / run, (then, then))
    with pytest.raises(UnavailableError):
        await uses.claim(asset, "run-2")
    await obstore.delete_async(store, f"removing/{digest}/alive")
    assert await uses.claim(asset, "run-2")
    assert [name for name in await names(store) if name.startswith("removing/")] == []


async def test_a_removal_that_takes_too_long_stops_and_is_whole_when_it_is_repeated(
    store: LocalStore, assets: Assets, uses: AssetUses
) -> None:
    asset = await put(assets)
    await uses.claim(asset, "run-1")
    with pytest.raises(UnavailableError):
        await AssetUses(store, removal_seconds=0.0).release(asset, "run-1")
    with pytest.raises(UnavailableError, match="just being removed"):
        await uses.claim(asset, "run-2")
    await uses.release(asset, "run-2")
    assert await uses.release(asset, "run-1")
    assert await names(store) == []


@pytest.mark.parametrize("round_", range(20))
async def test_a_claim_that_was_granted_is_never_broken_by_a_removal(
    assets: Assets, uses: AssetUses, round_: int
) -> None:
    """Whichever is first: a run that was told yes finds its picture, and one that was told no may bring it anew."""
    asset = await put(assets, f"race {round_}")
    await uses.claim(asset, "old")

    async def claim() -> bool:
        try:
            return await uses.claim(asset, "new")
        except UnavailableError:
            return False

    removed, claimed = await asyncio.gather(uses.release(asset, "old"), claim())
    assert (await assets.facts(asset) is not None) == (not removed)
    assert not (removed and claimed)


async def test_a_name_that_is_no_asset_touches_nothing(store: LocalStore, uses: AssetUses) -> None:
    assert not await uses.release("../../etc/passwd", "run-1")
    assert await names(store) == []
