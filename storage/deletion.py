"""What is gone, and the taking away of it: a run's rows, or only its media.

The ledger of attempts stays: it holds amounts, models and job ids, and no word of a caller.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Index, String, Table, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncEngine

import storage.archive
import storage.deliveries
import storage.lookups  # noqa: F401 - they declare what there is to delete
from storage.database import answering_database
from storage.retries import RETRIES
from storage.tables import METADATA, UtcDateTime, insert_into

_REMOVED = Table(
    "removed_runs",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("what", String(16), nullable=False),
    Column("removed_at", UtcDateTime, nullable=False),
)
_RUNS = METADATA.tables["runs"]
Index("runs_ended", _RUNS.c.ended_at)

_KEPT = frozenset({"attempts", "spend_reservations", "removed_runs"})
"""Amounts, models and job ids; and the mark that the run was here. Neither holds a word of the caller."""


class What(StrEnum):
    RUN = "run"
    MEDIA = "media"


@dataclass(frozen=True)
class Removal:
    """The mark that stays. MEDIA: the run can still be read, and its pictures and videos are gone."""

    run_id: str
    what: What
    removed_at: datetime


class Removals:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def mark(self, run_id: str, what: What, now: datetime) -> None:
        """The mark comes before the taking away: whoever writes late sees it and takes its own writing back."""
        values = {"what": str(what), "removed_at": now}
        insert = insert_into(self._engine)(_REMOVED).values(run_id=run_id, **values)
        changed = insert.on_conflict_do_update(
            index_elements=["run_id"], set_=values, where=_REMOVED.c.what != str(What.RUN)
        )
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(changed)

    async def of(self, run_id: str) -> Removal | None:
        with answering_database():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(_REMOVED).where(_REMOVED.c.run_id == run_id))).one_or_none()
        return None if row is None else Removal(row.run_id, What(row.what), row.removed_at)

    async def is_deleted(self, run_id: str) -> bool:
        removal = await self.of(run_id)
        return removal is not None and removal.what is What.RUN

    async def purge(self, run_id: str, only: Table | None = None) -> None:
        """Take away the run's rows: of one table, or of whichever there are, except those that are named as kept."""
        tables = METADATA.sorted_tables if only is None else [only]
        is_sqlite = self._engine.dialect.name == "sqlite"
        with answering_database():
            async with self._engine.connect() as connection:
                if is_sqlite:
                    # A deleted row would otherwise stay readable in the file until its place is used again.
                    await connection.exec_driver_sql("PRAGMA secure_delete=ON")
                for table in tables:
                    if "run_id" in table.c and table.name not in _KEPT:
                        await connection.execute(delete(table).where(table.c.run_id == run_id))
                # Nor does the run that it retried go on naming it.
                await connection.execute(delete(RETRIES).where(RETRIES.c.retried_by == run_id))
                await connection.commit()
                if is_sqlite:
                    # The write-ahead log too holds the old pages; a busy reader lets it be until the next time.
                    await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                    await connection.commit()

    async def expired(self, before: datetime, most: int) -> list[str]:
        """Runs that ended before this moment and still have their media, the oldest first."""
        # PostgreSQL walks the list of a NOT IN once for every run, as soon as the list outgrows its work_mem.
        gone = exists().where(_REMOVED.c.run_id == _RUNS.c.run_id)
        query = select(_RUNS.c.run_id).where(_RUNS.c.ended_at < before, ~gone)
        with answering_database():
            async with self._engine.connect() as connection:
                rows = await connection.execute(query.order_by(_RUNS.c.ended_at).limit(most))
                return list(rows.scalars())

    async def known(self, run_ids: list[str]) -> set[str]:
        """Those that are archived, or were deleted: nothing is left to do for them."""
        with answering_database():
            async with self._engine.connect() as connection:
                archived = await connection.execute(select(_RUNS.c.run_id).where(_RUNS.c.run_id.in_(run_ids)))
                deleted = await connection.execute(
                    select(_REMOVED.c.run_id).where(_REMOVED.c.run_id.in_(run_ids), _REMOVED.c.what == str(What.RUN))
                )
                return {*archived.scalars(), *deleted.scalars()}
