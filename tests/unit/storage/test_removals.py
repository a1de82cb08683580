"""What deletion takes from the tables, and what it leaves."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.callbacks import Sent, state_of
from domain.ledger import AttemptRecord
from storage.archive import Archive, ArchivedRun
from storage.database import open_database, upgrade
from storage.deletion import Removals, What
from storage.deliveries import Deliveries
from storage.lookups import Lookups, Trace
from storage.retries import RetryLinks

NOW = datetime(2026, 11, 21, tzinfo=UTC)
WORDS = "a lantern nobody may see"
MONEY = AttemptRecord(
    run_id="run-1", step="image", number=1, mode="byok", caller="alice", template="chain1", kind="image",
    provider="bfl", model="bfl/flux-2-pro", outcome="succeeded", code=None, job="job-1", started_at=NOW, ended_at=NOW,
    useful=15, wasted=None,
)  # fmt: skip


def run(run_id: str = "run-1", ended: datetime = NOW) -> ArchivedRun:
    return ArchivedRun(run_id, "alice", "chain1", "succeeded", NOW, ended, f'"{WORDS}"', "{}", WORDS.encode())


def sent(number: int, outcome: str = "failed", next_at: datetime | None = None, delivery: str = "after-run-1") -> Sent:
    at = NOW + timedelta(minutes=number)
    return Sent(
        delivery, number, "run-1", "chain_run.completed", "evt_run-1", "https://x", at, 5, outcome, 500, None, WORDS,
        next_at,
    )  # fmt: skip


def holding(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if WORDS.encode() in file.read_bytes()]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = f"sqlite:///{tmp_path / 'babychain.db'}"
    await upgrade(url)
    opened = open_database(url)
    yield opened
    await opened.dispose()


async def test_no_byte_of_a_purged_run_is_left_in_the_file_and_its_cost_is(engine: AsyncEngine, tmp_path: Path) -> None:
    await Archive(engine).put(run(), [MONEY], [WORDS])
    await Lookups(engine).note_request("run-1", "web-42")
    await Deliveries(engine).record(sent(1))
    assert holding(tmp_path)
    await Removals(engine).purge("run-1")
    assert holding(tmp_path) == []
    assert await Lookups(engine).by_job("job-1") == [Trace("run-1", "image", 1)]
    assert await Lookups(engine).by_request("web-42") == []
    assert await Deliveries(engine).of_run("run-1") == {}


async def test_a_purged_run_is_named_by_no_run_that_it_retried_or_was_retried_by(engine: AsyncEngine) -> None:
    links = RetryLinks(engine)
    await links.add("run-0", "run-1", NOW)
    await links.add("run-1", "run-2", NOW)
    await links.add("run-0", "run-2", NOW)
    await Removals(engine).purge("run-1")
    assert await links.of("run-1") == []
    assert await links.of("run-0") == ["run-2"]


async def test_whoever_purges_knows_every_table_that_names_a_run(engine: AsyncEngine) -> None:
    """A worker imports what it needs: a table whose module it never saw would keep its rows."""
    told = "import storage.deletion as d; print(*[t.name for t in d.METADATA.tables.values() if 'run_id' in t.c])"
    here = await asyncio.create_subprocess_exec(sys.executable, "-c", told, stdout=asyncio.subprocess.PIPE)
    known = (await here.communicate())[0].decode().split()

    def naming(connection: Connection) -> set[str]:
        tables = inspect(connection)
        columns = {name: {one["name"] for one in tables.get_columns(name)} for name in tables.get_table_names()}
        return {name for name, has in columns.items() if "run_id" in has}

    async with engine.connect() as connection:
        assert await connection.run_sync(naming) == set(known)


async def test_another_runs_rows_stay(engine: AsyncEngine) -> None:
    archive = Archive(engine)
    for run_id in ("run-1", "run-2"):
        await archive.put(run(run_id))
    await Removals(engine).purge("run-1")
    assert await archive.get("run-1") is None
    assert await archive.get("run-2") == run("run-2")


async def test_a_run_that_was_deleted_never_turns_into_one_that_lost_its_media(engine: AsyncEngine) -> None:
    removals = Removals(engine)
    await removals.mark("run-1", What.MEDIA, NOW)
    assert not await removals.is_deleted("run-1")
    await removals.mark("run-1", What.RUN, NOW)
    await removals.mark("run-1", What.MEDIA, NOW + timedelta(days=1))
    removal = await removals.of("run-1")
    assert removal is not None
    assert (removal.what, removal.removed_at) == (What.RUN, NOW)


async def test_the_oldest_runs_are_swept_first_and_each_once(engine: AsyncEngine) -> None:
    removals, archive = Removals(engine), Archive(engine)
    for day in range(5):
        await archive.put(run(f"run-{day}", NOW - timedelta(days=day)))
    before = NOW - timedelta(days=1, hours=12)
    assert await removals.expired(before, 2) == ["run-4", "run-3"]
    await removals.mark("run-4", What.MEDIA, NOW)
    assert await removals.expired(before, 5) == ["run-3", "run-2"]


async def test_archived_and_deleted_runs_need_no_finishing(engine: AsyncEngine) -> None:
    removals = Removals(engine)
    await Archive(engine).put(run("archived"))
    await removals.mark("deleted", What.RUN, NOW)
    assert await removals.known(["archived", "deleted", "neither"]) == {"archived", "deleted"}


async def test_a_delivery_is_overtaken_only_by_one_that_arrived_after_it_began(engine: AsyncEngine) -> None:
    deliveries = Deliveries(engine)
    await deliveries.record(sent(1, "delivered", delivery="earlier"))
    await deliveries.record(sent(2, "failed", delivery="this"))
    assert not await deliveries.overtaken("evt_run-1", "this")
    await deliveries.record(sent(3, "delivered", delivery="later"))
    assert await deliveries.overtaken("evt_run-1", "this")
    assert not await deliveries.overtaken("evt_another", "this")


async def test_a_repeated_record_of_one_attempt_takes_the_place_of_the_first(engine: AsyncEngine) -> None:
    deliveries = Deliveries(engine)
    await deliveries.record(sent(1, "failed"))
    await deliveries.record(sent(1, "delivered"))
    [[attempt]] = (await deliveries.of_run("run-1")).values()
    assert attempt.outcome == "delivered"


async def test_the_indices_that_the_sweep_and_the_log_need_exist(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        found = (await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'"))).scalars().all()
    assert {"runs_ended", "deliveries_of_run", "deliveries_of_event", "run_requests_by_id"} <= set(found)


def test_a_deliverys_state_is_that_of_its_last_attempt() -> None:
    later = NOW + timedelta(hours=1)
    assert state_of([sent(1, "failed", later)]) == "pending"
    assert state_of([sent(1, "failed", later), sent(2, "delivered")]) == "delivered"
    assert state_of([sent(1, "failed", later), sent(2, "failed")]) == "failed"
    assert state_of([sent(1, "gone")]) == "gone"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_looking_for_old_media_does_not_walk_all_that_is_gone_for_every_run(database_url: str) -> None:
    """PostgreSQL does that for NOT IN, once the list outgrows its work_mem: 200,000 swept runs took over 30 s."""
    engine = open_database(database_url)

    def explained(*call: Any) -> tuple[str, Any]:
        statement, parameters = call[2], call[3]
        return f"EXPLAIN {statement}" if "removed_runs" in statement else statement, parameters

    event.listen(engine.sync_engine, "before_cursor_execute", explained, retval=True)
    try:
        plan = "\n".join(await Removals(engine).expired(NOW, 50))
    finally:
        await engine.dispose()
    assert "Anti Join" in plan
    assert "SubPlan" not in plan
