"""Caps that hold when many runs are created at once, and what was spent by day, model and tag."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ledger import AttemptRecord
from storage.archive import Archive, ArchivedRun
from storage.database import open_database
from storage.ledger import ATTEMPTS, RUN_TAGS
from storage.spending import By, Period, Spending

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MIDNIGHT = NOON.replace(hour=0)
TOMORROW = MIDNIGHT + timedelta(days=1)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_database(database_url)
    yield opened
    await opened.dispose()


def attempt(run_id: str, *, at: datetime = NOON, **more: Any) -> AttemptRecord:
    values: dict[str, Any] = {
        "step": "text_to_image", "number": 1, "mode": "byok", "caller": "alice", "template": "chain1", "kind": "image",
        "provider": "bfl", "model": "bfl/flux-2-pro", "outcome": "succeeded", "code": None, "job": None,
        "useful": 30_000, "wasted": 0,
    }  # fmt: skip
    return AttemptRecord(run_id=run_id, started_at=at, ended_at=at, **(values | more))


async def write(engine: AsyncEngine, *attempts: AttemptRecord) -> None:
    async with engine.begin() as connection:
        await connection.execute(insert(ATTEMPTS), [asdict(one) for one in attempts])


async def reserve(spending: Spending, run_id: str, amount: int, cap: int, caller: str = "alice") -> bool:
    expires = NOON + timedelta(hours=2)
    return await spending.reserve(run_id, caller, amount, [Period("day", cap, MIDNIGHT)], NOON, expires) is None


async def test_of_many_at_once_only_as_many_pass_as_the_cap_has_room_for(database_url: str) -> None:
    engines = [open_database(database_url) for _ in range(2)]
    stores = [Spending(engine) for engine in engines]
    taken = await asyncio.gather(*(reserve(stores[n % 2], f"run-{n}", 30, 100) for n in range(12)))
    assert sum(taken) == 3
    for engine in engines:
        await engine.dispose()


async def test_one_callers_cap_is_not_anothers(engine: AsyncEngine) -> None:
    spending = Spending(engine)
    assert await reserve(spending, "one", 100, 100)
    assert not await reserve(spending, "two", 1, 100)
    assert await reserve(spending, "three", 100, 100, caller="bob")


async def test_what_was_spent_counts_and_an_end_turns_the_reservation_into_the_true_cost(engine: AsyncEngine) -> None:
    spending = Spending(engine)
    assert await reserve(spending, "run", 90, 100)
    ended = ArchivedRun("run", "alice", "chain1", "succeeded", NOON, NOON, "{}", "{}")
    await Archive(engine).put(ended, [attempt("run", useful=20, wasted=10)])
    assert not await reserve(spending, "next", 71, 100)
    assert await reserve(spending, "next", 70, 100)


async def test_what_was_given_back_or_has_expired_or_belongs_to_another_day_takes_no_room(engine: AsyncEngine) -> None:
    spending = Spending(engine)
    assert await reserve(spending, "run", 100, 100)
    await spending.release("run", NOON + timedelta(microseconds=1))
    assert not await reserve(spending, "next", 1, 100), "another create's reservation"
    await spending.release("run", NOON)
    assert await reserve(spending, "next", 100, 100)
    much_later = NOON + timedelta(hours=3)
    period = Period("day", 100, MIDNIGHT)
    assert await spending.reserve("last", "alice", 100, [period], much_later, much_later + timedelta(hours=1)) is None
    await write(engine, attempt("yesterday", at=NOON - timedelta(days=1), useful=100))
    assert not await reserve(spending, "again", 1, 100), "the last one still stands"
    assert await reserve(Spending(engine), "bob's", 100, 100, caller="bob")


async def test_a_refusal_names_the_period_and_what_is_taken(engine: AsyncEngine) -> None:
    spending = Spending(engine)
    periods = [Period("day", 1000, MIDNIGHT), Period("month", 50, MIDNIGHT.replace(day=1))]
    await write(engine, attempt("earlier", at=NOON - timedelta(days=3), useful=40))
    full = await spending.reserve("run", "alice", 11, periods, NOON, NOON)
    assert full == (periods[1], 40)


async def test_spending_is_grouped_and_what_nobody_prices_is_counted(engine: AsyncEngine) -> None:
    await write(
        engine,
        attempt("a"),
        attempt("b", outcome="failed", useful=0, wasted=5, model="bfl/flux-2-flex"),
        attempt("c", caller="bob", provider="relaydance", model="relaydance/x", useful=None),
        attempt("d", at=NOON - timedelta(days=1)),
        attempt("e", mode="sandbox"),
    )
    async with engine.begin() as connection:
        await connection.execute(insert(RUN_TAGS), [{"run_id": "a", "tag": tag} for tag in ("spring", "boats")])
    spending = Spending(engine)

    async def rows(by: By, **more: Any) -> dict[str, tuple[int, int, int, int]]:
        found = await spending.spent(by, MIDNIGHT - timedelta(days=1), TOMORROW, mode="byok", **more)
        return {row.group: (row.attempts, row.useful, row.wasted, row.unpriced) for row in found}

    assert await rows(By.DAY) == {"2026-11-19": (1, 30_000, 0, 0), "2026-11-20": (3, 30_000, 5, 1)}
    assert await rows(By.CALLER, caller="bob") == {"bob": (1, 0, 0, 1)}
    assert await rows(By.MODEL, caller="alice") == {
        "bfl/flux-2-flex": (1, 0, 5, 0),
        "bfl/flux-2-pro": (2, 60_000, 0, 0),
    }
    assert await rows(By.TAG) == {"boats": (1, 30_000, 0, 0), "spring": (1, 30_000, 0, 0)}


async def test_a_create_that_comes_again_is_not_refused_for_its_own_reservation(engine: AsyncEngine) -> None:
    spending = Spending(engine)
    assert await reserve(spending, "one", 60, 100)
    assert await reserve(spending, "one", 60, 100)
    assert await reserve(spending, "two", 40, 100)
    assert not await reserve(spending, "three", 1, 100)


@pytest.mark.parametrize("first_to_fail", [0, 1])
async def test_of_two_creates_of_one_run_neither_gives_back_what_the_other_counts_on(
    engine: AsyncEngine, first_to_fail: int
) -> None:
    spending, period = Spending(engine), Period("day", 100, MIDNIGHT)
    moments = [NOON, NOON + timedelta(milliseconds=1)]
    for moment, amount in zip(moments, (90, 60), strict=True):
        assert await spending.reserve("run", "alice", amount, [period], moment, NOON + timedelta(hours=2)) is None
    await spending.release("run", moments[first_to_fail])
    assert not await reserve(spending, "next", 11, 100), "the larger of the two stands"
    assert await reserve(spending, "next", 10, 100)


async def test_a_reservation_that_joins_one_just_given_back_stands(database_url: str) -> None:
    engines = [open_database(database_url) for _ in range(2)]
    one, other = [Spending(engine) for engine in engines]
    for number in range(20):
        run = f"run-{number}"
        assert await reserve(one, run, 5, 1000)
        later, expires = NOON + timedelta(milliseconds=1), NOON + timedelta(hours=2)
        period = Period("day", 1000, MIDNIGHT)
        await asyncio.gather(one.release(run, NOON), other.reserve(run, "alice", 5, [period], later, expires))
    assert not await reserve(one, "next", 901, 1000)
    assert await reserve(one, "next", 900, 1000)
    for engine in engines:
        await engine.dispose()


async def test_a_day_is_a_day_of_utc_wherever_the_database_lives(database_url: str) -> None:
    first = open_database(database_url)
    if first.dialect.name == "postgresql":
        async with first.begin() as connection:
            name = await connection.scalar(text("SELECT current_database()"))
            await connection.execute(text(f"ALTER DATABASE \"{name}\" SET timezone TO 'America/New_York'"))
    await first.dispose()
    engine = open_database(database_url)
    await write(engine, attempt("early", at=MIDNIGHT + timedelta(hours=1)))
    [row] = await Spending(engine).spent(By.DAY, MIDNIGHT, TOMORROW)
    assert row.group == "2026-11-20"
    await engine.dispose()
