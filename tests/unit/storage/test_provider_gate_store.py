"""Two gates on one database stand for two worker processes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from domain import breaker
from domain.breaker import Go, Sign, Wait, Why
from domain.errors import CreditExhausted, Refused, UnavailableError
from domain.provider import Job
from storage.database import open_database
from storage.provider_gate import DisabledModel, ProviderGate, Use

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
async def gates(database_url: str) -> AsyncIterator[tuple[ProviderGate, ProviderGate]]:
    engines = open_database(database_url), open_database(database_url)
    yield ProviderGate(engines[0]), ProviderGate(engines[1])
    for engine in engines:
        await engine.dispose()


Gates = tuple[ProviderGate, ProviderGate]


async def went(gate: ProviderGate, holder: str, at: datetime, limit: int | None = 3) -> bool:
    return isinstance(await gate.enter("acme", holder, at, limit), Go)


async def active(gate: ProviderGate, at: datetime) -> Use:
    return (await gate.use(at)).get("acme", Use())


async def test_many_that_come_at_once_to_two_processes_take_no_more_places_than_there_are(gates: Gates) -> None:
    came = [went(gates[n % 2], f"run-{n}", NOON) for n in range(50)]
    assert sum(await asyncio.gather(*came)) == 3
    assert await active(gates[0], NOON) == Use(active=3, waiting=47)


async def test_one_holder_takes_one_place_however_often_it_comes(gates: Gates) -> None:
    for gate in (*gates, *gates):
        assert await went(gate, "run-1", NOON)
    assert await active(gates[0], NOON) == Use(active=1)


async def test_who_leaves_makes_room_in_the_order_of_coming(gates: Gates) -> None:
    one, two = gates
    assert await went(one, "a", NOON, limit=1)
    for second, holder in enumerate(("b", "c"), start=1):
        assert not await went(two, holder, later(second), limit=1)
    await one.leave("acme", "a", later(3))
    assert not await went(one, "c", later(3), limit=1)
    assert await went(two, "b", later(3), limit=1)


async def test_who_stands_in_line_and_never_comes_back_holds_nobody_up_for_long(gates: Gates) -> None:
    one, _ = gates
    assert await went(one, "a", NOON, limit=1)
    assert not await went(one, "lost", later(1), limit=1)
    await one.leave("acme", "a", later(2))
    assert not await went(one, "b", later(2), limit=1)
    assert await went(one, "b", later(12), limit=1)
    assert await active(one, later(12)) == Use(active=1)


async def test_place_of_a_dead_holder_is_free_after_its_lease_and_that_of_a_living_one_is_not(gates: Gates) -> None:
    one, two = gates
    assert await went(one, "dead", NOON, limit=2)
    assert await went(one, "alive", NOON, limit=2)
    await one.renew("acme", "alive", later(25))
    assert not await went(two, "next", later(27), limit=2)
    assert await went(two, "next", later(30), limit=2)
    assert not await went(two, "another", later(30), limit=2)


async def test_the_next_who_enters_takes_away_what_the_dead_have_left(database_url: str, gates: Gates) -> None:
    one, two = gates
    assert await went(one, "dead", NOON, limit=1)
    assert not await went(two, "lost in line", later(1), limit=1)
    assert await went(two, "next", later(60), limit=1)
    engine = open_database(database_url)
    async with engine.connect() as connection:
        left = await connection.execute(
            text("SELECT holder FROM provider_slots UNION ALL SELECT holder FROM provider_waiting")
        )
        assert list(left.scalars()) == ["next"]
    await engine.dispose()


async def test_job_keeps_its_place_until_it_ends(gates: Gates) -> None:
    one, two = gates
    assert await went(one, "a", NOON, limit=1)
    await one.hold("acme", "a", later(1), later(600), Job("job-1", {"polling_url": "https://acme.example/1"}))
    assert not await went(two, "b", later(500), limit=1)
    await two.leave("acme", "a", later(501))
    await two.leave("acme", "a", later(501))
    assert await went(two, "b", later(511), limit=1)


async def test_job_that_was_found_again_takes_a_place_beyond_the_limit(gates: Gates) -> None:
    one, _ = gates
    assert await went(one, "a", NOON, limit=1)
    await one.hold("acme", "found", later(1), later(600), Job("job-2"))
    assert await active(one, later(2)) == Use(active=2)


async def test_job_that_nobody_looks_at_is_offered_to_one_of_those_who_wait(gates: Gates) -> None:
    one, two = gates
    job = Job("job-1", {"polling_url": "https://acme.example/1"})
    assert await went(one, "a", NOON, limit=2)
    await one.hold("acme", "a", NOON, later(600), job)
    assert await went(one, "submitting", later(11), limit=2)
    assert await one.forgotten("acme", later(5)) is None
    assert await two.forgotten("acme", later(11)) == ("a", job)
    assert await one.forgotten("acme", later(12)) is None


async def test_how_long_places_are_held_is_learned_and_tells_the_others_when_to_come(gates: Gates) -> None:
    one, _ = gates
    for second in (0, 100):
        assert await went(one, "a", later(second), limit=1)
        await one.leave("acme", "a", later(second + 40))
    assert (await one.known()).account("acme").held_for == pytest.approx(40)
    assert await went(one, "a", later(200), limit=1)
    assert await one.enter("acme", "b", later(201), 1) == Wait(Why.FULL, 20.0)


async def test_breaker_opened_by_one_process_is_open_in_the_other(gates: Gates) -> None:
    one, two = gates
    for _ in range(breaker.OPENS_AFTER):
        await one.change("acme", lambda account: breaker.after(account, Sign.FAILED, "a", NOON, Refused("down")))
    known = (await two.known()).account("acme")
    assert (known.trouble, known.since) == ("outage", NOON)
    assert isinstance(await two.enter("acme", "b", later(1)), Wait)


async def test_failures_that_two_processes_see_at_once_are_all_counted(gates: Gates) -> None:
    fail = partial(breaker.after, sign=Sign.FAILED, holder="a", now=NOON, error=Refused("down"))
    await asyncio.gather(*(gates[n % 2].change("acme", fail) for n in range(breaker.OPENS_AFTER)))
    assert (await gates[0].known()).account("acme").trouble == "outage"


async def test_of_many_that_come_when_the_probe_is_due_one_goes(gates: Gates) -> None:
    one, two = gates
    empty = CreditExhausted("Pay first.")
    await one.change("acme", lambda account: breaker.after(account, Sign.NO_CREDIT, "a", NOON, empty))
    answers = await asyncio.gather(*(gates[n % 2].enter("acme", f"run-{n}", later(60)) for n in range(20)))
    assert [answer.probe for answer in answers if isinstance(answer, Go)] == [True]
    assert (await two.known()).account("acme").state(later(60)) is breaker.State.HALF_OPEN


async def test_switches_are_seen_by_the_other_process_and_the_first_word_stays(gates: Gates) -> None:
    one, two = gates
    off = DisabledModel("acme/clip", NOON, "key-1", "Prices")
    await one.disable_model(off)
    await one.disable_model(DisabledModel("acme/clip", later(5), "key-2", None))
    await one.change("acme", lambda account: breaker.disabled(account, "key-1", "Prices", NOON))
    known = await two.known()
    assert dict(known.disabled_models) == {"acme/clip": off}
    assert known.account("acme").disabled_by == "key-1"
    await two.enable_model("acme/clip")
    await two.change("acme", lambda account: breaker.enabled(account, later(9)))
    assert not (await one.known()).disabled_models
    assert await went(one, "a", later(9))


async def test_accounts_do_not_touch_each_other(gates: Gates) -> None:
    one, _ = gates
    assert await went(one, "a", NOON, limit=1)
    assert isinstance(await one.enter("other", "b", NOON, 1), Go)


async def test_database_that_does_not_answer_is_said_to_be_silent() -> None:
    engine = open_database("postgresql://user:s3cret@127.0.0.1:9/db")
    gate = ProviderGate(engine)
    for question in (gate.known(), gate.enter("acme", "a", NOON, 3), gate.leave("acme", "a", NOON)):
        with pytest.raises(UnavailableError):
            await question
    await engine.dispose()
