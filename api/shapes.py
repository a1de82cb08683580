"""The shapes of answers, for OpenAPI: what callers may rely on. Answers may hold more; nothing here makes one."""

from typing import Any, Literal, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from api.run_shapes import Cost, Error, Estimate, Kind, Run, RunPage

Json = dict[str, Any]


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
