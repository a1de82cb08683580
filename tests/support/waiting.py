"""Waiting for something to become true, with a deadline; the only way tests here wait for work they do not hold."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(observe: Callable[[], Awaitable[T]], until: Callable[[T], bool], *, within: float = 10) -> T:
    """The first observation that satisfies `until`; on the deadline, an error that shows the last one."""
    last: T | None = None
    try:
        async with asyncio.timeout(within):
            while True:
                last = await observe()
                if until(last):
                    return last
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"not within {within} s; last seen: {last!r}") from None
