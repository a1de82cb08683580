"""What all workers know of the provider accounts: breakers, switches, places in use, and who waits for one.

Every decision about an account is one short transaction that holds its row, so that two workers never decide on the
same state. The moment comes from the caller: workers use the Temporal server's clock, since their own differ.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.breaker import Account, Go, Shut, Wait, decide
from domain.provider import Job
from storage import provider_accounts as accounts
from storage import provider_places as places
from storage.database import answering_database
from storage.provider_accounts import DisabledModel, Known
from storage.provider_places import Use

__all__ = ["LEASE", "DisabledModel", "Known", "ProviderGate", "Use"]

LEASE = timedelta(seconds=28)
"""A place or a probe whose holder says nothing for so long is free again. A little longer than the heartbeat timeout:
by then the server has given the silent attempt up, and the fence lets it send nothing."""

_NEWEST_COUNTS = 0.3


class ProviderGate:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer. Queueing here is cheaper than its busy waiting.
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if self._is_sqlite else nullcontext()

    # ---- accounts and switches --------------------------------------------------------------------------------

    async def known(self) -> Known:
        async with self._reading() as connection:
            return await accounts.read_all(connection)

    async def change(self, provider: str, to: Callable[[Account], Account]) -> tuple[Account, Account]:
        """The account as it was, and as it is now."""
        async with self._holding(provider) as (connection, account):
            changed = to(account)
            await accounts.save(connection, account, changed)
        return account, changed

    async def disable_model(self, model: DisabledModel) -> None:
        async with self._writing() as connection:
            await accounts.disable(connection, model)

    async def enable_model(self, model: str) -> None:
        async with self._writing() as connection:
            await accounts.enable(connection, model)

    # ---- places -----------------------------------------------------------------------------------------------

    async def enter(
        self, provider: str, holder: str, now: datetime, limit: int | None = None, *, model_disabled: bool = False
    ) -> Go | Wait | Shut:
        """May this start go ahead? If so it holds its place; if it has to wait, it stands in line."""
        async with self._holding(provider) as (connection, account):
            seen = await places.look(connection, provider, holder, limit, now)
            answer = decide(account, replace(seen.line, model_disabled=model_disabled), holder, now, LEASE)
            if isinstance(answer, Wait):
                await places.stand_in_line(connection, provider, holder, now, answer.seconds)
                return answer
            if seen.stale_line:
                await places.leave_line(connection, provider, holder, now)
            if isinstance(answer, Go):
                await accounts.save(connection, account, answer.account)
                if limit is not None:
                    await places.put(connection, provider, holder, now, now + LEASE)
                    if seen.stale_places:
                        await places.clear(connection, provider, now)
        return answer

    async def hold(self, provider: str, holder: str, now: datetime, until: datetime, job: Job | None = None) -> None:
        """Keep a place, for a job where there is one. A job that was found again takes one even where none is free:
        it runs."""
        async with self._writing() as connection:
            await places.put(connection, provider, holder, now, until, job)

    async def renew(self, provider: str, holder: str, now: datetime) -> None:
        async with self._writing() as connection:
            await places.renew(connection, provider, holder, now + LEASE)
            await accounts.renew_probe(connection, provider, holder, now + LEASE)

    async def leave(self, provider: str, holder: str, now: datetime) -> None:
        """Give the place back. Safe to repeat."""
        async with self._holding(provider) as (connection, account):
            since = await places.give_back(connection, provider, holder)
            if since is not None:
                await accounts.save(connection, account, _learned(account, max((now - since).total_seconds(), 0.0)))

    async def forgotten(self, provider: str, now: datetime) -> tuple[str, Job] | None:
        """The place whose job no waiting start has looked at for longest, if that is long. Whoever asks looks now."""
        async with self._writing() as connection:
            return await places.least_looked_at(connection, provider, now)

    async def use(self, now: datetime) -> Mapping[str, Use]:
        async with self._reading() as connection:
            return await places.use(connection, now)

    # ---- transactions -----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with answering_database():
            async with self._engine.connect() as connection:
                yield connection

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
        async with self._writing() as connection:
            yield connection, await accounts.lock(connection, provider)


def _learned(account: Account, held: float) -> Account:
    """A running average: what the last few places were held for."""
    before = account.held_for or held
    return replace(account, held_for=before + _NEWEST_COUNTS * (held - before))
