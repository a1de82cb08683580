"""What the API tells of runs. Only what a caller works with has a name here; `data` holds all of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from babychain_client.errors import RunNotSucceeded

Json = dict[str, Any]

ENDED = frozenset({"succeeded", "failed", "canceled"})


@dataclass(frozen=True)
class Money:
    """US dollars. What nobody knows is None, never zero."""

    low: Decimal | None
    high: Decimal | None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        low, high = (None if data.get(name) is None else Decimal(data[name]) for name in ("low", "high"))
        return cls(low, high)

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return "unknown"
        return f"{self.high} USD" if self.low == self.high else f"{self.low} to {self.high} USD"


@dataclass(frozen=True)
class Problem:
    """Why a run or a step failed; `guidance` says what to try next."""

    code: str
    message: str
    guidance: Mapping[str, Any]

    @classmethod
    def read(cls, data: Mapping[str, Any] | None) -> Self | None:
        return None if data is None else cls(data["code"], data["message"], data.get("guidance", {}))


@dataclass(frozen=True)
class StepState:
    key: str
    kind: str
    model: str
    status: str
    outputs: tuple[str, ...]
    """Addresses of its files, signed and valid for days; read the run again for fresh ones."""
    error: Problem | None
    data: Json

    @classmethod
    def read(cls, data: Json) -> Self:
        return cls(
            key=data["step_key"],
            kind=data["step_kind"],
            model=data["model_identifier"],
            status=data["status"],
            outputs=tuple(data.get("generation_output_file", ())),
            error=Problem.read(data.get("error")),
            data=data,
        )


@dataclass(frozen=True)
class RunState:
    """A run as it was when it was read. Rows of a list and events of a stream lack `input` and `metadata`."""

    id: str
    chain: str
    status: str
    mode: str
    created_at: datetime
    steps: tuple[StepState, ...]
    error: Problem | None
    estimate: Money | None
    metadata: Mapping[str, Any]
    waiting_on: str | None
    """What a live run waits for, in a sentence."""
    data: Json

    @classmethod
    def read(cls, data: Json) -> Self:
        return cls(
            id=data["id"],
            chain=data["chain_slug"],
            status=data["status"],
            mode=data["mode"],
            created_at=datetime.fromisoformat(data["created_at"]),
            steps=tuple(StepState.read(step) for step in data["steps"]),
            error=Problem.read(data.get("error")),
            estimate=Money.read(data["estimate"]) if "estimate" in data else None,
            metadata=data.get("metadata", {}),
            waiting_on=(data.get("waiting_on") or {}).get("message"),
            data=data,
        )

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def succeeded(self) -> bool:
        return self.status == "succeeded"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Of the last step: what the chain was for."""
        return self.steps[-1].outputs

    def require_success(self) -> Self:
        if not self.succeeded:
            raise RunNotSucceeded(self)
        return self


@dataclass(frozen=True)
class Event:
    """One event of a run. Its kinds: `run` carries a state, `waiting` says what is waited for, `end` is the last."""

    kind: str
    id: str | None
    run: RunState | None
    data: Json

    @classmethod
    def read(cls, kind: str, id: str | None, data: Json) -> Self | None:
        """None for a kind that this version does not know."""
        if kind not in ("run", "waiting", "end"):
            return None
        return cls(kind, id, RunState.read(data) if kind == "run" else None, data)


@dataclass(frozen=True)
class Estimate:
    """What a run would cost and do; `data` shows each step's candidates and the very requests."""

    cost: Money
    warnings: tuple[str, ...]
    data: Json

    @classmethod
    def read(cls, data: Json) -> Self:
        return cls(Money.read(data["estimate"]), tuple(data.get("warnings", ())), data)


@dataclass(frozen=True)
class Page:
    """Of a list of runs."""

    runs: tuple[RunState, ...]
    next_cursor: str | None

    @classmethod
    def read(cls, data: Json) -> Self:
        return cls(tuple(map(RunState.read, data["data"])), data["next_cursor"] if data["has_more"] else None)


def rows(data: Json) -> list[Json]:
    """Of a list that comes whole."""
    return list(data["data"])
