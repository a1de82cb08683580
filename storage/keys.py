"""Caller keys: hashed, expiring, rotated with an overlap, revoked for good."""

import hashlib
import secrets
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import uuid_utils
from sqlalchemy import Column, ColumnElement, Index, Integer, String, Table, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import ConflictError, RequestError
from storage.callers import ensure_caller
from storage.database import answering_database
from storage.tables import METADATA, UtcDateTime, insert_into

PREFIX = 12
"""How much of a key may be shown, in lists and logs: enough to tell keys apart."""

LAST_USE_EVERY = timedelta(minutes=1)

_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("caller", String(64), nullable=False),
    Column("name", String(128), nullable=False),
    Column("prefix", String(PREFIX), nullable=False),
    # 256 random bits need no slow hash and no salt.
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", String(255), nullable=False),
    Column("creates_per_minute", Integer),
    Column("reads_per_minute", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("replaced_by", String(36)),
)
Index("api_keys_of_caller", _KEYS.c.caller)


@dataclass(frozen=True)
class NewKey:
    """Limits that are None are the deployment's."""

    caller: str
    name: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    creates_per_minute: int | None = None
    reads_per_minute: int | None = None


@dataclass(frozen=True, kw_only=True)
class StoredKey(NewKey):
    """What is kept of a key. The key itself only its holder has."""

    id: str
    prefix: str
    hash: str
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    replaced_by: str | None = None

    def is_live(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True)
class MadeKey:
    stored: StoredKey
    key: str
    """Shown this once."""


def hash_key(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


class KeyStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create(self, new: NewKey, *, now: datetime) -> MadeKey:
        made = _make(new, now)
        with answering_database():
            async with self._engine.begin() as connection:
                await ensure_caller(self._engine, connection, new.caller, now)
                await self._insert(connection, made.stored)
        return made

    async def listed(self, caller: str | None = None) -> list[StoredKey]:
        """Newest first, ended ones too."""
        return await self._select() if caller is None else await self._select(_KEYS.c.caller == caller)

    async def live(self, now: datetime) -> list[StoredKey]:
        return await self._select(_is_live(now))

    async def rotate(self, key_id: str, *, now: datetime, overlap: timedelta) -> MadeKey:
        """A new key of the same caller with the same rights. The old one works until `overlap` has passed."""
        old = await self._known(key_id)
        lifetime = None if old.expires_at is None else old.expires_at - old.created_at
        made = _make(_rights_of(old, expires_at=None if lifetime is None else now + lifetime), now)
        until = now + overlap if old.expires_at is None else min(old.expires_at, now + overlap)
        replaced = update(_KEYS).where(and_(_KEYS.c.id == key_id, _KEYS.c.replaced_by.is_(None), _is_live(now)))
        with answering_database():
            async with self._engine.begin() as connection:
                done = await connection.execute(replaced.values(expires_at=until, replaced_by=made.stored.id))
                if done.rowcount != 1:
                    raise ConflictError(
                        "This key has been rotated, revoked, or has expired; rotate its successor, or create a key.",
                        code="key_not_active",
                    )
                await self._insert(connection, made.stored)
        return made

    async def revoke(self, key_id: str, *, now: datetime) -> StoredKey:
        """Every process refuses the key within five seconds. A second time changes nothing."""
        revoked = update(_KEYS).where(and_(_KEYS.c.id == key_id, _KEYS.c.revoked_at.is_(None)))
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(revoked.values(revoked_at=now))
        return await self._known(key_id)

    async def note_use(self, key_id: str, *, now: datetime) -> None:
        """Of several processes that saw the key, one writes."""
        due = or_(_KEYS.c.last_used_at.is_(None), _KEYS.c.last_used_at <= now - LAST_USE_EVERY)
        with answering_database():
            async with self._engine.begin() as connection:
                await connection.execute(update(_KEYS).where(and_(_KEYS.c.id == key_id, due)).values(last_used_at=now))

    async def _known(self, key_id: str) -> StoredKey:
        found = await self._select(_KEYS.c.id == key_id)
        if not found:
            raise RequestError("There is no such key.", code="not_found")
        return found[0]

    async def _select(self, *where: ColumnElement[bool]) -> list[StoredKey]:
        wanted = select(_KEYS).where(*where).order_by(_KEYS.c.created_at.desc(), _KEYS.c.id.desc())
        with answering_database():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
        return [StoredKey(**dict(row._mapping) | {"scopes": frozenset(row.scopes.split())}) for row in rows]

    async def _insert(self, connection: AsyncConnection, key: StoredKey) -> None:
        values = {field.name: getattr(key, field.name) for field in fields(key)}
        await connection.execute(
            insert_into(self._engine)(_KEYS).values(values | {"scopes": " ".join(sorted(key.scopes))})
        )


def _make(new: NewKey, now: datetime) -> MadeKey:
    key = f"bchn_{secrets.token_urlsafe(32)}"
    given: dict[str, Any] = {field.name: getattr(new, field.name) for field in fields(NewKey)}
    stored = StoredKey(**given, id=str(uuid_utils.uuid7()), prefix=key[:PREFIX], hash=hash_key(key), created_at=now)
    return MadeKey(stored, key)


def _rights_of(key: StoredKey, *, expires_at: datetime | None) -> NewKey:
    return NewKey(key.caller, key.name, key.scopes, expires_at, key.creates_per_minute, key.reads_per_minute)


def _is_live(now: datetime) -> ColumnElement[bool]:
    return and_(_KEYS.c.revoked_at.is_(None), or_(_KEYS.c.expires_at.is_(None), _KEYS.c.expires_at > now))
