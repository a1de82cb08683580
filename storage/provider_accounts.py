"""The rows of provider accounts, and of models that are switched off.

Each function is part of a caller's transaction.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Column, Float, Integer, String, Table, Text, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.breaker import Account
from storage.tables import METADATA, UtcDateTime, insert_into

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


async def read_all(connection: AsyncConnection) -> Known:
    accounts = (await connection.execute(select(_ACCOUNTS))).all()
    models = (await connection.execute(select(_DISABLED_MODELS))).all()
    return Known(
        {row.provider: Account(**row._mapping) for row in accounts},
        {row.model: DisabledModel(**row._mapping) for row in models},
    )


async def lock(connection: AsyncConnection, provider: str) -> Account:
    """The account, which until the end of the transaction nobody else changes."""
    mine = select(_ACCOUNTS).where(_ACCOUNTS.c.provider == provider).with_for_update()
    row = (await connection.execute(mine)).one_or_none()
    if row is None:
        new = insert_into(connection.engine)(_ACCOUNTS).values(asdict(Account(provider)))
        await connection.execute(new.on_conflict_do_nothing())
        row = (await connection.execute(mine)).one()
    return Account(**row._mapping)


async def save(connection: AsyncConnection, account: Account, changed: Account) -> None:
    if changed != account:
        row = update(_ACCOUNTS).where(_ACCOUNTS.c.provider == account.provider)
        await connection.execute(row.values(asdict(changed)))


async def renew_probe(connection: AsyncConnection, provider: str, holder: str, until: datetime) -> None:
    """Only where this holder is the account's probe."""
    mine = (_ACCOUNTS.c.provider == provider) & (_ACCOUNTS.c.probe_holder == holder)
    await connection.execute(update(_ACCOUNTS).where(mine).values(probe_until=until))


async def disable(connection: AsyncConnection, model: DisabledModel) -> None:
    """The first word stays."""
    row = insert_into(connection.engine)(_DISABLED_MODELS).values(asdict(model))
    await connection.execute(row.on_conflict_do_nothing())


async def enable(connection: AsyncConnection, model: str) -> None:
    await connection.execute(delete(_DISABLED_MODELS).where(_DISABLED_MODELS.c.model == model))
