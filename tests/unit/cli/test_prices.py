"""What `estimate` and `run --each` say that runs cost at most."""

from decimal import Decimal
from typing import Any

from babychain_client import Estimate
from cli.prices import Most, Total, most


def price(high: str | None) -> dict[str, Any]:
    return {"currency": "USD", "low": high, "high": high}


def estimate(together: str | None, *steps: list[str | None]) -> Estimate:
    shown = [{"candidates": [{"estimate": price(high)} for high in candidates]} for candidates in steps]
    return Estimate.read({"estimate": price(together), "steps": shown})


def test_the_dearest_model_of_every_step_counts() -> None:
    assert most(estimate("0.3", ["0.1"], ["0.2", "0.5"])) == Most(Decimal("0.6"), is_open=False)


def test_a_stand_in_without_a_price_leaves_no_upper_bound() -> None:
    assert most(estimate("0.3", ["0.1"], ["0.2", None])) == Most(Decimal("0.3"), is_open=True)
    assert most(estimate(None, ["0.1"], [None, "0.2"])) is None


def test_a_total_says_what_it_leaves_out() -> None:
    total = Total()
    total.add(estimate("0.3", ["0.3"]), 2)
    assert str(total) == "together at most 0.6 USD"
    total.add(estimate("0.1", ["0.1", None]), 3)
    total.add(estimate(None, [None]), 4)
    assert str(total) == (
        "together at most 0.9 USD; more if a stand-in with no published price serves, as it may in 3 of them; "
        "what 4 of them cost is not known"
    )
    only_refused = Total(refused=1)
    assert "USD" not in str(only_refused), "nothing is said of money where nothing is known"
