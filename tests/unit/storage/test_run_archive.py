import asyncio
import json
import socket
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from domain.errors import SetupError, UnavailableError
from domain.labels import Label, LabelKind
from storage.archive import Archive, ArchivedRun, Search
from storage.database import open_database, upgrade
from storage.lookups import Lookups, Trace
from storage.prompts import Prompts
from storage.spending import By, Spending
from storage.tables import METADATA
from tests.support.archived import ended_run, put_away

RUN = ArchivedRun(
    run_id="0f0c3f9e-0000-7000-8000-000000000001",
    caller="alice",
    template="chain1",
    status="succeeded",
    created_at=datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC),
    ended_at=datetime(2026, 11, 20, 1, 5, tzinfo=timezone(timedelta(hours=3))),
    plan='{"prompt": "ü"}',
    snapshot="{}",
    callback_body=b'{"first": true}\x00\xff',
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "folder" / "babychain.sqlite"


@pytest.fixture
async def archive(file: Path) -> AsyncIterator[Archive]:
    await upgrade(f"sqlite:///{file}")
    engine = open_database(f"sqlite:///{file}")
    yield Archive(engine)
    await engine.dispose()


async def test_run_comes_back_as_it_was(archive: Archive) -> None:
    await archive.put(RUN)
    found = await archive.get(RUN.run_id)
    assert found == RUN
    assert found.created_at.utcoffset() == found.ended_at.utcoffset() == timedelta(0)


async def test_first_write_wins_so_that_a_callback_repeats_its_bytes(archive: Archive) -> None:
    assert await archive.put(RUN)
    assert not await archive.put(replace(RUN, status="failed", callback_body=b"second"))
    assert await archive.get(RUN.run_id) == RUN
    runs = [replace(RUN, run_id="race", callback_body=str(number).encode()) for number in range(20)]
    await asyncio.gather(*(archive.put(run) for run in runs))
    assert await archive.get("race") in runs


async def test_unknown_run_is_none(archive: Archive) -> None:
    assert await archive.get("absent") is None


async def test_a_run_with_nul_in_every_text_of_others_is_written_and_found_by_the_rest(database_url: str) -> None:
    """PostgreSQL has no place for that character: the run would be tried again for ever, its callback unsent."""
    now = datetime.now(UTC)
    metadata = {"tags": ["t\0", "spring"], "order": "7\0", "k\0": "v", "shop": "a"}
    plan, snapshot = ended_run("alice", now, metadata=metadata, input={"text_to_image_prompt": "a\0boat"})
    snapshot.steps[0].attempts[0].job = "job\0-7"
    engine = open_database(database_url)
    try:
        archive = Archive(engine)
        run_id = await put_away(archive, plan, snapshot)
        found = await archive.get(run_id)
        assert found is not None
        assert json.loads(found.plan)["metadata"] == metadata
        for label in (Label(LabelKind.TAG, "spring"), Label(LabelKind.METADATA, "shop=a")):
            page = await archive.page(Search("alice", now, frozenset({label})), None, 10)
            assert [run.run_id for run in page] == [run_id]
        assert await Lookups(engine).by_job("job-7") == [Trace(run_id, "step_0", 1)]
        assert [run.run_id for run in await Prompts(engine).search("alice", "A\0BOAT", 10)] == [run_id]
        rows = await Spending(engine).spent(By.TAG, now - timedelta(days=1), now + timedelta(days=1))
        assert [row.group for row in rows] == ["spring"]
    finally:
        await engine.dispose()


async def test_processes_that_start_together_may_all_upgrade(file: Path) -> None:
    await asyncio.gather(*(upgrade(f"sqlite:///{file}") for _ in range(5)))
    await upgrade(f"sqlite:///{file}")


async def test_one_process_may_upgrade_several_databases_at_once(tmp_path: Path) -> None:
    await asyncio.gather(*(upgrade(f"sqlite:///{tmp_path / f'{number}.db'}") for number in range(5)))


async def test_migrations_make_exactly_the_tables_the_code_uses(archive: Archive, file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


async def test_sqlite_lets_readers_and_writers_work_side_by_side(archive: Archive, file: Path) -> None:
    reader = sqlite3.connect(file)
    assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM runs").fetchall()
    await archive.put(RUN)
    reader.close()


async def test_database_that_does_not_answer_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://user:s3cret@127.0.0.1:{taken.getsockname()[1]}/db"
        engine = open_database(url)
        archive = Archive(engine)
        for attempt in (archive.put(RUN), archive.get("x"), upgrade(url)):
            with pytest.raises(UnavailableError) as caught:
                await attempt
            assert caught.value.reason == "database_unreachable"
            assert "s3cret" not in caught.value.message
        await engine.dispose()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_spelling_of_postgresql_leads_to_the_async_driver(scheme: str) -> None:
    url = open_database(f"{scheme}://user:p%40ss@db.example:5433/name?sslmode=require").url
    assert url.drivername == "postgresql+asyncpg"
    assert (url.password, url.host, url.port, url.database) == ("p@ss", "db.example", 5433, "name")
    assert dict(url.query) == {"ssl": "require"}


@pytest.mark.parametrize(
    "url", ["", "mysql://user:s3cret@host/db", "user:s3cret@host", "postgresql+psycopg2://u:s3cret@h/d"]
)
def test_wrong_database_url_stops_the_start_without_being_repeated(url: str) -> None:
    with pytest.raises(SetupError) as caught:
        open_database(url)
    assert "s3cret" not in caught.value.message
