"""Callers: their caps, and the secrets that sign their callbacks."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import BigInteger, Column, String, Table, Text, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import RequestError, SetupError
from domain.money import Micros
from storage.database import answering_database
from storage.tables import METADATA, UtcDateTime, insert_into

CALLERS = Table(
    "callers",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    # Both are encrypted under BABYCHAIN_SECRET: they have to sign, so a hash would not do.
    Column("callback_secret", Text),
    Column("previous_callback_secret", Text),
    Column("previous_callback_until", UtcDateTime),
    Column("daily_cap", BigInteger),
    Column("monthly_cap", BigInteger),
)


@dataclass(frozen=True)
class StoredCaller:
    """What may be shown of a caller. Caps are micro-dollars; None is no cap."""

    id: str
    created_at: datetime
    daily_cap: Micros | None
    monthly_cap: Micros | None
    has_callback_secret: bool
    previous_callback_until: datetime | None


class Callers:
    """`default_secret` signs for callers without a secret of their own: `BABYCHAIN_CALLBACK_SECRET`."""

    def __init__(self, engine: AsyncEngine, *, secret: str, default_secret: str) -> None:
        self._engine = engine
        key = hashlib.sha256(b"babychain-callback-secrets:" + secret.encode()).digest()
        self._cipher = Fernet(base64.urlsafe_b64encode(key))
        self._default_secret = default_secret

    async def find(self, caller: str) -> StoredCaller | None:
        row = await self._row(caller)
        return None if row is None else _stored(row)

    async def set_caps(self, caller: str, *, daily: Micros | None, monthly: Micros | None) -> StoredCaller:
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(_of(caller).values(daily_cap=daily, monthly_cap=monthly))
        return _stored(await self._known_row(caller))

    async def rotate_callback_secret(self, caller: str, *, now: datetime, overlap: timedelta) -> str:
        """The new secret, shown this once. Until `overlap` has passed, callbacks carry the old one's signature too."""
        made = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        row = await self._known_row(caller)
        # The first secret of its own takes over from the deployment's, which is then the previous one.
        old = row["callback_secret"] or self._sealed(self._default_secret)
        changed = _of(caller).values(
            callback_secret=self._sealed(made), previous_callback_secret=old, previous_callback_until=now + overlap
        )
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(changed)
        return made

    async def callback_secrets(self, caller: str, *, now: datetime) -> list[str]:
        """Every secret whose signature a callback of this caller carries, the newest first."""
        row = await self._row(caller)
        if row is None or row["callback_secret"] is None:
            return [self._default_secret]
        sealed = [row["callback_secret"]]
        if row["previous_callback_until"] is not None and now < row["previous_callback_until"]:
            sealed.append(row["previous_callback_secret"])
        try:
            return [self._cipher.decrypt(secret.encode()).decode() for secret in sealed]
        except InvalidToken:
            raise SetupError(
                f"The callback secret of caller {caller!r} was stored under another BABYCHAIN_SECRET; rotate it."
            ) from None

    def _sealed(self, secret: str) -> str:
        return self._cipher.encrypt(secret.encode()).decode()

    async def _row(self, caller: str) -> dict[str, Any] | None:
        with answering_database():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(CALLERS).where(CALLERS.c.id == caller))).one_or_none()
        return None if row is None else dict(row._mapping)

    async def _known_row(self, caller: str) -> dict[str, Any]:
        row = await self._row(caller)
        if row is None:
            raise RequestError(f"There is no caller {caller!r}; a caller's first key makes it.", code="not_found")
        return row


async def ensure_caller(engine: AsyncEngine, connection: AsyncConnection, caller: str, now: datetime) -> None:
    await connection.execute(insert_into(engine)(CALLERS).values(id=caller, created_at=now).on_conflict_do_nothing())


def _of(caller: str) -> Any:
    return update(CALLERS).where(CALLERS.c.id == caller)


def _stored(row: dict[str, Any]) -> StoredCaller:
    shown: Sequence[str] = ("id", "created_at", "daily_cap", "monthly_cap", "previous_callback_until")
    return StoredCaller(**{name: row[name] for name in shown}, has_callback_secret=row["callback_secret"] is not None)
