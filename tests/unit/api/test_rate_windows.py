"""A key's moving minute: in one process, in several by Redis, and while Redis is away, slow or holds nonsense."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.callers import Caller
from api.limits import Kind, Limits, Standing, refuse_excess
from api.local_windows import LocalWindows
from api.shared_windows import SharedWindows
from domain.errors import LimitError, SetupError
from tests.support.redis_server import RedisServer, running_redis
from tests.support.waiting import eventually

ALICE, BOB = [Caller(name, frozenset(), f"key-of-{name}") for name in ("alice", "bob")]


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


async def allowed(limits: Limits, count: int, caller: Caller = ALICE, kind: Kind = Kind.CREATES) -> int:
    """How many of so many requests get through."""
    return sum([(await limits.spend(caller, kind)).allowed for _ in range(count)])


# ---- one process ------------------------------------------------------------------------------------------------


def test_the_window_moves_with_the_clock_and_has_no_edges() -> None:
    clock = Clock()
    windows = LocalWindows(clock)

    def hits(count: int) -> int:
        return sum(windows.hit(Kind.CREATES, "key", 10).allowed for _ in range(count))

    assert hits(4) == 4
    clock.now += 30
    assert hits(9) == 6
    clock.now += 29.9
    assert hits(1) == 0
    clock.now += 0.2
    assert hits(9) == 4


def test_the_reset_is_when_the_next_place_is_free_also_after_the_limit_was_lowered() -> None:
    clock = Clock()
    windows = LocalWindows(clock)
    for _ in range(3):
        windows.hit(Kind.READS, "key", 10)
        clock.now += 10
    window = windows.hit(Kind.READS, "key", 1)
    assert (window.allowed, window.remaining) == (False, 0)
    assert window.reset - time.time() == pytest.approx(50, abs=1)


async def test_keys_and_kinds_of_request_are_counted_apart() -> None:
    limits = Limits(creates=3, reads=5)
    assert await allowed(limits, 9) == 3
    assert await allowed(limits, 9, BOB) == 3
    assert await allowed(limits, 9, kind=Kind.READS) == 5


async def test_a_keys_own_limits_win() -> None:
    own = Caller("alice", frozenset(), "key", creates_per_minute=7, reads_per_minute=2)
    limits = Limits(creates=3, reads=5)
    assert await allowed(limits, 9, own) == 7
    assert await allowed(limits, 9, own, Kind.READS) == 2


async def test_a_process_of_several_has_its_share() -> None:
    limits = Limits(creates=10, reads=5, processes=4)
    assert await allowed(limits, 9) == 3


async def test_what_is_too_much_is_refused_with_the_numbers_of_the_contract() -> None:
    limits = Limits(creates=1, reads=1)
    first, second = [await limits.spend(ALICE, Kind.CREATES) for _ in range(2)]
    refuse_excess(first)
    with pytest.raises(LimitError) as caught:
        refuse_excess(second)
    error = caught.value
    assert error.reason == "rate_limited"
    assert error.facts == {"limit": 1, "remaining": 0, "reset": pytest.approx((time.time() + 60) * 1000, abs=5000)}
    assert isinstance(error.facts["reset"], int)
    assert error.retry_after == second.seconds > 0


def test_retry_after_is_never_too_early() -> None:
    standing = Standing(Kind.READS, 1, 0, time.time() + 1.2, allowed=False)
    assert standing.seconds == 2


# ---- several processes, by Redis --------------------------------------------------------------------------------


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with running_redis(tmp_path) as server:
        yield server


@pytest.fixture
async def pair(redis: RedisServer) -> AsyncIterator[tuple[Limits, Limits]]:
    """Two processes that share a limit of 10 creates."""
    windows = [SharedWindows.open(f"{redis.url}?socket_timeout=1.0", pause=0.05) for _ in range(2)]
    one, two = [Limits(creates=10, reads=1000, processes=2, shared=shared) for shared in windows]
    yield one, two
    for shared in windows:
        await shared.aclose()


async def test_processes_share_one_window_however_requests_fall_on_them(pair: tuple[Limits, Limits]) -> None:
    one, two = pair
    assert await allowed(one, 7) == 7
    assert await allowed(two, 9) == 3
    standing = await one.spend(ALICE, Kind.CREATES)
    assert (standing.limit, standing.remaining, standing.allowed) == (10, 0, False)
    assert standing.reset - time.time() == pytest.approx(60, abs=10)


async def test_requests_at_once_are_not_let_through_together(pair: tuple[Limits, Limits]) -> None:
    counts = await asyncio.gather(*(allowed(limits, 1) for limits in pair * 15))
    assert sum(counts) == 10


@pytest.mark.parametrize("trouble", ["gone", "frozen", "spoiled"])
async def test_while_redis_is_in_trouble_each_process_goes_by_its_share(
    pair: tuple[Limits, Limits], redis: RedisServer, trouble: str
) -> None:
    one, two = pair
    assert await allowed(one, 1) == 1
    if trouble == "gone":
        await redis.stop()
    elif trouble == "frozen":
        redis.freeze()
    else:
        await redis.spoil()
    # What this process had counted beside Redis still counts.
    assert await allowed(one, 9) == 4
    assert await allowed(two, 9) == 5
    assert (await two.spend(ALICE, Kind.CREATES)).limit == 5


@pytest.mark.parametrize("trouble", ["gone", "frozen"])
async def test_redis_is_taken_up_again_when_it_is_back(
    pair: tuple[Limits, Limits], redis: RedisServer, trouble: str
) -> None:
    one, _ = pair
    if trouble == "gone":
        await redis.stop()
    else:
        redis.freeze()
    assert (await one.spend(ALICE, Kind.READS)).limit == 500
    if trouble == "gone":
        await redis.start()
    else:
        redis.thaw()
    await eventually(lambda: one.spend(ALICE, Kind.READS), lambda standing: standing.limit == 1000)


async def test_redis_that_is_further_away_may_be_given_more_time(redis: RedisServer) -> None:
    usual, patient = [SharedWindows.open(redis.url + more) for more in ("", "?socket_timeout=30")]
    redis.freeze()
    waiting = asyncio.create_task(patient.hit("creates", "key", 10))
    assert await usual.hit("creates", "key", 10) is None
    redis.thaw()
    assert await waiting is not None
    for shared in (usual, patient):
        await shared.aclose()


async def test_redis_that_never_was_there_costs_each_key_its_share_and_nothing_else(tmp_path: Path) -> None:
    shared = SharedWindows.open("redis://127.0.0.1:1/0")
    limits = Limits(creates=30, reads=600, processes=3, shared=shared)
    assert await allowed(limits, 40) == 10
    assert await allowed(limits, 400, kind=Kind.READS) == 200
    await shared.aclose()


@pytest.mark.parametrize("url", ["", "localhost:6379", "http://:s3cret@localhost", "redis://:s3cret@host:port"])
async def test_an_address_of_redis_that_cannot_be_read_stops_the_start_without_being_repeated(url: str) -> None:
    with pytest.raises(SetupError, match="REDIS_URL") as caught:
        SharedWindows.open(url)
    assert "s3cret" not in caught.value.message
