"""Which errors of the database are its own, and which are ours."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from domain.errors import UnavailableError
from storage.database import answering_database, open_database


async def test_a_text_that_it_cannot_hold_is_no_outage(postgres: str | None) -> None:
    if postgres is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    engine = open_database(f"{postgres}/postgres")
    with pytest.raises(DBAPIError) as caught, answering_database():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT CAST(:words AS text)"), {"words": "a secret\0"})
    await engine.dispose()
    # The error will be logged.
    assert "a secret" not in str(caught.value)


async def test_an_error_of_the_database_itself_is_an_outage() -> None:
    with pytest.raises(UnavailableError), answering_database():
        raise OperationalError("SELECT 1", None, Exception("disk I/O error"))


async def test_a_database_that_is_not_there_is_an_outage() -> None:
    engine = open_database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(UnavailableError), answering_database():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    await engine.dispose()
