"""Caller keys: who is who, which sets of keys are none, and what the store's keys do while the database is away."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from api.callers import DEAD, FRESH, SCOPES, EnvironmentKeys, Keys, StoreKeys
from domain.errors import AuthError, SetupError, UnavailableError
from storage.database import open_database, upgrade
from storage.keys import KeyStore, NewKey
from tests.support.waiting import eventually

ONE, TWO = "bchn_one_0123456789", "bchn_two_0123456789"
NEW = NewKey("alice", "laptop", frozenset({"chains:read"}))


# ---- keys of the environment ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [f"{ONE},{TWO}", f"{ONE}\n{TWO}", f" {ONE} ,\n\n {TWO},"])
def test_keys_are_split_at_commas_and_lines(text: str) -> None:
    keys = EnvironmentKeys(text)
    one, two = keys.find(ONE), keys.find(TWO)
    assert one and two
    assert one.id != two.id
    assert one.scopes == SCOPES


@pytest.mark.parametrize("text", ["", " , \n", "short", f"{ONE},short", f"{ONE},{ONE[:12]}other", f"{ONE},{ONE}"])
def test_keys_that_cannot_be_told_apart_stop_the_start(text: str) -> None:
    with pytest.raises(SetupError) as caught:
        EnvironmentKeys(text)
    assert ONE not in caught.value.message


def test_a_callers_id_outlives_the_rest_of_the_key_and_does_not_show_it() -> None:
    old, new = [EnvironmentKeys(key).find(key) for key in (ONE, ONE[:12] + "-rotated")]
    assert old
    assert old == new
    assert ONE[:12] not in old.id


# ---- keys of the store ------------------------------------------------------------------------------------------


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Desk:
    """The keys as an API process holds them; the store as another process has it."""

    keys: Keys
    store: KeyStore
    clock: Clock
    file: Path
    queries: list[str]

    async def make(self, new: NewKey = NEW) -> str:
        made = await self.store.create(new, now=datetime.now(UTC))
        return made.key

    async def knows(self, key: str, address: str = "") -> bool:
        try:
            await self.keys.authenticate(f"Bearer {key}", address)
        except AuthError:
            return False
        return True

    def break_database(self) -> None:
        for file in (self.file, self.file.with_name(f"{self.file.name}-wal")):
            file.write_bytes(b"no database" * 1000)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    file = tmp_path / "keys.db"
    await upgrade(f"sqlite:///{file}")
    ours, theirs = open_database(f"sqlite:///{file}"), open_database(f"sqlite:///{file}")
    clock = Clock()
    held = StoreKeys(KeyStore(ours), clock)
    yield Desk(Keys(EnvironmentKeys(ONE), held), KeyStore(theirs), clock, file, _statements(ours))
    await held.aclose()
    await ours.dispose()
    await theirs.dispose()


def _statements(engine: AsyncEngine) -> list[str]:
    """Those that an engine sends to its database from now on."""
    sent: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    return sent


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", f"bearer {ONE}", f"Token {ONE}", ONE])
async def test_a_header_without_a_bearer_key_is_a_missing_key(desk: Desk, header: str | None) -> None:
    with pytest.raises(AuthError) as caught:
        await desk.keys.authenticate(header)
    assert caught.value.reason == "missing_api_key"
    assert desk.queries == []


@pytest.mark.parametrize("key", [TWO, ONE[:-1], ONE + "x", ONE.upper(), f" {ONE}", "\ud800", "🛶"])
async def test_another_key_is_an_invalid_key(desk: Desk, key: str) -> None:
    with pytest.raises(AuthError) as caught:
        await desk.keys.authenticate(f"Bearer {key}")
    assert caught.value.reason == "invalid_api_key"


async def test_a_key_of_the_store_brings_its_caller_scopes_and_limits(desk: Desk) -> None:
    key = await desk.make(NewKey("bob", "", frozenset({"chains:run"}), None, 5, 7))
    caller = await desk.keys.authenticate(f"Bearer {key}")
    assert (caller.id, caller.scopes) == ("bob", frozenset({"chains:run"}))
    assert (caller.creates_per_minute, caller.reads_per_minute) == (5, 7)
    [stored] = await desk.store.listed()
    assert caller.key == stored.id


async def test_a_key_made_elsewhere_works_at_once(desk: Desk) -> None:
    assert not await desk.knows("bchn_wrong")
    assert await desk.knows(await desk.make())


async def test_requests_cost_no_query_while_the_picture_is_fresh(desk: Desk) -> None:
    key = await desk.make()
    assert await desk.knows(key)
    before = len(desk.queries)
    desk.clock.now += FRESH - 0.1
    await asyncio.gather(*(desk.knows(key) for _ in range(50)))
    assert [query for query in desk.queries[before:] if query.startswith("SELECT")] == []


async def test_a_flood_of_wrong_keys_from_everywhere_costs_two_queries_a_second(desk: Desk) -> None:
    for second in range(100):
        desk.clock.now += 0.1
        tries = [(f"bchn_wrong_{number}", f"10.0.{second}.{number}") for number in range(20)]
        await asyncio.gather(*(desk.knows(key, address) for key, address in tries))
    # Ten at once, and two in each of ten seconds.
    assert 20 <= len([query for query in desk.queries if query.startswith("SELECT")]) <= 32


async def test_a_key_revoked_elsewhere_is_dead_within_five_seconds(desk: Desk) -> None:
    key = await desk.make()
    assert await desk.knows(key)
    [stored] = await desk.store.listed()
    await desk.store.revoke(stored.id, now=datetime.now(UTC))
    desk.clock.now += FRESH + 0.1
    assert not await desk.knows(key)


async def test_a_key_is_dead_at_the_moment_it_expires_whatever_is_held(desk: Desk) -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=300)
    key = await desk.make(NewKey("alice", "", SCOPES, soon))
    assert await desk.knows(key)

    async def known() -> bool:
        return await desk.knows(key)

    # The picture's own clock stands still, so nothing is read again.
    await eventually(known, lambda alive: not alive)


async def test_without_the_database_what_is_held_counts_for_five_seconds_and_no_longer(desk: Desk) -> None:
    key = await desk.make()
    assert await desk.knows(key)
    desk.break_database()
    desk.clock.now += DEAD - 0.01
    assert await desk.knows(key)
    desk.clock.now += 0.02
    with pytest.raises(UnavailableError) as caught:
        await desk.knows(key)
    assert caught.value.reason == "database_unreachable"


async def test_without_the_database_the_environments_keys_work(desk: Desk) -> None:
    desk.break_database()
    assert await desk.knows(ONE)
    with pytest.raises(UnavailableError):
        await desk.knows("bchn_unknown")


async def test_the_last_use_is_noted_once_a_minute(desk: Desk) -> None:
    key = await desk.make()
    for _ in range(5):
        assert await desk.knows(key)
        desk.clock.now += FRESH + 0.1
    await desk.keys.store.aclose()
    assert len([query for query in desk.queries if query.startswith("UPDATE")]) == 1
    [stored] = await desk.store.listed()
    assert stored.last_used_at is not None
