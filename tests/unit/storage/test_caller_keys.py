"""Caller keys and callback secrets in the database: what is kept, what outlives a rotation, what does not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import ConflictError, RequestError, SetupError
from storage.callers import Callers
from storage.database import open_database, upgrade
from storage.keys import KeyStore, NewKey, hash_key

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW = NewKey("alice", "laptop", frozenset({"chains:run", "chains:read"}), None, 5, 700)
DEFAULT = "the-deployments-secret"


@dataclass
class Store:
    keys: KeyStore
    callers: Callers
    foreign: Callers
    """Of a process with another BABYCHAIN_SECRET."""
    folder: Path

    def holds(self, text: str) -> bool:
        return any(text.encode() in file.read_bytes() for file in self.folder.iterdir())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path / 'callers.db'}"
    await upgrade(url)
    engine = open_database(url)
    ours, theirs = [Callers(engine, secret=secret, default_secret=DEFAULT) for secret in ("ours", "theirs")]
    yield Store(KeyStore(engine), ours, theirs, tmp_path)
    await engine.dispose()


async def test_a_key_is_kept_as_its_hash_and_twelve_characters(store: Store) -> None:
    made = await store.keys.create(NEW, now=NOW)
    assert await store.keys.listed("alice") == [made.stored]
    assert made.stored.hash == hash_key(made.key)
    assert made.key.startswith(made.stored.prefix)
    assert len(made.key) > 40
    assert store.holds(made.stored.prefix)
    assert not store.holds(made.key[:13])


async def test_keys_are_listed_by_caller_the_newest_first(store: Store) -> None:
    made = [await store.keys.create(NEW, now=NOW + DAY * day) for day in range(3)]
    await store.keys.create(replace(NEW, caller="bob"), now=NOW)
    assert [key.id for key in await store.keys.listed("alice")] == [key.stored.id for key in reversed(made)]
    assert len(await store.keys.listed()) == 4


async def test_a_rotated_key_keeps_caller_and_rights_and_the_old_one_works_through_the_overlap(store: Store) -> None:
    old = await store.keys.create(NEW, now=NOW)
    new = await store.keys.rotate(old.stored.id, now=NOW + DAY, overlap=HOUR)
    assert new.key != old.key
    assert (new.stored.caller, new.stored.scopes) == (NEW.caller, NEW.scopes)
    assert (new.stored.creates_per_minute, new.stored.reads_per_minute) == (5, 700)
    live = [key.id for key in await store.keys.live(NOW + DAY + HOUR / 2)]
    assert live == [new.stored.id, old.stored.id]
    assert [key.id for key in await store.keys.live(NOW + DAY + HOUR)] == [new.stored.id]


async def test_a_rotation_keeps_a_keys_lifetime_and_does_not_lengthen_the_old_one(store: Store) -> None:
    old = await store.keys.create(replace(NEW, expires_at=NOW + DAY), now=NOW)
    new = await store.keys.rotate(old.stored.id, now=NOW + DAY / 2, overlap=DAY)
    assert new.stored.expires_at == NOW + DAY / 2 + DAY
    kept = {key.id: key.expires_at for key in await store.keys.listed()}
    assert kept[old.stored.id] == NOW + DAY


async def test_of_rotations_at_once_one_succeeds(store: Store) -> None:
    made = await store.keys.create(NEW, now=NOW)
    attempts = [store.keys.rotate(made.stored.id, now=NOW, overlap=HOUR) for _ in range(5)]
    done = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(one, ConflictError) for one in done) == 4
    assert len(await store.keys.listed()) == 2


async def test_a_revoked_key_is_dead_for_good(store: Store) -> None:
    made = await store.keys.create(NEW, now=NOW)
    first = await store.keys.revoke(made.stored.id, now=NOW)
    assert await store.keys.revoke(made.stored.id, now=NOW + DAY) == first
    assert await store.keys.live(NOW) == []
    with pytest.raises(ConflictError) as caught:
        await store.keys.rotate(made.stored.id, now=NOW, overlap=HOUR)
    assert caught.value.reason == "key_not_active"


async def test_an_unknown_key_and_an_unknown_caller_are_said_to_be_unknown(store: Store) -> None:
    for attempt in (
        store.keys.revoke("none", now=NOW),
        store.keys.rotate("none", now=NOW, overlap=HOUR),
        store.callers.set_caps("none", daily=1, monthly=1),
        store.callers.rotate_callback_secret("none", now=NOW, overlap=HOUR),
    ):
        with pytest.raises(RequestError) as caught:
            await attempt
        assert caught.value.reason == "not_found"


async def test_last_use_moves_at_most_once_a_minute(store: Store) -> None:
    made = await store.keys.create(NEW, now=NOW)
    seen = []
    for seconds in (0, 59, 60):
        await store.keys.note_use(made.stored.id, now=NOW + timedelta(seconds=seconds))
        [key] = await store.keys.listed()
        seen.append(key.last_used_at)
    assert seen == [NOW, NOW, NOW + timedelta(minutes=1)]


async def test_caps_belong_to_the_caller_and_not_to_one_key(store: Store) -> None:
    for name in ("one", "two"):
        await store.keys.create(replace(NEW, name=name), now=NOW)
    await store.callers.set_caps("alice", daily=5_000_000, monthly=None)
    await store.keys.create(replace(NEW, name="three"), now=NOW)
    caller = await store.callers.find("alice")
    assert caller is not None
    assert (caller.daily_cap, caller.monthly_cap) == (5_000_000, None)
    assert await store.callers.find("bob") is None


async def test_callers_without_a_secret_of_their_own_have_the_deployments(store: Store) -> None:
    await store.keys.create(NEW, now=NOW)
    assert await store.callers.callback_secrets("alice", now=NOW) == [DEFAULT]
    assert await store.callers.callback_secrets("never-seen", now=NOW) == [DEFAULT]


async def test_a_new_callback_secret_signs_beside_the_old_one_through_the_overlap(store: Store) -> None:
    await store.keys.create(NEW, now=NOW)
    first = await store.callers.rotate_callback_secret("alice", now=NOW, overlap=HOUR)
    assert await store.callers.callback_secrets("alice", now=NOW) == [first, DEFAULT]
    second = await store.callers.rotate_callback_secret("alice", now=NOW + DAY, overlap=HOUR)
    assert await store.callers.callback_secrets("alice", now=NOW + DAY) == [second, first]
    assert await store.callers.callback_secrets("alice", now=NOW + DAY + HOUR) == [second]


async def test_callback_secrets_are_kept_encrypted_and_another_servers_secret_opens_none(store: Store) -> None:
    await store.keys.create(NEW, now=NOW)
    secret = await store.callers.rotate_callback_secret("alice", now=NOW, overlap=HOUR)
    assert not store.holds(secret)
    assert not store.holds(DEFAULT)
    with pytest.raises(SetupError, match=r"'alice'.*BABYCHAIN_SECRET"):
        await store.foreign.callback_secrets("alice", now=NOW)
