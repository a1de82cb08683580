"""An address that tries many keys: told to wait, kept from the database, forgotten in time, and alone in that."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from api.callers import FRESH, EnvironmentKeys, Keys, StoreKeys
from api.local_windows import LocalWindows
from api.wrong_keys import WrongKeys
from domain.errors import AuthError, LimitError
from storage.database import open_database, upgrade
from storage.keys import KeyStore, NewKey

ENVIRONMENT_KEY = "bchn_environment_0123456789"
HERE, THERE = "198.51.100.1", "198.51.100.2"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def refused(wrong: WrongKeys, count: int, address: str = HERE) -> int:
    """How many of so many wrong keys are answered with a wait."""
    return sum(_is_refused(wrong, address) for _ in range(count))


def _is_refused(wrong: WrongKeys, address: str) -> bool:
    try:
        wrong.count(address)
    except LimitError:
        return True
    return False


def test_an_address_has_so_many_wrong_keys_in_any_minute() -> None:
    clock = Clock()
    wrong = WrongKeys(clock, a_minute=5)
    assert refused(wrong, 8) == 3
    assert refused(wrong, 5, THERE) == 0
    clock.now += 61
    assert refused(wrong, 5) == 0


def test_it_is_told_by_the_contract_when_to_come_again() -> None:
    clock = Clock()
    wrong = WrongKeys(clock, a_minute=1)
    wrong.count(HERE)
    clock.now += 20
    with pytest.raises(LimitError) as caught:
        wrong.count(HERE)
    assert caught.value.reason == "rate_limited"
    assert caught.value.retry_after == pytest.approx(40, abs=1)
    assert caught.value.facts.keys() == {"limit", "remaining", "reset"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.1", HERE, True),
        ("::ffff:198.51.100.1", "::ffff:198.51.100.2", False),
        ("no:address" * 50, "no:address" * 60, True),
        ("", HERE, False),
    ],
)
def test_addresses_that_one_guesser_has_count_as_one(one: str, other: str, same: bool) -> None:
    wrong = WrongKeys(a_minute=1)
    assert refused(wrong, 1, one) == 0
    assert wrong.are_too_many(other) is same


def test_of_very_many_addresses_the_oldest_are_forgotten() -> None:
    windows = LocalWindows(most=3)
    for address in ("a", "b", "c", "a", "d"):
        windows.hit("any", address, 1)
    assert [windows.is_full("any", address, 1) for address in "abcd"] == [True, False, True, True]


# ---- with the keys ----------------------------------------------------------------------------------------------


@dataclass
class Desk:
    keys: Keys
    store: KeyStore
    clock: Clock
    queries: list[str]

    async def answer(self, key: str, address: str = HERE) -> str:
        try:
            await self.keys.authenticate(f"Bearer {key}", address)
        except (AuthError, LimitError) as error:
            return error.reason
        return "welcome"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    await upgrade(url)
    engine = open_database(url)
    sent: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    clock = Clock()
    held = StoreKeys(KeyStore(engine), clock)
    yield Desk(Keys(EnvironmentKeys(ENVIRONMENT_KEY), held, WrongKeys(a_minute=3)), KeyStore(engine), clock, sent)
    await held.aclose()
    await engine.dispose()


async def test_whoever_has_guessed_too_often_asks_the_database_nothing_and_right_keys_go_on(desk: Desk) -> None:
    made = await desk.store.create(NewKey("alice", "", frozenset({"chains:read"})), now=datetime.now(UTC))
    assert await desk.answer(made.key) == "welcome"
    assert [await desk.answer("bchn_wrong") for _ in range(3)] == ["invalid_api_key"] * 3
    before = len(desk.queries)
    assert {await desk.answer(f"bchn_wrong_{number}") for number in range(50)} == {"rate_limited"}
    assert [await desk.answer(key) for key in (made.key, ENVIRONMENT_KEY)] == ["welcome"] * 2
    assert desk.queries[before:] == []
    assert await desk.answer("bchn_wrong", THERE) == "invalid_api_key"


async def test_a_key_made_since_works_there_once_the_keys_are_read_anew(desk: Desk) -> None:
    for _ in range(5):
        await desk.answer("bchn_wrong")
    made = await desk.store.create(NewKey("alice", "", frozenset({"chains:read"})), now=datetime.now(UTC))
    assert await desk.answer(made.key, THERE) == "welcome"
    desk.clock.now += FRESH + 0.1
    assert await desk.answer(made.key) == "welcome"


async def test_a_missing_key_is_no_guess(desk: Desk) -> None:
    for _ in range(5):
        with pytest.raises(AuthError):
            await desk.keys.authenticate(None, HERE)
    assert await desk.answer("bchn_wrong") == "invalid_api_key"
