"""Wrong keys: how many an address may send in a minute before it is told to wait.

A key that is right is never refused here, however many wrong ones came from its address: callers share addresses, and
whoever guesses must not shut out the others. So this is no wall before a key, which its 256 random bits are. It keeps
those who guess from the database, tells a client with a stale key to slow down, and names the address in the log.
"""

import math
import time
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network

import structlog

from api.local_windows import LocalWindows
from domain.errors import LimitError

log = structlog.get_logger("babychain.api")

_KIND = "wrong keys"
_A_MINUTE = 60
_ADDRESSES = 4_096
"""Remembered at once: 3 MB when each of them has used up its minute."""


class WrongKeys:
    """Of this process: several of them together let through as many times more, and none of it is a right key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, a_minute: int = _A_MINUTE) -> None:
        self._windows = LocalWindows(clock, most=_ADDRESSES)
        self._a_minute = a_minute

    def are_too_many(self, address: str) -> bool:
        return self._windows.is_full(_KIND, _counted_as(address), self._a_minute)

    def count(self, address: str) -> None:
        """One more came from there. LimitError, when it is one too many."""
        window = self._windows.hit(_KIND, _counted_as(address), self._a_minute)
        if window.allowed:
            if window.remaining == 0:
                log.warning("wrong_keys", address=_counted_as(address), a_minute=self._a_minute)
            return
        seconds = max(1, math.ceil(window.reset - time.time()))
        raise LimitError(
            f"Too many wrong keys came from your address; check yours, and try again in {seconds} s.",
            retry_after=seconds,
            facts={"limit": self._a_minute, "remaining": 0, "reset": math.ceil(window.reset * 1000)},
        )


def _counted_as(address: str) -> str:
    """Whoever has one IPv6 address mostly has 2**64 of them. What a proxy says may be no address at all."""
    if ":" not in address:
        return address[:64]
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address[:64]
    return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
