"""What all tables share. Each store declares its own; `storage/migrations` makes them."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

METADATA = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """SQLite forgets time zones: what goes in is UTC, so what comes out is."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def insert_into(engine: AsyncEngine) -> type[postgresql.Insert] | type[sqlite.Insert]:
    """The dialect's own INSERT: both know `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return postgresql.Insert if engine.dialect.name == "postgresql" else sqlite.Insert
