"""What OpenAPI shows of every operation's answer: its shape, and an example."""

from dataclasses import dataclass, field
from typing import Any

from api.examples import CREATE_EXAMPLE

Json = dict[str, Any]

RUN_ID = "3b1c8a4e-52d7-4f0a-9c11-6f2f0b0f7a10"
_ASSET = "5f0c7a0f0f5e9c1b7c1d6ad09a2b36f4e5b07c8d9e1f2a3b4c5d6e7f8a9b0c1d.jpg"
_LINK = f"https://api.example.com/assets/{_ASSET}?expires=1796083200&signature=kq3v"
_BORN = "2026-05-27T09:00:00.120451+00:00"


def _cost(low: str | None, high: str | None = None) -> Json:
    return {"currency": "USD", "low": low, "high": high or low}


def _step(index: int, key: str, kind: str, model: str, takes: list[str]) -> Json:
    return {
        "id": f"0f6a2f0e-4a35-4d0f-8a54-5f9d8a6f1c0{index + 1}",
        "step_index": index,
        "step_key": key,
        "step_kind": kind,
        "model_identifier": model,
        "status": "queued",
        "created_at": _BORN,
        "updated_at": _BORN,
        "depends_on": takes,
        "started_at": None,
        "completed_at": None,
        "estimate": _cost("0.06"),
    }


_STEPS = [
    _step(0, "text_to_image", "image", "bfl/flux-2-flex", []),
    _step(1, "image_to_video", "video", "bytedance/seedance-1.5-pro", ["text_to_image"]),
]
_EVENT_KEYS = (
    "step_index", "step_key", "step_kind", "model_identifier", "status", "depends_on", "created_at", "updated_at",
)  # fmt: skip
ROW: Json = {
    "id": RUN_ID,
    "object": "chain_run",
    "chain_slug": "chain1",
    "chain_version": "2026-05-23",
    "mode": "byok",
    "status": "queued",
    "created_at": _BORN,
    "updated_at": _BORN,
    "current_step_key": "processing",
    "client_request_id": "web-42",
    "steps": _STEPS,
    "timeline": [{"object": "chain_run_timeline_event"} | {key: step[key] for key in _EVENT_KEYS} for step in _STEPS],
    "estimate": _cost("0.12"),
}
RUN: Json = ROW | {
    "input": CREATE_EXAMPLE["input"],
    "metadata": CREATE_EXAMPLE["metadata"],
    "waiting_on": None,
    "expected": {"p50_seconds": 52.1, "p90_seconds": 88.0},
}
_CANCELED = RUN | {
    "status": "canceled",
    "current_step_key": "canceled",
    "error": {"code": "client_canceled", "message": "Chain run was canceled."},
}
_ESTIMATE: Json = {
    "object": "chain_estimate",
    "chain_slug": "image-to-video",
    "chain_version": "2026-11-20",
    "mode": "byok",
    "input": {"image_to_video_prompt": "waves roll"},
    "estimate": _cost("0.05", "0.13"),
    "steps": [
        {
            "step_index": 0,
            "step_key": "image_to_video",
            "step_kind": "video",
            "depends_on": [],
            "estimate": _cost("0.05", "0.13"),
            "candidates": [
                {
                    "model": "bytedance/seedance-1.5-pro",
                    "provider": "byteplus",
                    "safety_class": "B",
                    "estimate": _cost("0.05", "0.13"),
                    "request": {
                        "method": "POST",
                        "url": "https://ark.ap-southeast.bytepluses.com/api/v3/contents/generations/tasks",
                        "body": {"content": [{"type": "text", "text": "waves roll"}]},
                    },
                }
            ],
        }
    ],
}
_DELIVERY: Json = {
    "id": f"after-{RUN_ID}",
    "object": "delivery",
    "event": "chain_run.completed",
    "event_id": f"evt_{RUN_ID}",
    "status": "pending",
    "attempts": [],
}
_DELIVERED = _DELIVERY | {
    "url": "https://shop.example.com/hooks/babychain",
    "status": "delivered",
    "created_at": "2026-05-27T09:01:13.02+00:00",
    "attempts": [
        {
            "number": 1,
            "sent_at": "2026-05-27T09:01:13.02+00:00",
            "duration_ms": 84,
            "outcome": "delivered",
            "http_status": 200,
        }
    ],
}
_KEY: Json = {
    "id": "key_0196f3a8",
    "object": "api_key",
    "caller": "shop",
    "name": "production",
    "prefix": "bchn_Vx3k",
    "scopes": ["chains:read", "chains:run", "runs:cancel"],
    "status": "active",
    "creates_per_minute": None,
    "reads_per_minute": None,
    "created_at": "2026-11-21T08:00:00+00:00",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
    "replaced_by": None,
}
_CALLER: Json = {
    "id": "shop",
    "object": "caller",
    "created_at": "2026-11-21T08:00:00+00:00",
    "daily_cap": 20_000_000,
    "monthly_cap": None,
    "has_callback_secret": True,
    "previous_callback_until": None,
}
_MODEL: Json = {
    "object": "model",
    "id": "bytedance/seedream-4.5",
    "provider": "byteplus",
    "kind": "image",
    "raw_id": "seedream-4-5-251128",
    "modes": ["babysea", "byok"],
    "has_constraints": True,
    "has_byok_schema": True,
    "schema_url": "/api/v1/models/bytedance/seedream-4.5",
    "available": True,
}
_MODEL_SCHEMA: Json = {key: _MODEL[key] for key in ("id", "provider", "kind", "raw_id", "modes", "available")} | {
    "object": "model_schema",
    "raw_schema": {
        "provider": "byteplus",
        "method": "POST",
        "endpoint": "https://ark.ap-southeast.bytepluses.com/api/v3/images/generations",
        "request": {"type": "object", "required": ["prompt"], "properties": {"prompt": {"type": "string"}}},
        "response": {"type": "object"},
    },
    "babychain_constraints": {"callback_url": {"reason": "Set by the server; a caller's value is refused."}},
    "input_pictures": {"minimum": 0, "maximum": 14, "limits": {}, "fields": ["image"], "further": None},
    "safety_class": "C",
    "hints": [],
}
_TEMPLATE: Json = {
    "object": "chain_template",
    "slug": "chain1",
    "version": "2026-05-23",
    "title": "text-to-image → image-to-video",
    "description": "First step draws a picture, second step animates it.",
    "input_fields": [
        {
            "name": "text_to_image_model",
            "type": "string",
            "required": False,
            "description": "Model of the step text_to_image.",
            "default": "bytedance/seedream-4.5",
        }
    ],
    "steps": [
        {
            "key": "text_to_image",
            "title": "Generate image",
            "kind": "image",
            "model": "${text_to_image_model}",
            "depends_on": [],
        }
    ],
    "capabilities": {"step_kinds": ["text-to-image"], "final_callback": True, "durable_state": True, "failover": True},
    "schema_url": "/api/v1/chains/chain1/schema",
}
_FILE: Json = {
    "id": _ASSET,
    "object": "asset",
    "url": _LINK,
    "poster_url": _LINK.replace(".jpg", ".jpg/poster"),
    "sha256": _ASSET[:64],
    "bytes": 184_320,
    "type": "image/jpeg",
    "width": 1024,
    "height": 1024,
}
_SPEND: Json = {
    "object": "spend",
    "currency": "USD",
    "mode": "byok",
    "by": "day",
    "since": "2026-11-01",
    "until": "2026-11-21",
    "data": [{"group": "2026-11-21", "attempts": 12, "useful": "1.44", "wasted": "0.06", "unpriced_attempts": 0}],
}


def _list(url: str, *rows: Json) -> Json:
    return {"object": "list", "data": list(rows), "has_more": False, "url": url}


def _envelope(data: Json) -> Json:
    return {"status": "success", "data": data, "timestamp": "2026-05-27T09:00:19.900Z"}


@dataclass(frozen=True)
class Answer:
    shape: str | None
    """The name of a class of api/shapes.py; None where the answer has no JSON of a fixed shape."""
    example: Any = None
    status: int = 200
    says: str = ""
    others: dict[str, Json] = field(default_factory=dict)
    """Other media types of the same answer."""


_BINARY: Json = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
_STREAM: Json = {
    "itemSchema": {
        "type": "object",
        "description": "One event. `data` is JSON.",
        "required": ["event", "data"],
        "properties": {
            "event": {"enum": ["run", "waiting", "end"]},
            "id": {"type": "string"},
            "data": {"type": "string"},
        },
    },
    "example": {"id": "7", "event": "run", "data": '{"id": "3b1c8a4e-52d7-4f0a-9c11-6f2f0b0f7a10"}'},
}

ANSWERS: dict[str, tuple[Answer, ...]] = {
    "create_run": (
        Answer("Run", RUN, 202, "The run, new or the earlier one of the same Idempotency-Key."),
        Answer("Estimate", _ESTIMATE, 200, "With `dry_run`: the plan, as the estimate shows it."),
    ),
    "estimate_run": (Answer("Estimate", _ESTIMATE, says="What the run would do and cost."),),
    "get_run": (Answer("Run", RUN, says="The run."),),
    "cancel_run": (Answer("Run", _CANCELED, says="The run: canceled, or as it had ended before."),),
    "retry_run": (
        Answer("Run", RUN | {"retry_of": {"run_id": RUN_ID, "from_step": "image_to_video"}}, 202, "The new run."),
        Answer("Estimate", _ESTIMATE, 200, "With `dry_run`: the plan, as the estimate shows it."),
    ),
    "list_runs": (Answer("RunPage", _list("/api/v1/chains/runs", ROW) | {"next_cursor": None}, says="One page."),),
    "search_runs": (Answer("Listed", _list("/api/v1/chains/runs/search", ROW), says="The runs found."),),
    "cancel_runs": (
        Answer("BulkCancel", {"object": "bulk_cancel", "count": 12, "dry_run": True}, 202, "How many are meant."),
    ),
    "run_events": (Answer(None, None, 200, "Server-Sent Events.", {"text/event-stream": _STREAM}),),
    "delete_run": (
        Answer(
            "DeletionUnderWay",
            {"id": RUN_ID, "object": "chain_run", "deleted": False},
            202,
            "Under way, and will be finished.",
        ),
    ),
    "list_deliveries": (Answer("Listed", _list(f"/api/v1/chains/runs/{RUN_ID}/deliveries", _DELIVERED)),),
    "resend": (Answer("Delivery", _DELIVERY, 202, "The delivery that was started."),),
    "send_test": (
        Answer("Delivery", _DELIVERY | {"event": "webhook.test", "status": "delivered", "http_status": 200}),
    ),
    "list_templates": (Answer("TemplateList", _list("/api/v1/chains", _TEMPLATE)),),
    "get_schema": (
        Answer("JsonSchema", {"type": "object", "title": "Create a run of chain1", "properties": {}, "$defs": {}}),
    ),
    "list_models": (Answer("ModelList", _list("/api/v1/models", _MODEL)),),
    "get_model": (Answer("ModelSchema", _MODEL_SCHEMA),),
    "upload_asset": (Answer("Asset", _FILE, 201, "The stored file."),),
    "get_asset": (Answer("Asset", _FILE),),
    "get_file": (
        Answer(None, None, 200, "The file.", {"*/*": _BINARY}),
        Answer(None, None, 206, "A part of the file.", {"*/*": _BINARY}),
        Answer(None, None, 304, "You have it."),
    ),
    "get_poster": (Answer(None, None, 200, "A small picture.", {"image/webp": _BINARY}),),
    "get_spend": (
        Answer("Spend", _SPEND, others={"text/csv": {"schema": {"type": "string"}, "example": "day,attempts\n"}}),
    ),
    "create_key": (Answer("Key", _KEY | {"key": "bchn_…"}, 201, "The key, shown this once."),),
    "list_keys": (Answer("Listed", _list("/api/v1/keys", _KEY)),),
    "rotate_key": (Answer("Key", _KEY | {"key": "bchn_…"}, 201, "The new key, shown this once."),),
    "revoke_key": (Answer("Key", _KEY | {"status": "revoked", "revoked_at": "2026-11-21T09:00:00+00:00"}),),
    "get_caller": (Answer("Caller", _CALLER),),
    "set_caps": (Answer("Caller", _CALLER),),
    "rotate_callback_secret": (
        Answer("CallbackSecret", {"object": "callback_secret", "caller": "shop", "secret": "whsec_…"}, 201),
    ),
    "find": (
        Answer(
            "Listed",
            _list("/api/v1/admin/find", {"object": "run_trace", "run_id": RUN_ID, "temporal_workflow_id": RUN_ID}),
        ),
    ),
    "list_workers": (
        Answer("Workers", {"object": "workers", "task_queue": "babychain", "temporal": "ok", "workers": []}),
    ),
    "list_failing": (Answer("Listed", _list("/api/v1/admin/deliveries")),),
    "console_facts": (
        Answer(
            "Console",
            {
                "object": "console",
                "caller": "shop",
                "scopes": ["chains:read", "chains:run", "runs:cancel"],
                "mode": "byok",
                "temporal_ui": None,
                "prices": {"bfl/flux-2-flex": _cost("0.06")},
            },
        ),
    ),
    "process_runs": (
        Answer("Envelope", _envelope({"processed": [{"id": RUN_ID, "status": "running"}], "processed_count": 1})),
    ),
    "process_runs_by_post": (
        Answer("Envelope", _envelope({"processed": [], "processed_count": 0}), says="Nothing waits."),
    ),
    "health": (
        Answer("Envelope", _envelope({"service": "babychain", "database": "ok"})),
        Answer(
            "Envelope",
            _envelope({"service": "babychain", "database": "unreachable"}) | {"status": "error"},
            503,
            "The database does not answer.",
        ),
    ),
    "healthz": (Answer("Health", {"status": "ok"}),),
    "readyz": (
        Answer("Health", {"status": "ok", "temporal": "ok", "worker": "polling"}),
        Answer("Health", {"status": "unavailable", "temporal": "unreachable"}, 503, "No run can be created now."),
    ),
}
"""By operation. What a route shows itself stays as it is."""


REQUESTS: dict[str, Json] = {
    "create_key": {"caller": "shop", "name": "production", "creates_per_minute": 60},
    "rotate_key": {"overlap_seconds": 3600},
    "rotate_callback_secret": {"overlap_seconds": 3600},
    "set_caps": {"daily_cap": 20_000_000, "monthly_cap": None},
    "cancel_runs": {"template": "chain1", "tag": ["draft"], "dry_run": True},
}
"""Bodies of requests, where the route shows none."""
