"""Wait for something observable, with a limit; the pause only spares the processor."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], is_there: Callable[[T], bool], *, longest: float = 30.0) -> T:
    """The first look that satisfies. A TimeoutError says what was seen last."""
    seen = await look()
    try:
        async with asyncio.timeout(longest):
            while not is_there(seen):
                await asyncio.sleep(0.02)
                seen = await look()
    except TimeoutError:
        raise TimeoutError(f"not seen within {longest} s; last seen: {seen!r}") from None
    return seen
