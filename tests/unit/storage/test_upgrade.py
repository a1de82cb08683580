"""A database that an earlier version left behind is brought up to date, and nothing in it is lost."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, insert

import storage
from storage.archive import Archive
from storage.database import open_database, upgrade
from storage.tables import METADATA
from tests.unit.storage.test_run_archive import RUN

MIGRATIONS = Path(storage.__path__[0]) / "migrations"


def config_of(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


EARLIER = [script.revision for script in ScriptDirectory.from_config(config_of()).walk_revisions()][1:]
"""Every version but the newest."""


@pytest.mark.parametrize("version", EARLIER)
async def test_a_run_archived_by_an_earlier_version_is_read_by_this_one(tmp_path: Path, version: str) -> None:
    url = f"sqlite:///{tmp_path / 'babychain.sqlite'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(config_of(connection), version)
        there = {column["name"] for column in _columns(connection)}
        row = {name: value for name, value in vars(RUN).items() if name in there}
        connection.execute(insert(METADATA.tables["runs"]).values(row))
    engine.dispose()

    await upgrade(url)
    database = open_database(url)
    found = await Archive(database).get(RUN.run_id)
    await database.dispose()
    assert found == RUN


def _columns(connection: Connection) -> list[dict[str, str]]:
    rows = connection.exec_driver_sql("PRAGMA table_info(runs)").mappings()
    return [dict(row) for row in rows]
