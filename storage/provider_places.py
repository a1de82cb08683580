"""The rows of places in use at provider accounts, and of who stands in line for one.

Each function is part of a caller's transaction. Where it says that the account is locked, nobody else is let in
meanwhile, so what was counted stays true.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, String, Table, Text, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.breaker import Line
from domain.provider import Job
from storage.tables import METADATA, UtcDateTime, insert_into

_OVERDUE = timedelta(seconds=10)
_ABOUT_TO_ASK = timedelta(seconds=1)
_NOT_LOOKED_AT = timedelta(seconds=10)

_SLOTS = Table(
    "provider_slots",
    METADATA,
    Column("provider", String(64), primary_key=True),
    Column("holder", String(255), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("looked", UtcDateTime, nullable=False),
    Column("job", Text),
)

_WAITING = Table(
    "provider_waiting",
    METADATA,
    Column("provider", String(64), primary_key=True),
    Column("holder", String(255), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("due", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class Use:
    """How many places of an account are taken, and how many starts wait for it."""

    active: int = 0
    waiting: int = 0


@dataclass(frozen=True)
class Seen:
    line: Line
    stale_line: bool
    """In line stands this start itself, or one that should have come back long ago."""
    stale_places: bool
    """There are places whose time is over."""


# ---- the line ---------------------------------------------------------------------------------------------------


async def look(connection: AsyncConnection, provider: str, holder: str, limit: int | None, now: datetime) -> Seen:
    """What one look shows to this start. The account is locked."""
    mine = select(_WAITING.c.since).where(_is(_WAITING, provider, holder)).scalar_subquery()
    earlier = select(func.count()).where(
        _WAITING.c.provider == provider,
        _WAITING.c.holder != holder,
        _WAITING.c.due > now - _OVERDUE,
        _WAITING.c.since < func.coalesce(mine, now),
    )
    due = earlier.where(_WAITING.c.due <= now + _ABOUT_TO_ASK)
    taken = select(func.count()).where(_SLOTS.c.provider == provider, _SLOTS.c.holder != holder, _SLOTS.c.until > now)
    queries = (earlier, due, taken, _counted(_done_waiting(provider, holder, now)), _counted(_over(provider, now)))
    counts = select(*(query.scalar_subquery() for query in queries))
    before, before_and_due, active, done_waiting, over = (await connection.execute(counts)).one()
    line = Line(before, before_and_due, limit, (limit or 0) - active)
    return Seen(line, stale_line=done_waiting > 0, stale_places=over > 0)


async def stand_in_line(connection: AsyncConnection, provider: str, holder: str, now: datetime, seconds: float) -> None:
    due = now + timedelta(seconds=seconds)
    row = insert_into(connection.engine)(_WAITING).values(provider=provider, holder=holder, since=now, due=due)
    await connection.execute(row.on_conflict_do_update(index_elements=["provider", "holder"], set_={"due": due}))


async def leave_line(connection: AsyncConnection, provider: str, holder: str, now: datetime) -> None:
    """With it go those who should have come back, and did not."""
    await connection.execute(delete(_WAITING).where(_done_waiting(provider, holder, now)))


# ---- the places -------------------------------------------------------------------------------------------------


async def put(
    connection: AsyncConnection, provider: str, holder: str, now: datetime, until: datetime, job: Job | None = None
) -> None:
    """Take a place, or keep it for longer."""
    changed: dict[str, Any] = {"until": until, "looked": now}
    if job is not None:
        changed["job"] = json.dumps({"id": job.id, "facts": job.facts})
    row = insert_into(connection.engine)(_SLOTS).values(provider=provider, holder=holder, since=now, **changed)
    await connection.execute(row.on_conflict_do_update(index_elements=["provider", "holder"], set_=changed))


async def clear(connection: AsyncConnection, provider: str, now: datetime) -> None:
    """Places whose time is over are counted by nobody; now their rows go too."""
    await connection.execute(delete(_SLOTS).where(_over(provider, now)))


async def renew(connection: AsyncConnection, provider: str, holder: str, until: datetime) -> None:
    """A job that was accepted meanwhile has the place for its life: it is not cut short."""
    shorter = _is(_SLOTS, provider, holder) & (_SLOTS.c.until < until)
    await connection.execute(update(_SLOTS).where(shorter).values(until=until))


async def give_back(connection: AsyncConnection, provider: str, holder: str) -> datetime | None:
    """Since when it was held. None: it was given back before."""
    gone = delete(_SLOTS).where(_is(_SLOTS, provider, holder)).returning(_SLOTS.c.since)
    since: datetime | None = (await connection.execute(gone)).scalar_one_or_none()
    return since


async def least_looked_at(connection: AsyncConnection, provider: str, now: datetime) -> tuple[str, Job] | None:
    """The place whose job no waiting start has looked at for longest, if that is long. It counts as looked at now."""
    old = (_SLOTS.c.provider == provider) & _SLOTS.c.job.is_not(None) & (_SLOTS.c.looked <= now - _NOT_LOOKED_AT)
    row = (await connection.execute(select(_SLOTS).where(old).order_by(_SLOTS.c.looked).limit(1))).one_or_none()
    if row is None:
        return None
    await connection.execute(update(_SLOTS).where(_is(_SLOTS, provider, row.holder)).values(looked=now))
    return row.holder, Job(**json.loads(row.job))


async def use(connection: AsyncConnection, now: datetime) -> Mapping[str, Use]:
    taken = select(_SLOTS.c.provider).where(_SLOTS.c.until > now)
    waiting = select(_WAITING.c.provider).where(_WAITING.c.due > now - _OVERDUE)
    active = Counter((await connection.execute(taken)).scalars())
    queued = Counter((await connection.execute(waiting)).scalars())
    return {name: Use(active[name], queued[name]) for name in active.keys() | queued.keys()}


def _is(table: Table, provider: str, holder: str) -> Any:
    return (table.c.provider == provider) & (table.c.holder == holder)


def _done_waiting(provider: str, holder: str, now: datetime) -> Any:
    return (_WAITING.c.provider == provider) & ((_WAITING.c.holder == holder) | (_WAITING.c.due <= now - _OVERDUE))


def _over(provider: str, now: datetime) -> Any:
    return (_SLOTS.c.provider == provider) & (_SLOTS.c.until <= now)


def _counted(which: Any) -> Any:
    return select(func.count()).where(which)
