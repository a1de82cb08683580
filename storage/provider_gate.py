"""What all workers know of the provider accounts: breakers, switches, places in use, and who waits for one.

Every decision about an account is one short transaction that holds its row, so that two workers never decide on the
same state. The moment comes from the caller: workers use the Temporal server's clock, since their own differ.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Float, Integer, String, Table, Text, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.breaker import Account, Go, Line, Shut, Wait, decide
from domain.provider import Job
from storage.database import answering_database
from storage.tables import METADATA, UtcDateTime, insert_into

LEASE = timedelta(seconds=28)
"""A place or a probe whose holder says nothing for so long is free again. A little longer than the heartbeat timeout:
by then the server has given the silent attempt up, and the fence lets it send nothing."""

_OVERDUE = timedelta(seconds=10)
_ABOUT_TO_ASK = timedelta(seconds=1)
_NOT_LOOKED_AT = timedelta(seconds=10)
_NEWEST_COUNTS = 0.3

_ACCOUNTS = Table(
    "provider_accounts",
    METADATA,
    Column("provider", String(64), primary_key=True),
    Column("trouble", String(32)),
    Column("code", String(128)),
    Column("message", Text),
    Column("since", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("failed_reads", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("openings", Integer, nullable=False),
    Column("next_probe", UtcDateTime),
    Column("probe_holder", String(255)),
    Column("probe_until", UtcDateTime),
    Column("limited", Integer, nullable=False),
    Column("paused_until", UtcDateTime),
    Column("paced_until", UtcDateTime),
    Column("next_start", UtcDateTime),
    Column("held_for", Float, nullable=False),
    Column("disabled_since", UtcDateTime),
    Column("disabled_by", String(255)),
    Column("disabled_reason", Text),
)

_DISABLED_MODELS = Table(
    "disabled_models",
    METADATA,
    Column("model", String(128), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("by", String(255), nullable=False),
    Column("reason", Text),
)

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
class DisabledModel:
    model: str
    since: datetime
    by: str
    reason: str | None


@dataclass(frozen=True)
class Known:
    """All accounts and switches at one moment."""

    accounts: Mapping[str, Account]
    disabled_models: Mapping[str, DisabledModel]

    def account(self, provider: str) -> Account:
        return self.accounts.get(provider) or Account(provider)


@dataclass(frozen=True)
class Use:
    """How many places of an account are taken, and how many starts wait for it."""

    active: int = 0
    waiting: int = 0


class ProviderGate:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer. Queueing here is cheaper than its busy waiting.
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if self._is_sqlite else nullcontext()

    # ---- accounts ---------------------------------------------------------------------------------------------

    async def known(self) -> Known:
        with answering_database():
            async with self._engine.connect() as connection:
                accounts = (await connection.execute(select(_ACCOUNTS))).all()
                models = (await connection.execute(select(_DISABLED_MODELS))).all()
        return Known(
            {row.provider: Account(**row._mapping) for row in accounts},
            {row.model: DisabledModel(**row._mapping) for row in models},
        )

    async def change(self, provider: str, to: Callable[[Account], Account]) -> tuple[Account, Account]:
        """The account as it was, and as it is now."""
        async with self._holding(provider) as (connection, account):
            changed = to(account)
            await _save(connection, account, changed)
        return account, changed

    async def disable_model(self, model: DisabledModel) -> None:
        insert = insert_into(self._engine)
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(insert(_DISABLED_MODELS).values(asdict(model)).on_conflict_do_nothing())

    async def enable_model(self, model: str) -> None:
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(delete(_DISABLED_MODELS).where(_DISABLED_MODELS.c.model == model))

    # ---- places -----------------------------------------------------------------------------------------------

    async def enter(
        self, provider: str, holder: str, now: datetime, limit: int | None = None, *, model_disabled: bool = False
    ) -> Go | Wait | Shut:
        """May this start go ahead? If so it holds its place; if it has to wait, it stands in line."""
        async with self._holding(provider) as (connection, account):
            line = replace(await self._line(connection, provider, holder, limit, now), model_disabled=model_disabled)
            answer = decide(account, line, holder, now, LEASE)
            if isinstance(answer, Wait):
                await self._stand_in_line(connection, provider, holder, now, answer.seconds)
                return answer
            gone = (_WAITING.c.holder == holder) | (_WAITING.c.due <= now - _OVERDUE)
            await connection.execute(delete(_WAITING).where(_WAITING.c.provider == provider, gone))
            if isinstance(answer, Go):
                await _save(connection, account, answer.account)
                if limit is not None:
                    await self._put_slot(connection, provider, holder, now, now + LEASE)
        return answer

    async def hold(self, provider: str, holder: str, now: datetime, until: datetime, job: Job | None = None) -> None:
        """Keep a place, for a job where there is one. A job that was found again takes one even where none is free:
        it runs."""
        async with self._writing() as connection:
            await self._put_slot(connection, provider, holder, now, until, job)

    async def renew(self, provider: str, holder: str, now: datetime) -> None:
        until = now + LEASE
        mine = (_ACCOUNTS.c.provider == provider) & (_ACCOUNTS.c.probe_holder == holder)
        async with self._writing() as connection:
            # A job that was accepted meanwhile has the place for its life.
            shorter = _is(_SLOTS, provider, holder) & (_SLOTS.c.until < until)
            await connection.execute(update(_SLOTS).where(shorter).values(until=until))
            await connection.execute(update(_ACCOUNTS).where(mine).values(probe_until=until))

    async def leave(self, provider: str, holder: str, now: datetime) -> None:
        """Give the place back. Safe to repeat."""
        async with self._holding(provider) as (connection, account):
            gone = delete(_SLOTS).where(_is(_SLOTS, provider, holder)).returning(_SLOTS.c.since)
            since = (await connection.execute(gone)).scalar_one_or_none()
            if since is not None:
                await _save(connection, account, _learned(account, max((now - since).total_seconds(), 0.0)))

    async def forgotten(self, provider: str, now: datetime) -> tuple[str, Job] | None:
        """The place whose job no waiting start has looked at for longest, if that is long. Whoever asks looks now."""
        old = (_SLOTS.c.provider == provider) & _SLOTS.c.job.is_not(None) & (_SLOTS.c.looked <= now - _NOT_LOOKED_AT)
        async with self._writing() as connection:
            row = (await connection.execute(select(_SLOTS).where(old).order_by(_SLOTS.c.looked).limit(1))).one_or_none()
            if row is None:
                return None
            await connection.execute(update(_SLOTS).where(_is(_SLOTS, provider, row.holder)).values(looked=now))
        return row.holder, Job(**json.loads(row.job))

    async def use(self, now: datetime) -> Mapping[str, Use]:
        taken = select(_SLOTS.c.provider).where(_SLOTS.c.until > now)
        waiting = select(_WAITING.c.provider).where(_WAITING.c.due > now - _OVERDUE)
        with answering_database():
            async with self._engine.connect() as connection:
                active = Counter((await connection.execute(taken)).scalars())
                queued = Counter((await connection.execute(waiting)).scalars())
        return {name: Use(active[name], queued[name]) for name in active.keys() | queued.keys()}

    # ---- shared -----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that in SQLite writes from its beginning, so that what it reads stays true."""
        async with self._turn:
            with answering_database():
                async with self._engine.connect() as connection:
                    if self._is_sqlite:
                        await connection.exec_driver_sql("BEGIN IMMEDIATE")
                    yield connection
                    await connection.commit()

    @asynccontextmanager
    async def _holding(self, provider: str) -> AsyncIterator[tuple[AsyncConnection, Account]]:
        mine = select(_ACCOUNTS).where(_ACCOUNTS.c.provider == provider).with_for_update()
        async with self._writing() as connection:
            row = (await connection.execute(mine)).one_or_none()
            if row is None:
                new = insert_into(self._engine)(_ACCOUNTS).values(asdict(Account(provider))).on_conflict_do_nothing()
                await connection.execute(new)
                row = (await connection.execute(mine)).one()
            yield connection, Account(**row._mapping)

    async def _line(
        self, connection: AsyncConnection, provider: str, holder: str, limit: int | None, now: datetime
    ) -> Line:
        mine = select(_WAITING.c.since).where(_is(_WAITING, provider, holder)).scalar_subquery()
        earlier = select(func.count()).where(
            _WAITING.c.provider == provider,
            _WAITING.c.holder != holder,
            _WAITING.c.due > now - _OVERDUE,
            _WAITING.c.since < func.coalesce(mine, now),
        )
        due = earlier.where(_WAITING.c.due <= now + _ABOUT_TO_ASK)
        taken = select(func.count()).where(
            _SLOTS.c.provider == provider, _SLOTS.c.holder != holder, _SLOTS.c.until > now
        )
        counted = select(earlier.scalar_subquery(), due.scalar_subquery(), taken.scalar_subquery())
        before, before_and_due, active = (await connection.execute(counted)).one()
        return Line(before, before_and_due, limit, (limit or 0) - active)

    async def _stand_in_line(
        self, connection: AsyncConnection, provider: str, holder: str, now: datetime, seconds: float
    ) -> None:
        due = now + timedelta(seconds=seconds)
        row = insert_into(self._engine)(_WAITING).values(provider=provider, holder=holder, since=now, due=due)
        await connection.execute(row.on_conflict_do_update(index_elements=["provider", "holder"], set_={"due": due}))

    async def _put_slot(
        self,
        connection: AsyncConnection,
        provider: str,
        holder: str,
        now: datetime,
        until: datetime,
        job: Job | None = None,
    ) -> None:
        changed: dict[str, Any] = {"until": until, "looked": now}
        if job is not None:
            changed["job"] = json.dumps({"id": job.id, "facts": job.facts})
        row = insert_into(self._engine)(_SLOTS).values(provider=provider, holder=holder, since=now, **changed)
        await connection.execute(row.on_conflict_do_update(index_elements=["provider", "holder"], set_=changed))
        over = (_SLOTS.c.provider == provider) & (_SLOTS.c.until <= now)
        await connection.execute(delete(_SLOTS).where(over))


def _is(table: Table, provider: str, holder: str) -> Any:
    return (table.c.provider == provider) & (table.c.holder == holder)


async def _save(connection: AsyncConnection, account: Account, changed: Account) -> None:
    if changed != account:
        row = update(_ACCOUNTS).where(_ACCOUNTS.c.provider == account.provider)
        await connection.execute(row.values(asdict(changed)))


def _learned(account: Account, held: float) -> Account:
    """A running average: what the last few places were held for."""
    before = account.held_for or held
    return replace(account, held_for=before + _NEWEST_COUNTS * (held - before))
