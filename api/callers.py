"""Who asks: caller keys from the environment and from the store."""

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from api.wrong_keys import WrongKeys
from domain.errors import AuthError, SetupError, UnavailableError
from storage.database import answering_database
from storage.keys import LAST_USE_EVERY, KeyStore, StoredKey, hash_key

log = structlog.get_logger("babychain.api")

SCOPES = frozenset({"chains:run", "chains:read", "runs:cancel", "admin"})

FRESH = 4.0
DEAD = 5.0
"""Seconds. What is known of the store's keys is read anew when it is older than FRESH. While that fails it is still
believed, until it is DEAD: that long, at most, a revoked key can live."""

_EXTRA_READS = 10.0
_EXTRA_READS_PER_SECOND = 2.0
_AFTER_FAILURE = 0.5
_LONGEST_READ = 1.0
_PREFIX = 12


@dataclass(frozen=True)
class Caller:
    """`key` says with which of the caller's keys; limits that are None are the deployment's."""

    id: str
    scopes: frozenset[str]
    key: str = ""
    creates_per_minute: int | None = None
    reads_per_minute: int | None = None
    is_operator: bool = False
    """Known by a key of the environment, which has no caps."""


class EnvironmentKeys:
    """Keys of `BABYCHAIN_API_KEY`. A caller is known by its key's first 12 characters, so a key can be rotated
    without losing sight of its runs; only a hash of them leaves this class.

    They are the operator's: they hold every scope, `admin` too. Callers should get keys of the store.
    """

    def __init__(self, text: str) -> None:
        keys = [key.strip() for key in re.split(r"[,\n]", text) if key.strip()]
        if any(len(key) < _PREFIX for key in keys) or not keys:
            raise SetupError(f"BABYCHAIN_API_KEY holds a key shorter than {_PREFIX} characters, or none.")
        if len({key[:_PREFIX] for key in keys}) < len(keys):
            raise SetupError(f"Two keys of BABYCHAIN_API_KEY share their first {_PREFIX} characters.")
        self._keys = [(key.encode(), _operator(key)) for key in keys]

    def find(self, given: str) -> Caller | None:
        found: Caller | None = None
        for key, caller in self._keys:
            # Every key is compared, so the time says nothing about which one came near.
            if hmac.compare_digest(key, given.encode("utf-8", "replace")):
                found = caller
        return found


class StoreKeys:
    """The store's live keys, held as one picture that is taken again every few seconds.

    So a request costs no query. An unknown key may have been made a moment ago and is looked for once more, as long
    as there are not many: a flood of wrong keys costs two queries a second. Keys are found by their hash, whose
    look-up time says nothing about a key of 256 random bits.
    """

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._picture: Mapping[str, StoredKey] = {}
        self._taken = self._failed = -DEAD - 1
        self._extra, self._extra_counted = _EXTRA_READS, clock()
        self._reading: asyncio.Task[None] | None = None
        self._noted: dict[str, datetime] = {}
        self._noting: set[asyncio.Task[None]] = set()

    async def find(self, given: str, *, anew: bool = True) -> Caller | None:
        """`anew`: whether a key that is not known may be looked for once more."""
        digest, now = hash_key(given), datetime.now(UTC)
        if self._clock() - self._taken > FRESH or (anew and digest not in self._picture and self._may_read_extra()):
            await self._refresh()
        found = self._picture.get(digest)
        if found is None or not hmac.compare_digest(found.hash, digest) or not found.is_live(now):
            return None
        self._note_use(found, now)
        return Caller(found.caller, found.scopes, found.id, found.creates_per_minute, found.reads_per_minute)

    def forget(self) -> None:
        """This process itself has changed a key."""
        self._taken = -DEAD - 1

    async def aclose(self) -> None:
        await asyncio.gather(*self._noting, return_exceptions=True)

    def _may_read_extra(self) -> bool:
        if self._reading is not None:
            return True
        now = self._clock()
        refilled = self._extra + (now - self._extra_counted) * _EXTRA_READS_PER_SECOND
        self._extra, self._extra_counted = min(_EXTRA_READS, refilled), now
        if self._extra < 1:
            return False
        self._extra -= 1
        return True

    async def _refresh(self) -> None:
        try:
            await self._join_reading()
        except UnavailableError:
            if self._clock() - self._taken > DEAD:
                raise

    async def _join_reading(self) -> None:
        if self._clock() - self._failed <= _AFTER_FAILURE:
            raise UnavailableError("The database does not answer.", code="database_unreachable", retry_after=1.0)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            # Whoever waited for it may have gone when it fails.
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        # All who wait share one query, and one who goes away does not stop it.
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        began = self._clock()
        try:
            with answering_database():
                async with asyncio.timeout(_LONGEST_READ):
                    live = await self._store.live(datetime.now(UTC))
        except UnavailableError:
            self._failed = self._clock()
            raise
        finally:
            self._reading = None
        self._picture = {key.hash: key for key in live}
        self._taken = began
        ids = {key.id for key in live}
        self._noted = {key: when for key, when in self._noted.items() if key in ids}

    def _note_use(self, key: StoredKey, now: datetime) -> None:
        last = self._noted.get(key.id) or key.last_used_at
        if last is not None and now - last < LAST_USE_EVERY:
            return
        self._noted[key.id] = now
        task = asyncio.create_task(self._write_use(key.id, now))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _write_use(self, key_id: str, now: datetime) -> None:
        try:
            await self._store.note_use(key_id, now=now)
        except UnavailableError:
            log.warning("last_use_not_noted", key=key_id)


@dataclass(frozen=True)
class Keys:
    """The environment's keys are looked at first: they work while the database is down."""

    environment: EnvironmentKeys
    store: StoreKeys
    wrong: WrongKeys = field(default_factory=WrongKeys)

    async def authenticate(self, authorization: str | None, address: str = "") -> Caller:
        """`address`: where the request came from."""
        given = _bearer(authorization)
        found = self.environment.find(given) or await self.store.find(given, anew=not self.wrong.are_too_many(address))
        if found is None:
            self.wrong.count(address)
            raise AuthError("This key is not known here.")
        return found


def _bearer(authorization: str | None) -> str:
    scheme, _, given = (authorization or "").partition(" ")
    if scheme != "Bearer" or not given:
        raise AuthError("Send your key as 'Authorization: Bearer <key>'.", code="missing_api_key")
    return given


def _operator(key: str) -> Caller:
    return Caller(_caller_id(key), SCOPES, _caller_id(key), is_operator=True)


def _caller_id(key: str) -> str:
    return "key-" + hashlib.sha256(b"babychain-caller:" + key[:_PREFIX].encode()).hexdigest()[:16]
