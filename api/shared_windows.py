"""Rate-limit windows that all API processes share, in Redis; asked briefly, and left alone while it does not answer."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Self

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from api.local_windows import Window
from domain.errors import SetupError

log = structlog.get_logger("babychain.api")

_SCHEMES = ("redis://", "rediss://")
_PATIENCE = 0.05


class SharedWindows:
    """`patience`: seconds that a request waits for Redis at most. `pause`: how long Redis is left alone after that;
    then one look beside the requests tells whether it is back, so that no request pays for it twice."""

    def __init__(
        self, pool: ConnectionPool, *, patience: float, pause: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        # The library hands every option on to the client, and says of all of them that they are plain values.
        options: dict[str, Any] = {"connection_pool": pool}
        storage = RedisStorage("async+redis://", implementation="redispy", key_prefix="babychain", **options)
        self._windows = MovingWindowRateLimiter(storage)
        self._redis = Redis(connection_pool=pool)
        self._pool = pool
        self._patience = patience
        self._pause = pause
        self._clock = clock
        self._resting_until: float | None = None
        self._looking: asyncio.Task[None] | None = None

    @classmethod
    def open(cls, url: str, *, pause: float = 1.0) -> Self:
        """From `REDIS_URL`, whose `?socket_timeout=` may give a Redis that is further away more patience. Connects on
        first use."""
        if not url.startswith(_SCHEMES):
            raise SetupError("REDIS_URL must start with redis:// or rediss://.")
        try:
            pool = ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0))
        except ValueError:
            # The address may hold a password, so it is not repeated.
            raise SetupError("REDIS_URL cannot be read.") from None
        return cls(pool, patience=pool.connection_kwargs.get("socket_timeout") or _PATIENCE, pause=pause)

    async def hit(self, kind: str, key: str, limit: int) -> Window | None:
        """None while Redis is not there: the caller then has to do without."""
        if self._resting_until is not None:
            self._look_beside()
            return None
        rate = RateLimitItemPerMinute(limit)
        try:
            async with asyncio.timeout(self._patience):
                allowed = await self._windows.hit(rate, kind, key)
                reset, remaining = await self._windows.get_window_stats(rate, kind, key)
        except (RedisError, OSError) as error:
            self._rest(error)
            return None
        return Window(allowed, max(0, remaining), reset)

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._pool.aclose()

    def _rest(self, error: Exception) -> None:
        if self._resting_until is None:
            log.warning("redis_not_answering", error=type(error).__name__)
        self._resting_until = self._clock() + self._pause

    def _look_beside(self) -> None:
        if self._looking is None and self._resting_until is not None and self._clock() >= self._resting_until:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._redis.ping()
        except (RedisError, OSError) as error:
            self._rest(error)
        else:
            self._resting_until = None
            log.info("redis_back")
        finally:
            self._looking = None
