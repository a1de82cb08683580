"""Who may call: keys with scopes, each good in its own region; their request rates; and their credits."""

import re
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request
from starlette.responses import Response

from sandbox.providers.babysea.errors import Refusal
from sandbox.world import account_of

REGIONS = ("us", "eu", "jp")
_READ = frozenset({"generation:read", "account:read", "library:read", "health:read"})
_FULL = _READ | {"generation:write", "generation:delete"}
_PRESETS = {
    "generate_only": frozenset({"generation:write", "generation:read", "library:read"}),
    "read_only": _READ,
    "monitor_only": frozenset({"account:read", "health:read"}),
}
_PER_MINUTE = 6000  # of a key. No figure is published; the documentation's example shows 60
_REGION = re.compile(r"-(us|eu|jp)\b")
LOW_BALANCE = 0.50


@dataclass
class Account:
    id: str
    balance: float
    calls: deque[float] = field(default_factory=deque)


class Accounts:
    """A sandbox key tells by its name what it is: `sandbox-babysea-eu`, `sandbox-babysea-read_only`, `...-expired`."""

    def __init__(self, opening: float, *, limits: bool) -> None:
        self._limits = limits
        self._accounts: defaultdict[str, Account] = defaultdict(lambda: Account("", opening))
        self.on_low: Callable[[Account], None] = lambda account: None

    def admit(self, request: Request, region: str, scope: str) -> Account:
        key = key_of(request)
        if not key:
            raise Refusal(401, "An API key is required.", code="BSE1001", type="authentication_required")
        digest = account_of(key)
        home = _REGION.search(key)
        if digest is None or "-expired" in key or (home[1] if home else "us") != region:
            raise Refusal(401, "The API key is wrong, or has expired.")
        account = self._accounts[digest]
        account.id = f"acc_{digest}"
        self._count(account)
        if scope not in next((scopes for name, scopes in _PRESETS.items() if name in key), _FULL):
            raise Refusal(403, f"The API key lacks the scope {scope}.")
        return account

    def _count(self, account: Account) -> None:
        now = time.time()
        while account.calls and account.calls[0] <= now - 60:
            account.calls.popleft()
        if self._limits and len(account.calls) >= _PER_MINUTE:
            wait = max(1, round(account.calls[0] + 60 - now))
            details = {"retry_after_seconds": wait, "limit": _PER_MINUTE}
            raise Refusal(429, "Too many requests.", details=details, headers={"Retry-After": str(wait)})
        account.calls.append(now)

    def stamp(self, request: Request, answer: Response) -> None:
        """Every answer tells the rate."""
        account = self._accounts.get(account_of(key_of(request)) or "")
        used = len(account.calls) if account is not None else 0
        answer.headers["X-RateLimit-Limit"] = str(_PER_MINUTE)
        answer.headers["X-RateLimit-Remaining"] = str(max(0, _PER_MINUTE - used))
        answer.headers["X-RateLimit-Reset"] = str(int(time.time()) + 60)

    def reserve(self, account: Account, cost: float) -> None:
        if cost > account.balance:
            raise Refusal(402, "Insufficient credits.")
        before, account.balance = account.balance, round(account.balance - cost, 3)
        if account.balance < LOW_BALANCE <= before:
            self.on_low(account)

    def refund(self, account: Account, cost: float) -> None:
        account.balance = round(account.balance + cost, 3)


def key_of(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key if scheme == "Bearer" else ""
