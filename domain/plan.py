"""The plan of a run: every decision that could be taken before any money is spent. It is the workflow's input."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from domain.callbacks import RUN_COMPLETED
from domain.media import InputForm, InputRef, MediaKind
from domain.money import Cost, Micros
from domain.provider import Looks, SafetyClass

PLAN_VERSION = 1
MOST_TAGS = 20
TAG_BYTES = 200


def is_searchable(text: str) -> bool:
    """Whether a run can be found by this text of its caller's: databases have no place for NUL."""
    return 0 < len(text.encode()) <= TAG_BYTES and "\0" not in text


@dataclass(frozen=True)
class Candidate:
    """One model at one provider that may do a step."""

    model: str
    raw_id: str
    provider: str
    params: dict[str, Any]
    """Native parameters, without the input pictures: those are put in when the job is submitted."""
    safety: SafetyClass
    webhook: bool
    findable: bool
    pictures: int
    """How many input pictures it takes: those after them are left out."""
    input_forms: tuple[InputForm, ...] | None
    """How this model takes input pictures, where it is pickier than its provider."""
    looks: Looks
    submit_timeout: float
    patience: float
    """How long a provider may refuse before the next candidate is tried."""
    deadline: float
    cost: Cost
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reused:
    """What an earlier run made of this step. It is not done again, and not paid for again."""

    outputs: tuple[str, ...]
    metadata: dict[str, str]
    provider: str
    model: str
    saved: Cost
    """What it has cost then."""


@dataclass(frozen=True)
class Retry:
    """Which run this one retries, and from which step on."""

    run_id: str
    from_step: str


@dataclass(frozen=True)
class PlannedStep:
    key: str
    title: str
    kind: MediaKind
    takes: tuple[str, ...]
    inputs: tuple[InputRef, ...]
    """The caller's own input pictures; those of earlier steps come at run time."""
    candidates: tuple[Candidate, ...]
    deadline: float
    reused: Reused | None = None

    @property
    def cost(self) -> Cost:
        """What its first model is expected to cost."""
        return Cost.exactly(0) if self.reused else self.candidates[0].cost


@dataclass(frozen=True)
class RunOptions:
    """What a caller may say beside the input."""

    fallbacks: bool = True
    """Whether this deployment's fallbacks may stand in for a model that was named alone."""
    resubmit_unknown: bool = False
    """Whether a job is started anew when nobody can know whether the first start was paid for."""
    max_cost: Micros | None = None
    """What the run may cost at most."""
    webhook_events: tuple[str, ...] = (RUN_COMPLETED,)
    """What `webhook_url` is told of: the run's end, unless the caller chose otherwise."""


@dataclass(frozen=True)
class ChainPlan:
    v: int
    run_id: str
    template: str
    version: str
    mode: str
    caller: str
    created_at: datetime
    deadline: float
    steps: tuple[PlannedStep, ...]
    input: dict[str, Any]
    """What the caller is shown again: `chain_models` first, then the caller's own keys in the caller's order."""
    metadata: dict[str, Any] = field(default_factory=dict)
    webhook_url: str | None = None
    client_request_id: str | None = None
    options: RunOptions = RunOptions()
    warnings: tuple[str, ...] = ()
    retry: Retry | None = None

    def step_id(self, key: str) -> UUID:
        return uuid5(UUID(self.run_id), key)

    def tells(self, event: str) -> bool:
        """Whether the caller wants to be told of such an event."""
        return self.webhook_url is not None and event in self.options.webhook_events

    @property
    def tags(self) -> list[str]:
        """`metadata.tags`, as far as they can be searched for."""
        tags = self.metadata.get("tags")
        if not isinstance(tags, list):
            return []
        return [tag for tag in tags if isinstance(tag, str) and is_searchable(tag)][:MOST_TAGS]

    @property
    def cost(self) -> Cost:
        total = Cost.exactly(0)
        for step in self.steps:
            total += step.cost
        return total

    @property
    def saved(self) -> Cost:
        """What reused steps have cost when they were made."""
        return sum((step.reused.saved for step in self.steps if step.reused), Cost.exactly(0))
