"""Money in whole micro-dollars: never a float, and what is unknown is said as unknown."""

import re
from dataclasses import dataclass
from decimal import Decimal

Micros = int
AMOUNT = r"[0-9]+(\.[0-9]{1,6})?"
"""An amount of dollars as text. `Decimal` would also take underscores, exponents, signs and any script's digits."""
MOST_DOLLARS = 10**9


def dollars(amount: Micros) -> str:
    """`65_000` reads as `0.065`."""
    whole, rest = divmod(abs(amount), 1_000_000)
    text = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if amount < 0 else text


def micros_of(amount: str | float) -> Micros:
    """`0.5` and `"0.50"` are 500_000. What is no amount of dollars, or finer than a millionth, is a ValueError."""
    if isinstance(amount, bool) or not isinstance(amount, (str, int, float)):
        raise ValueError("an amount is a number or a text")  # noqa: TRY004  # one error for the callers
    if isinstance(amount, str) and not re.fullmatch(AMOUNT, amount):
        raise ValueError("not an amount")
    try:
        micros = Decimal(str(amount)) * 1_000_000
        if not 0 <= micros <= MOST_DOLLARS * 1_000_000 or micros != int(micros):
            raise ValueError("not an amount")
    except ArithmeticError as error:
        raise ValueError("not an amount") from error
    return int(micros)


@dataclass(frozen=True)
class Cost:
    """What a job is expected to cost. `None` is an amount that nobody knows before the job has run."""

    low: Micros | None
    high: Micros | None

    @classmethod
    def exactly(cls, amount: Micros) -> "Cost":
        return cls(amount, amount)

    @classmethod
    def unknown(cls) -> "Cost":
        return cls(None, None)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(_sum(self.low, other.low), _sum(self.high, other.high))


def _sum(one: Micros | None, other: Micros | None) -> Micros | None:
    return None if one is None or other is None else one + other
