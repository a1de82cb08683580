"""Ended runs, kept after Temporal has forgotten them."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import answering_database, open_database


class _UtcDateTime(TypeDecorator[datetime]):
    """SQLite forgets time zones: what goes in is UTC, so what comes out is."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData()

_RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("caller", String(255), nullable=False),
    Column("template", String(255), nullable=False),
    Column("status", String(32), nullable=False),
    Column("created_at", _UtcDateTime, nullable=False),
    Column("ended_at", _UtcDateTime, nullable=False),
    Column("plan", Text, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("callback_body", LargeBinary),
)
Index("runs_of_caller", _RUNS.c.caller, _RUNS.c.ended_at.desc(), _RUNS.c.run_id)


@dataclass(frozen=True)
class ArchivedRun:
    """`plan` and `snapshot` are JSON; `callback_body` is what was, or would be, sent, byte for byte."""

    run_id: str
    caller: str
    template: str
    status: str
    created_at: datetime
    ended_at: datetime
    plan: str
    snapshot: str
    callback_body: bytes | None = None


class Archive:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Self:
        """From `BABYCHAIN_DATABASE_URL`. The tables are `storage.database.upgrade`'s business."""
        return cls(open_database(url))

    async def put(self, run: ArchivedRun) -> None:
        """The first write wins: a callback that is sent again must carry the very bytes it carried first."""
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(insert(_RUNS).values(asdict(run)).on_conflict_do_nothing())

    async def get(self, run_id: str) -> ArchivedRun | None:
        with answering_database():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(_RUNS).where(_RUNS.c.run_id == run_id))).one_or_none()
        return None if row is None else ArchivedRun(**row._mapping)

    async def body(self, run_id: str) -> bytes | None:
        """The callback body alone: deliveries need nothing else, and need it many times."""
        query = select(_RUNS.c.callback_body).where(_RUNS.c.run_id == run_id)
        with answering_database():
            async with self._engine.connect() as connection:
                body: bytes | None = await connection.scalar(query)
        return body

    async def close(self) -> None:
        await self._engine.dispose()
