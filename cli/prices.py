"""What runs may cost at most. An estimate's own sum is that of each step's first model; a stand-in may cost more."""

from dataclasses import dataclass
from decimal import Decimal

from babychain_client import Estimate

MORE = "more if a stand-in with no published price serves"


@dataclass(frozen=True)
class Most:
    """Of one run, whichever of its models with a published price serve."""

    dollars: Decimal
    is_open: bool
    """Whether a stand-in with no published price may serve: then it is no upper bound."""


def most(found: Estimate) -> Most | None:
    """None where a step's first model has no published price."""
    if found.cost.high is None:
        return None
    steps = [[one["estimate"]["high"] for one in step.get("candidates", ())] for step in found.data["steps"]]
    dearest = [max((Decimal(high) for high in highs if high is not None), default=Decimal(0)) for highs in steps]
    return Most(sum(dearest, Decimal(0)), any(None in highs for highs in steps))


@dataclass
class Total:
    """Of many runs, each counted once."""

    dollars: Decimal = Decimal(0)
    priced: int = 0
    open_ended: int = 0
    """Those that a stand-in with no published price may serve: the dollars are no upper bound."""
    unpriced: int = 0
    refused: int = 0
    """The API refuses one that differs from them in its words alone."""

    def add(self, found: Estimate, runs: int) -> None:
        bound = most(found)
        if bound is None:
            self.unpriced += runs
            return
        self.dollars += bound.dollars * runs
        if bound.is_open:
            self.open_ended += runs
        else:
            self.priced += runs

    def __str__(self) -> str:
        said = [f"together at most {self.dollars} USD"] if self.priced or self.open_ended else []
        if self.open_ended:
            said.append(f"{MORE}, as it may in {self.open_ended} of them")
        if self.unpriced:
            said.append(f"what {self.unpriced} of them cost is not known")
        if self.refused:
            said.append(f"the API refuses {self.refused} of them, or one just like them but for its words")
        return "; ".join(said)
