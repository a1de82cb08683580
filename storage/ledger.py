"""The table of attempts. The archive writes it together with the run; figures and spending are read from it."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import answering_database
from storage.tables import METADATA, UtcDateTime

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("step", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("mode", String(16), nullable=False),
    Column("caller", String(255), nullable=False),
    Column("template", String(255), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("model", String(128), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("code", String(128)),
    Column("job", String(512)),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("useful", BigInteger),
    Column("wasted", BigInteger),
)
Index("attempts_ended", ATTEMPTS.c.ended_at)
Index("attempts_of_provider", ATTEMPTS.c.provider, ATTEMPTS.c.ended_at)
Index("attempts_of_caller", ATTEMPTS.c.caller, ATTEMPTS.c.ended_at)
Index("attempts_of_model", ATTEMPTS.c.model, ATTEMPTS.c.ended_at)
Index("attempts_of_job", ATTEMPTS.c.job)

RUN_TAGS = Table(
    "run_tags",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("tag", String(255), primary_key=True),
)


class Ledger:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def durations(self, mode: str, provider: str, model: str, most: int) -> list[float]:
        """Seconds that the newest attempts took which succeeded. The sandbox says nothing about a real provider."""
        query = (
            select(ATTEMPTS.c.started_at, ATTEMPTS.c.ended_at)
            .where(ATTEMPTS.c.model == model, ATTEMPTS.c.provider == provider, ATTEMPTS.c.mode == mode)
            .where(ATTEMPTS.c.outcome == "succeeded")
            .order_by(ATTEMPTS.c.ended_at.desc())
            .limit(most)
        )
        with answering_database():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
        return [(ended - started).total_seconds() for started, ended in rows]
