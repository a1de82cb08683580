"""What a provider adapter is, and the few words its answers are made of.

An adapter starts a job, reads its state, and cancels it. It never sleeps, loops or retries: waiting belongs to
the workflow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from domain.errors import Fault, StepError
from domain.media import ANY_PICTURE, InputFile, InputForm, MediaKind, MediaRequest, PictureLimits
from domain.money import Cost, Micros

Params = Mapping[str, Any]
"""A model's native parameters, as the provider's own documentation names them."""


# ---- a job and its states -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """A paid job at a provider: its id, and what else the adapter needs to find it again. Kept in the history."""

    id: str
    facts: dict[str, str] = field(default_factory=dict)
    cost: Micros | None = None


@dataclass(frozen=True)
class Output:
    """A finished file at the provider. The address may expire within minutes."""

    url: str


@dataclass(frozen=True)
class Accepted:
    job: Job
    adapted: str | None = None
    """How input pictures were changed to fit the model. The activity fills it in, not the adapter."""
    kind: Literal["accepted"] = "accepted"


@dataclass(frozen=True)
class Finished:
    """The provider answered the submit itself with the outputs: there is no job to look at."""

    outputs: tuple[Output, ...]
    cost: Micros | None = None
    facts: dict[str, str] = field(default_factory=dict)
    adapted: str | None = None
    kind: Literal["finished"] = "finished"


@dataclass(frozen=True)
class Pending:
    word: str = ""


@dataclass(frozen=True)
class Succeeded:
    outputs: tuple[Output, ...]
    cost: Micros | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    """Safe to show a caller: the contract's `last_frame_url` and `output_expires_at`."""


@dataclass(frozen=True)
class Failed:
    error: StepError


@dataclass(frozen=True)
class Canceled:
    pass


@dataclass(frozen=True)
class Unsure:
    """An answer that may change by itself. It is read again for `seconds` and `reads`; then `error` stands.

    Without that bound a status word that nobody knows keeps a job "running" for ever.
    """

    word: str
    error: StepError
    seconds: float = 120.0
    reads: int = 10


JobState = Pending | Succeeded | Failed | Canceled | Unsure


class CancelOutcome(StrEnum):
    STOPPED = "stopped"
    NOT_STOPPED = "not_stopped"
    """It goes on and may be billed."""


@dataclass(frozen=True)
class Notice:
    """What a webhook says. Unless the provider signs it, it is only a reason to look."""

    job_id: str | None = None
    status: str | None = None
    ended: bool = True


# ---- models ---------------------------------------------------------------------------------------------------


class SafetyClass(StrEnum):
    """What can be done when nobody knows whether a submit started a paid job."""

    A = "A"
    """It honours an idempotency key: the same key is sent again."""
    B = "B"
    """The job can be found, by a list that carries our token or by a webhook: it is adopted."""
    C = "C"
    """Neither: the step ends as `start_outcome_unknown`, unless the caller asked to resubmit."""


@dataclass(frozen=True)
class Looks:
    """How a job is watched: when the first look is due, the quick looks, and the slow ones after them, in seconds."""

    grace: float = 0.0
    """How long a webhook may take before we look ourselves."""
    quick_window: float = 10.0
    quick_pause: float = 1.0
    pause: float = 10.0
    longest_pause: float = 30.0
    search_pause: float = 5.0
    """Between two looks for a job whose start was not answered."""


@dataclass(frozen=True)
class Inputs:
    """The pictures a model takes."""

    minimum: int = 0
    maximum: int = 0


@dataclass(frozen=True)
class Further:
    """How a caller adds pictures of his own to the one that the chain hands on. They are numbered after it."""

    most: int
    read: Callable[[Params], tuple[tuple[str, ...], dict[str, Any]]]
    """The pictures that stand in such places, and the parameters without them."""
    is_place: Callable[[tuple[str | int, ...], Params], bool]
    """Whether such a picture, or a video that goes with such pictures, may stand at this path of the parameters."""


@dataclass(frozen=True)
class Mapped:
    """Native parameters made from a neutral request, and what this model cannot be told."""

    params: dict[str, Any]
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class PriceNote:
    """Of when a price is, and where it stands."""

    as_of: date
    source: str


@dataclass(frozen=True)
class ModelCard:
    """Everything the planner knows of a model."""

    id: str
    raw_id: str
    provider: str
    vendor: str
    kind: MediaKind
    params: type[BaseModel]
    endpoint: str
    price: Callable[[Params, int], Cost]
    """From native parameters and the number of input pictures."""
    read_neutral: Callable[[Params], MediaRequest]
    from_neutral: Callable[[MediaRequest], Mapped]
    read_inputs: Callable[[Params], tuple[tuple[str, ...], dict[str, Any]]]
    """The input pictures that a caller named in the native fields, and the parameters without them."""
    inputs: Inputs = Inputs()
    further: Further | None = None
    """The pictures that a caller may add in a step which the chain feeds."""
    pictures: PictureLimits = ANY_PICTURE
    """What each input picture may be."""
    input_forms: tuple[InputForm, ...] | None = None
    """The forms in which this model takes them, where they are not all that its provider accepts."""
    merge: Callable[[Params, Params], dict[str, Any]] = lambda mapped, native: {**mapped, **native}
    """Parameters mapped from BabyChain's own words, and the caller's native ones, which win."""
    owned: frozenset[str] = frozenset()
    """Fields that the adapter or the chain sets: a caller's value is refused by name, at any depth."""
    check: Callable[[Params], list[Fault]] = lambda params: []
    """Certain rules that no field says alone."""
    check_pictures: Callable[[Params, int], list[Fault]] = lambda params, pictures: []
    """Certain rules that also need the number of input pictures."""
    warn: Callable[[Params], list[Fault]] = lambda params: []
    """Uncertain rules: the provider decides."""
    warn_pictures: Callable[[Params, int], list[Fault]] = lambda params, pictures: []
    """Doubts that also need the number of input pictures, and what several of them change."""
    advise: Callable[[Params, int, int], str | None] = lambda params, width, height: None
    """What its maker advises where an input picture of this width and height is less than it should be."""
    looks: Looks = Looks()
    submit_timeout: float = 60.0
    deadline: float = 1800.0
    honours_key: bool = False
    findable: bool = False
    webhook: bool = False
    modes: tuple[str, ...] = ("babysea", "byok")
    speaks_words: bool = False
    """Its native parameters are the contract's own `generation_*` words, and reach it as the caller wrote them."""
    aliases: tuple[str, ...] = ()
    priced: PriceNote | None = None
    """None where no price is published."""
    hints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def safety(self, *, webhooks_reach_us: bool) -> SafetyClass:
        if self.honours_key:
            return SafetyClass.A
        return SafetyClass.B if self.findable or (self.webhook and webhooks_reach_us) else SafetyClass.C


# ---- the adapter ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class JobRequest:
    """One job to start: the model, its native parameters, the input pictures, and the attempt's own token."""

    model: str
    params: dict[str, Any]
    inputs: tuple[InputFile, ...]
    token: str


@dataclass(frozen=True)
class Window:
    """When a lost submit was under way, by the Temporal server's clock."""

    opened: datetime
    closed: datetime


@dataclass(frozen=True)
class Absent:
    """The provider's list covers the time of a lost submit, and its job is not in it."""


class Provider(Protocol):
    accepts: tuple[InputForm, ...]

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        """Start one paid job, or raise Refused (nothing started), StartUnknown, or what ends the attempt."""
        ...

    async def status(self, job: Job) -> JobState:
        """Read the one truth about a job. Raises Refused when it can't be read now."""
        ...

    async def cancel(self, job: Job) -> CancelOutcome: ...

    async def find(self, request: JobRequest, window: Window) -> Job | Absent | None:
        """Look up the job that a lost submit may have started. None: this provider, or this answer, cannot say."""
        ...

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """Verify first, parse second. Raises AuthError when a signature is missing or wrong."""
        ...
