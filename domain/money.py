"""Money in whole micro-dollars: never a float, and what is unknown is said as unknown."""

from dataclasses import dataclass

Micros = int


def dollars(amount: Micros) -> str:
    """`65_000` reads as `0.065`."""
    whole, rest = divmod(abs(amount), 1_000_000)
    text = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if amount < 0 else text


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
