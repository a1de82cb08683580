"""The SQL database: SQLite in a file by default, PostgreSQL by URL."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.concurrency import in_greenlet

from domain.errors import SetupError, UnavailableError

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
# One number for all our processes, so that two that start together migrate one after the other.
_MIGRATION_LOCK = 0x62616279
# Alembic keeps the migration it is at in a global: within a process, two databases wait for each other too.
_ONE_AT_A_TIME = asyncio.Lock()


def open_database(url: str) -> AsyncEngine:
    """From `BABYCHAIN_DATABASE_URL`. Connects on first use; a missing folder of a SQLite file is made now.

    What stood in a statement is left out of its errors: they are logged.
    """
    address = _read_url(url)
    if address.get_backend_name() == "postgresql":
        return create_async_engine(address, pool_pre_ping=True, pool_timeout=10, hide_parameters=True)
    if address.database and address.database != ":memory:":
        try:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError("The folder of BABYCHAIN_DATABASE_URL cannot be made.") from error
    engine = create_async_engine(address, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _tune_sqlite)
    event.listen(engine.sync_engine, "invalidate", _give_lock_back)
    return engine


async def upgrade(url: str) -> None:
    """Bring the tables up to date; nothing happens when they are. Several processes may call it at once."""
    engine = open_database(url)
    try:
        with answering_database():
            async with _ONE_AT_A_TIME, engine.connect() as connection:
                if engine.dialect.name == "sqlite":
                    # Otherwise the driver starts its transaction only after the tables were looked at.
                    await connection.exec_driver_sql("BEGIN IMMEDIATE")
                else:
                    await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
                await connection.run_sync(_upgrade)
                await connection.commit()
    finally:
        await engine.dispose()


@contextmanager
def answering_database() -> Iterator[None]:
    """A database that cannot be reached, is full or stays locked becomes one error that may be retried."""
    try:
        yield
    except (ProgrammingError, IntegrityError, DataError):
        raise  # our mistakes, not the database's
    except (DBAPIError, PoolTimeout, OSError) as error:
        if _is_about_data(error):
            raise
        raise UnavailableError("The database does not answer.", code="database_unreachable") from error


def _is_about_data(error: Exception) -> bool:
    """SQLSTATE class 22. The driver gives some of these, such as a NUL in a text, no class of their own."""
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return isinstance(state, str) and state.startswith("22")


def _read_url(url: str) -> URL:
    # The URL holds a password, so no message repeats it.
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise SetupError("BABYCHAIN_DATABASE_URL cannot be read.") from error
    driver = _DRIVERS.get(address.drivername)
    if driver is None:
        raise SetupError("BABYCHAIN_DATABASE_URL must start with sqlite:// or postgresql://.")
    if "sslmode" in address.query:
        # Hosting providers hand out libpq's word; asyncpg calls it `ssl` and takes the same values.
        mode = address.query["sslmode"]
        address = address.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return address.set(drivername=driver)


def _tune_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # WAL: readers and the writer, of several processes, do not wait for each other.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()


def _give_lock_back(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _error: BaseException | None) -> None:
    """A canceled statement leaves its cursor open, and SQLite keeps a closed connection with an open cursor, and with
    it the lock on the whole file, until garbage is collected."""
    if in_greenlet():
        connection.rollback()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
