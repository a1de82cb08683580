"""How BabySea words a generation, and its webhooks."""

import hashlib
import hmac
import json
import uuid
from typing import Any

from sandbox.faults import Rule
from sandbox.jobs import Job, State
from sandbox.providers.babysea.errors import moment

_WORDS = {
    State.QUEUED: "pending",
    State.RUNNING: "processing",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.MODERATED: "failed",
    State.EXPIRED: "failed",
    State.CANCELLED: "canceled",
}
EVENTS = {
    "processing": "generation.started",
    "succeeded": "generation.completed",
    "failed": "generation.failed",
    "canceled": "generation.canceled",
}
# The numbers of what upstreams answer are those of the older documentation.
_PROBLEMS = {
    State.MODERATED: ("The content was refused by a policy.", "BSE2006"),
    State.FAILED: ("All providers failed.", "BSE3003"),
    State.EXPIRED: ("The provider took too long.", "BSE3002"),
}


def receipt(job: Job) -> dict[str, Any]:
    return {
        "model_identifier": job.model,
        "generation_provider_order": job.details["order"],
        "generation_prediction_id": job.details["prediction"],
        "generation_id": job.id,
        "generation_initialized": True,
    }


def generation(job: Job, shown: State, rule: Rule | None) -> dict[str, Any]:
    problem, code = _problem(shown)
    times = {"created": job.created, "started": None, "completed": None}
    if shown is not State.QUEUED:
        times["started"] = job.started or job.created
    if shown not in (State.QUEUED, State.RUNNING):
        times["completed"] = job.ended or job.updated
    total = (times["completed"] or job.created) - job.created
    return {
        "account_id": job.account,
        "generation_id": job.id,
        "model_identifier": job.model,
        "generation_provider_order": job.details["order"],
        "generation_provider_used": None if shown is State.QUEUED else job.details["used"],
        "generation_prediction_id": job.details["prediction"],
        "generation_status": word(shown, rule),
        **job.details["inputs"],
        "generation_output_file": job.details.get("files") if shown is State.SUCCEEDED else None,
        **{f"generation_{name}_at": None if at is None else moment(at) for name, at in times.items()},
        "generation_metrics_total_time": round(total, 3) if times["completed"] else None,
        "generation_metrics_predict_time": round(total, 3) if times["completed"] else None,
        "generation_audio_mode": None,
        "generation_error": problem,
        "generation_error_code": code,
        "generation_removed": job.details.get("removed", False),
    }


def word(shown: State, rule: Rule | None) -> str:
    if shown is State.STRANGE:
        return (rule.word if rule else "") or "simmering"
    return _WORDS[shown]


def _problem(shown: State) -> tuple[str | None, str | None]:
    return _PROBLEMS.get(shown, (None, None))


# ---- webhooks -----------------------------------------------------------------------------------------------------


def event_of(job: Job, shown: State) -> bytes:
    """A fresh delivery of a state, with an id and a time of its own."""
    status = word(shown, None)
    problem, code = _problem(shown)
    ended = status != "processing"
    data = {
        "account_id": job.account,
        "generation_id": job.id,
        "model_identifier": job.model,
        "generation_status": status,
        "generation_provider_initialize": job.details["order"][0],
        "generation_provider_used": job.details["used"] if status == "succeeded" else None,
        "generation_prediction_id": job.details["prediction"],
        "generation_output_file": job.details.get("files") if status == "succeeded" else None,
        "generation_error": problem,
        "generation_error_code": code,
        "credits_refunded": True if ended and status != "succeeded" else None,
    }
    return event(EVENTS[status], {name: value for name, value in data.items() if value is not None})


def event(name: str, data: dict[str, Any]) -> bytes:
    body = {
        "webhook_event": name,
        "webhook_timestamp": moment(),
        "webhook_delivery_id": str(uuid.uuid4()),
        "webhook_data": data,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def headers_of(body: bytes, secret: str, seconds: int) -> dict[str, str]:
    """The three facts of the body again, and the signature over `<t>.<body>` with the whole secret as the key."""
    told = json.loads(body)
    signature = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "X-BabySea-Signature": f"t={seconds},v1={signature}",
        "X-BabySea-Event": told["webhook_event"],
        "X-BabySea-Timestamp": told["webhook_timestamp"],
        "X-BabySea-Delivery-Id": told["webhook_delivery_id"],
    }
