"""Callbacks that do not reach their receivers, over all runs."""

from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.callbacks import Sent
from storage.database import answering_database
from storage.deliveries import DELIVERIES


class FailingDeliveries:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def since(self, moment: datetime, limit: int) -> list[Sent]:
        """The last attempt of each delivery that has not arrived, the latest first."""
        last = (
            select(DELIVERIES.c.delivery, func.max(DELIVERIES.c.number).label("number"))
            .where(DELIVERIES.c.at >= moment)
            .group_by(DELIVERIES.c.delivery)
            .subquery()
        )
        ours = and_(DELIVERIES.c.delivery == last.c.delivery, DELIVERIES.c.number == last.c.number)
        query = (
            select(DELIVERIES)
            .join(last, ours)
            .where(DELIVERIES.c.outcome.in_(("failed", "gone")))
            .order_by(DELIVERIES.c.at.desc())
            .limit(limit)
        )
        with answering_database():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
        return [Sent(**row._mapping) for row in rows]
