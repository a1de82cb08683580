"""Which runs were retried by which: a run that has ended no longer changes, so the way forward is kept here."""

from datetime import datetime

from sqlalchemy import Column, String, Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import answering_database
from storage.tables import METADATA, UtcDateTime, insert_into

RETRIES = Table(
    "run_retries",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("retried_by", String(36), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)


class RetryLinks:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, run_id: str, retried_by: str, created_at: datetime) -> None:
        row = {"run_id": run_id, "retried_by": retried_by, "created_at": created_at}
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(insert_into(self._engine)(RETRIES).values(row).on_conflict_do_nothing())

    async def of(self, run_id: str) -> list[str]:
        query = select(RETRIES.c.retried_by).where(RETRIES.c.run_id == run_id).order_by(RETRIES.c.created_at)
        with answering_database():
            async with self._engine.connect() as connection:
                return list((await connection.scalars(query)).all())
