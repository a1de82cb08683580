"""A run that was refused after it held its pictures lets go of them, and takes none away."""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore

from api.claims import Claims
from domain.errors import RequestError, UnavailableError
from domain.media import InputRef, MediaKind
from domain.plan import ChainPlan
from storage.asset_uses import UPLOAD, AssetUses
from storage.assets import Assets
from storage.database import open_database
from storage.deletion import Removals
from tests.support.pictures import jpeg
from tests.support.plans import toy_plan


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


@pytest.fixture
async def claims(store: LocalStore, tmp_path: Path) -> AsyncIterator[Claims]:
    database = open_database(f"sqlite:///{tmp_path}/babychain.db")
    yield Claims(Removals(database), AssetUses(store))
    await database.dispose()


async def uploaded(store: LocalStore, words: str) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield jpeg(words)

    facts = await Assets(store).add(chunks(), limit=1_000_000, kinds=frozenset({MediaKind.IMAGE}))
    assert await AssetUses(store).claim(facts.id, UPLOAD)
    return facts.id


async def users(store: LocalStore, asset: str) -> list[str]:
    found = await obstore.list(store, f"uses/{asset.partition('.')[0]}/").collect_async()
    return [use["path"].rpartition("/")[2] for use in found]


def starting_from(*assets: str) -> ChainPlan:
    plan = toy_plan()
    first = replace(plan.steps[0], inputs=tuple(InputRef(asset=asset) for asset in assets))
    return replace(plan, steps=(first, *plan.steps[1:]))


async def test_a_refused_run_holds_no_picture_and_takes_no_old_upload_away(
    claims: Claims, store: LocalStore, tmp_path: Path
) -> None:
    boat, tree = await uploaded(store, "boat"), await uploaded(store, "tree")
    long_ago = time.time() - 30 * 86_400
    os.utime(tmp_path / "uses" / boat.partition(".")[0] / UPLOAD, (long_ago, long_ago))
    await obstore.put_async(store, f"removing/{tree.partition('.')[0]}/another", b"")
    plan = starting_from(boat, tree)
    with pytest.raises(UnavailableError):
        await claims.hold_pictures(plan)
    assert set(await users(store, boat)) == {UPLOAD, plan.run_id}
    await claims.let_go(plan)
    assert await users(store, boat) == await users(store, tree) == [UPLOAD]
    assert await Assets(store).facts(boat) is not None


async def test_the_last_user_of_a_deleted_runs_picture_takes_it_away(claims: Claims, store: LocalStore) -> None:
    boat = await uploaded(store, "boat")
    await obstore.delete_async(store, f"uses/{boat.partition('.')[0]}/{UPLOAD}")
    plan = starting_from(boat)
    await claims.hold_pictures(plan)
    await claims.let_go(plan)
    assert await Assets(store).facts(boat) is None
    with pytest.raises(RequestError):
        await claims.hold_pictures(plan)
