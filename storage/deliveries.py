"""The log of callbacks: every attempt, when and how it went."""

from dataclasses import asdict

from sqlalchemy import Column, Index, Integer, String, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.callbacks import Sent
from storage.database import answering_database
from storage.tables import METADATA, UtcDateTime, insert_into

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("delivery", String(255), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("run_id", String(36), nullable=False),
    Column("event", String(64), nullable=False),
    Column("event_id", String(255), nullable=False),
    Column("url", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("status", Integer),
    Column("error", String(255)),
    Column("answer", String(255)),
    Column("next_at", UtcDateTime),
)
Index("deliveries_of_run", DELIVERIES.c.run_id, DELIVERIES.c.at)
Index("deliveries_of_event", DELIVERIES.c.event_id)


class Deliveries:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def record(self, sent: Sent) -> None:
        """A repeat of the same attempt takes the place of what was recorded of it."""
        values = asdict(sent)
        statement = insert_into(self._engine)(DELIVERIES).values(values)
        keys = ["delivery", "number"]
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))

    async def overtaken(self, event_id: str, delivery: str) -> bool:
        """Whether another delivery, such as a resend, brought the event home since this one began."""
        began = select(func.min(DELIVERIES.c.at)).where(DELIVERIES.c.delivery == delivery).scalar_subquery()
        others = select(DELIVERIES.c.delivery).where(
            DELIVERIES.c.event_id == event_id,
            DELIVERIES.c.delivery != delivery,
            DELIVERIES.c.outcome == "delivered",
            DELIVERIES.c.at > began,
        )
        with answering_database():
            async with self._engine.connect() as connection:
                return (await connection.execute(others.limit(1))).first() is not None

    async def of_run(self, run_id: str) -> dict[str, list[Sent]]:
        """The attempts of each delivery, deliveries and attempts in the order of time."""
        query = select(DELIVERIES).where(DELIVERIES.c.run_id == run_id).order_by(DELIVERIES.c.at, DELIVERIES.c.number)
        with answering_database():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
        found: dict[str, list[Sent]] = {}
        for row in rows:
            sent = Sent(**row._mapping)
            found.setdefault(sent.delivery, []).append(sent)
        return found
