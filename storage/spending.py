"""What callers have spent, from the ledger of attempts, and what their running runs may still spend."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Index, String, Table, case, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.money import Micros
from storage.callers import CALLERS
from storage.database import answering_database
from storage.ledger import ATTEMPTS, RUN_TAGS
from storage.tables import METADATA, UtcDateTime, insert_into

RESERVATIONS = Table(
    "spend_reservations",
    METADATA,
    Column("run_id", String(36), primary_key=True),
    Column("caller", String(255), nullable=False),
    Column("reserved_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("amount", BigInteger, nullable=False),
)
Index("spend_reservations_of_caller", RESERVATIONS.c.caller)


class By(StrEnum):
    DAY = "day"
    CALLER = "caller"
    MODEL = "model"
    PROVIDER = "provider"
    TEMPLATE = "template"
    TAG = "tag"


@dataclass(frozen=True)
class Period:
    """One cap: the amount, and since when spending counts towards it."""

    name: str
    cap: Micros
    since: datetime


@dataclass(frozen=True)
class SpendRow:
    group: str
    attempts: int
    useful: Micros
    wasted: Micros
    unpriced: int
    """Attempts that may have cost something, and nobody says what."""


class Spending:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def caps(self, caller: str) -> tuple[Micros | None, Micros | None]:
        """The caller's daily and monthly cap."""
        query = select(CALLERS.c.daily_cap, CALLERS.c.monthly_cap).where(CALLERS.c.id == caller)
        with answering_database():
            async with self._engine.connect() as connection:
                row = (await connection.execute(query)).one_or_none()
        return (None, None) if row is None else (row.daily_cap, row.monthly_cap)

    async def reserve(
        self, run_id: str, caller: str, amount: Micros, periods: Sequence[Period], now: datetime, expires_at: datetime
    ) -> tuple[Period, Micros] | None:
        """Hold back what a run may cost, or say which period has no room for it and what is taken of it already.

        Creates of one caller are counted one after the other, so that together they cannot pass a cap. Where two
        creates of the same run meet, the larger amount stands, and neither can give it back: the other may start it.
        """
        with answering_database():
            async with self._engine.connect() as connection:
                await self._take_turn(connection, caller)
                over = (RESERVATIONS.c.caller == caller) & (RESERVATIONS.c.expires_at <= now)
                await connection.execute(delete(RESERVATIONS).where(over))
                for period in periods:
                    taken = await self._taken(connection, caller, period.since, run_id)
                    if taken + amount > period.cap:
                        return period, taken
                row = {"run_id": run_id, "caller": caller, "reserved_at": now, "expires_at": expires_at}
                await connection.execute(self._joined({**row, "amount": amount}))
                await connection.commit()
        return None

    async def release(self, run_id: str, reserved_at: datetime) -> None:
        """Give back what was reserved at this moment, unless another create of the same run counts on it."""
        mine = release(run_id).where(RESERVATIONS.c.reserved_at == reserved_at)
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(mine)

    async def spent(
        self, by: By, since: datetime, until: datetime, *, caller: str | None = None, mode: str | None = None
    ) -> list[SpendRow]:
        """Ended attempts of a time, grouped. An attempt of a run with several tags counts under each of them."""
        group = _group(by, self._engine.dialect.name)
        table: Any = ATTEMPTS
        if by is By.TAG:
            table = ATTEMPTS.join(RUN_TAGS, RUN_TAGS.c.run_id == ATTEMPTS.c.run_id)
        wanted = [ATTEMPTS.c.ended_at >= since, ATTEMPTS.c.ended_at < until]
        if caller is not None:
            wanted.append(ATTEMPTS.c.caller == caller)
        if mode is not None:
            wanted.append(ATTEMPTS.c.mode == mode)
        query = (
            select(
                group.label("group"),
                func.count().label("attempts"),
                _sum(ATTEMPTS.c.useful).label("useful"),
                _sum(ATTEMPTS.c.wasted).label("wasted"),
                _sum(case((ATTEMPTS.c.useful.is_(None) | ATTEMPTS.c.wasted.is_(None), 1), else_=0)).label("unpriced"),
            )
            .select_from(table)
            .where(*wanted)
            .group_by(group)
            .order_by(group)
        )
        with answering_database():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
        return [SpendRow(str(row[0]), int(row[1]), int(row[2]), int(row[3]), int(row[4])) for row in rows]

    async def _take_turn(self, connection: AsyncConnection, caller: str) -> None:
        if self._engine.dialect.name == "sqlite":
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:caller))"), {"caller": caller})

    def _joined(self, row: dict[str, Any]) -> Any:
        """The row alone, or joined with one of the same run. One statement: the other may be given back meanwhile."""
        insert = insert_into(self._engine)(RESERVATIONS).values(**row)
        return insert.on_conflict_do_update(
            index_elements=["run_id"],
            set_={
                "amount": _larger(RESERVATIONS.c.amount, insert.excluded.amount),
                "expires_at": _larger(RESERVATIONS.c.expires_at, insert.excluded.expires_at),
                # A moment at which nobody reserved: `release` finds it for neither.
                "reserved_at": insert.excluded.expires_at,
            },
        )

    async def _taken(self, connection: AsyncConnection, caller: str, since: datetime, run_id: str) -> Micros:
        """What is spent, and set aside for other runs than this one, whose create may come a second time."""
        amount = func.coalesce(ATTEMPTS.c.useful, 0) + func.coalesce(ATTEMPTS.c.wasted, 0)
        ended = select(_sum(amount)).where(ATTEMPTS.c.caller == caller, ATTEMPTS.c.ended_at >= since)
        held = select(_sum(RESERVATIONS.c.amount)).where(
            RESERVATIONS.c.caller == caller, RESERVATIONS.c.run_id != run_id
        )
        return int(await connection.scalar(ended) or 0) + int(await connection.scalar(held) or 0)


def release(run_id: str) -> Any:
    """Part of archiving: from then on the ledger says what the run has cost."""
    return delete(RESERVATIONS).where(RESERVATIONS.c.run_id == run_id)


def _group(by: By, dialect: str) -> ColumnElement[Any]:
    if by is By.TAG:
        return RUN_TAGS.c.tag
    if by is By.DAY:
        # PostgreSQL would take the day of the session's time zone.
        return func.date(ATTEMPTS.c.ended_at if dialect == "sqlite" else func.timezone("UTC", ATTEMPTS.c.ended_at))
    return ATTEMPTS.c[by.value]


def _larger(one: Any, other: Any) -> Any:
    return case((one > other, one), else_=other)


def _sum(what: Any) -> Any:
    return func.coalesce(func.sum(what), 0)
