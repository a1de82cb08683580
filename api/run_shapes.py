"""The shapes of runs, estimates and errors in answers, for OpenAPI."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

Status = Literal["queued", "running", "succeeded", "failed", "canceled"]
StepStatus = Literal["queued", "running", "succeeded", "failed", "canceled", "skipped"]
Kind = Literal["image", "video"]


class Guidance(TypedDict):
    summary: str
    what_to_try_next: list[str]


class Fault(TypedDict):
    path: list[str | int]
    message: str


class ErrorFacts(TypedDict):
    type: Literal[
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "rate_limit_error",
        "idempotency_error",
        "api_error",
    ]
    code: str
    message: str
    details: NotRequired[dict[str, Any]]
    guidance: NotRequired[Guidance]
    errors: NotRequired[list[Fault]]
    request_id: NotRequired[str]


class Error(TypedDict):
    error: ErrorFacts


class Problem(TypedDict):
    code: str
    message: str
    guidance: NotRequired[Guidance]


class Cost(TypedDict):
    currency: Literal["USD"]
    low: str | None
    high: str | None


class Amount(TypedDict):
    currency: Literal["USD"]
    amount: str


class Spent(TypedDict):
    useful: Cost
    wasted: Cost


class ServedBy(TypedDict):
    provider: str
    model: str


class Attempt(TypedDict):
    number: int
    provider: str
    model: str
    safety_class: Literal["A", "B", "C"]
    outcome: str
    started_at: str | None
    completed_at: str | None
    cost: NotRequired[Amount]
    not_told: NotRequired[list[str]]
    adapted: NotRequired[str]
    note: NotRequired[str]
    error: NotRequired[Problem]


class Reused(TypedDict):
    saved: Cost


class Step(TypedDict):
    id: str
    step_index: int
    step_key: str
    step_kind: Kind
    model_identifier: str
    status: StepStatus
    created_at: str
    updated_at: str
    depends_on: list[str]
    started_at: str | None
    completed_at: str | None
    generation_input_file: NotRequired[list[str]]
    generation_output_file: NotRequired[list[str]]
    error: NotRequired[Problem]
    provider_metadata: NotRequired[dict[str, str]]
    provider_order: NotRequired[list[str]]
    provider_used: NotRequired[str]
    babysea_generation_id: NotRequired[str]
    babysea_prediction_id: NotRequired[str]
    babysea_request_id: NotRequired[str]
    babysea_idempotency_replayed: NotRequired[bool]
    estimate: Cost
    served_by: NotRequired[ServedBy]
    reused: NotRequired[Reused]
    attempts: NotRequired[list[Attempt]]
    cost: NotRequired[Spent]
    cancel_outcome: NotRequired[str]


class TimelineEvent(TypedDict):
    object: Literal["chain_run_timeline_event"]
    step_index: int
    step_key: str
    step_kind: Kind
    model_identifier: str
    status: StepStatus
    depends_on: list[str]
    created_at: str
    updated_at: str
    started_at: NotRequired[str]
    completed_at: NotRequired[str]
    duration_ms: NotRequired[int]
    provider_used: NotRequired[str]
    output_files_count: NotRequired[int]
    error: NotRequired[Problem]


class WaitingOn(TypedDict):
    who: Literal["worker", "provider_limit", "provider", "storage", "caller_limit"]
    since: str
    message: str
    next_check: str | None


class Expected(TypedDict):
    p50_seconds: float
    p90_seconds: float


class RetryOf(TypedDict):
    run_id: str
    from_step: str


class RunRow(TypedDict):
    """A run as the list shows it: without `input` and `metadata`, but with the first words of its prompt."""

    id: str
    object: Literal["chain_run"]
    chain_slug: str
    chain_version: str
    mode: Literal["byok", "babysea", "sandbox"]
    status: Status
    created_at: str
    updated_at: str
    current_step_key: str
    error: NotRequired[Problem]
    client_request_id: NotRequired[str]
    prompt: NotRequired[str]
    steps: list[Step]
    timeline: list[TimelineEvent]
    estimate: Cost
    max_cost: NotRequired[Amount]
    retry_of: NotRequired[RetryOf]
    saved: NotRequired[Cost]
    cost: NotRequired[Spent]
    warnings: NotRequired[list[str]]


class Run(RunRow):
    """A run. `waiting_on` and `expected` stand there while it lives, and are null where nobody knows."""

    input: dict[str, Any]
    metadata: NotRequired[dict[str, Any]]
    retried_by: NotRequired[list[str]]
    waiting_on: NotRequired[WaitingOn | None]
    expected: NotRequired[Expected | None]


class RunPage(TypedDict):
    object: Literal["list"]
    data: list[RunRow]
    has_more: bool
    next_cursor: str | None
    url: str


class ProviderRequest(TypedDict):
    method: str
    url: str
    body: Any


class Candidate(TypedDict):
    model: str
    provider: str
    safety_class: Literal["A", "B", "C"]
    estimate: Cost
    price_source: NotRequired[dict[str, str]]
    hints: NotRequired[list[str]]
    not_told: NotRequired[list[str]]
    request: ProviderRequest


class EstimatedStep(TypedDict):
    step_index: int
    step_key: str
    step_kind: Kind
    depends_on: list[str]
    estimate: Cost
    candidates: list[Candidate]


class Estimate(TypedDict):
    object: Literal["chain_estimate"]
    chain_slug: str
    chain_version: str
    mode: str
    input: dict[str, Any]
    estimate: Cost
    steps: list[EstimatedStep]
    max_cost: NotRequired[Amount]
    warnings: NotRequired[list[str]]
