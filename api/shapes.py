"""The shapes of answers, for OpenAPI: what callers may rely on. Answers may hold more; nothing here makes one."""

from typing import Any, Literal, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

Json = dict[str, Any]

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
    """A run as the list shows it: without `input` and `metadata`."""

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
    steps: list[Step]
    timeline: list[TimelineEvent]
    estimate: Cost
    retry_of: NotRequired[RetryOf]
    saved: NotRequired[Cost]
    cost: NotRequired[Spent]
    warnings: NotRequired[list[str]]


class Run(RunRow):
    """A run. `waiting_on` and `expected` stand there while it lives, and are null where nobody knows."""

    input: dict[str, Any]
    metadata: NotRequired[dict[str, Any]]
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


class Listed(TypedDict):
    """A list without pages."""

    object: Literal["list"]
    data: list[dict[str, Any]]
    has_more: bool
    url: str


class Delivery(TypedDict):
    id: str
    object: Literal["delivery"]
    event: str
    event_id: str
    status: str
    url: NotRequired[str]
    created_at: NotRequired[str]
    next_attempt_at: NotRequired[str]
    http_status: NotRequired[int]
    error: NotRequired[str]
    attempts: list[dict[str, Any]]


class DeletionUnderWay(TypedDict):
    id: str
    object: Literal["chain_run"]
    deleted: Literal[False]


class Spend(TypedDict):
    object: Literal["spend"]
    currency: Literal["USD"]
    mode: str
    by: str
    since: str
    until: str
    data: list[dict[str, Any]]


class InputField(TypedDict):
    name: str
    type: Literal["string", "number", "boolean", "url", "object", "array"]
    required: bool
    description: str
    default: NotRequired[Any]


class TemplateStep(TypedDict):
    key: str
    title: str
    kind: Kind
    model: str
    depends_on: list[str]


class Template(TypedDict):
    object: Literal["chain_template"]
    slug: str
    version: str
    title: str
    description: str
    input_fields: list[InputField]
    steps: list[TemplateStep]
    capabilities: dict[str, Any]
    schema_url: str


class TemplateList(TypedDict):
    object: Literal["list"]
    data: list[Template]
    has_more: bool
    url: str


class Model(TypedDict):
    object: Literal["model"]
    id: str
    provider: str
    kind: Kind
    raw_id: str
    modes: list[str]
    has_constraints: bool
    has_byok_schema: bool
    schema_url: str
    available: bool


class ModelList(TypedDict):
    object: Literal["list"]
    has_more: bool
    url: str
    data: list[Model]


class RawSchema(TypedDict):
    provider: str
    method: str
    endpoint: str
    request: dict[str, Any]
    response: dict[str, Any]
    notes: NotRequired[list[str]]


class ModelSchema(TypedDict):
    object: Literal["model_schema"]
    id: str
    provider: str
    kind: Kind
    raw_id: str
    modes: list[str]
    raw_schema: RawSchema
    babychain_constraints: dict[str, Any]
    available: bool
    input_pictures: dict[str, Any]
    safety_class: Literal["A", "B", "C"]
    hints: list[str]


class Asset(TypedDict):
    id: str
    object: Literal["asset"]
    url: str
    poster_url: str
    sha256: str
    bytes: int
    type: str
    width: NotRequired[int]
    height: NotRequired[int]
    seconds: NotRequired[float]
    fps: NotRequired[float]
    has_audio: NotRequired[bool]


class Key(TypedDict):
    """`key` itself is shown once, by the call that made it."""

    id: str
    object: Literal["api_key"]
    caller: str
    name: str
    prefix: str
    scopes: list[str]
    status: Literal["active", "expired", "revoked"]
    creates_per_minute: int | None
    reads_per_minute: int | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    replaced_by: str | None
    key: NotRequired[str]


class Caller(TypedDict):
    id: str
    object: Literal["caller"]
    created_at: str
    daily_cap: int | None
    monthly_cap: int | None
    has_callback_secret: bool
    previous_callback_until: str | None


class CallbackSecret(TypedDict):
    object: Literal["callback_secret"]
    caller: str
    secret: str


class Provider(TypedDict):
    object: Literal["provider"]
    name: str
    offered: bool
    mode: str
    safety_classes: list[str]
    breaker: dict[str, Any]
    paused_until: str | None
    disabled: dict[str, Any] | None
    limit: int | None
    active: int | None
    waiting: int
    models: list[dict[str, Any]]
    last_hour: dict[str, Any]
    last_day: dict[str, Any]


class ProviderList(TypedDict):
    object: Literal["list"]
    has_more: bool
    url: str
    data: list[Provider]


class ModelSwitch(TypedDict):
    object: Literal["model_switch"]
    id: str
    disabled: dict[str, Any] | None


class BulkCancel(TypedDict):
    object: Literal["bulk_cancel"]
    count: int
    dry_run: bool
    id: NotRequired[str]


class Workers(TypedDict):
    object: Literal["workers"]
    task_queue: str
    temporal: Literal["ok", "unreachable"]
    workers: list[dict[str, Any]]
    backlog: NotRequired[dict[str, Any]]


class Console(TypedDict):
    object: Literal["console"]
    caller: str
    scopes: list[str]
    mode: str
    temporal_ui: str | None
    prices: dict[str, Cost]


class Envelope(TypedDict):
    status: Literal["success", "error"]
    data: dict[str, Any]
    timestamp: str


class Health(TypedDict):
    status: str


class JsonSchema(TypedDict):
    type: Literal["object"]
    title: str
    properties: dict[str, Any]


_SHAPES: tuple[type[Any], ...] = (
    Error, Run, RunPage, Estimate, Listed, Delivery, DeletionUnderWay, Spend, TemplateList, ModelList, ModelSchema,
    Asset, Key, Caller, CallbackSecret, ProviderList, Provider, ModelSwitch, BulkCancel, Workers, Console, Envelope,
    Health, JsonSchema,
)  # fmt: skip


def components() -> Json:
    """Every shape as JSON Schema, by its class's name."""
    asked = [(shape.__name__, "serialization", TypeAdapter(shape)) for shape in _SHAPES]
    _, made = TypeAdapter.json_schemas(asked, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    found: Json = made["$defs"]
    return found
