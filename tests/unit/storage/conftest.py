"""Stores are tested on both databases: SQLite in a file, and a real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import upgrade
from tests.support.postgres_server import new_database, running_postgres


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[str | None]:
    async with running_postgres() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path, postgres: str | None) -> str:
    """A database with all tables and nothing in them."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'babychain.db'}"
    elif postgres is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    else:
        url = await new_database(postgres)
    await upgrade(url)
    return url
