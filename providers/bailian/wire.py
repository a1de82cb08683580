"""Bailian on the wire: the body of a create, and what every answer means. Nothing here does I/O."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobExpired,
    JobFailed,
    ModelUnavailable,
    Moderated,
    Refused,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.money import Micros
from domain.provider import Canceled, Failed, Job, JobRequest, JobState, ModelCard, Output, Pending, Succeeded, Unsure
from net.paid import retry_after
from providers._answers import Redactor, address, json_object, short_text
from providers._gateways import is_not_offered, is_spent
from providers._params import native
from providers._requests import data_uri, first_frame
from providers.bailian.models import RESOLUTION, SECONDS, WAN_RULES, part, rate_of

# ---- statuses -----------------------------------------------------------------------------------------------------

# SUSPENDED stands in DashScope's Python client alone.
RUNNING = frozenset({"PENDING", "RUNNING", "SUSPENDED"})
SUCCEEDED, FAILED, CANCELED = "SUCCEEDED", "FAILED", "CANCELED"
UNKNOWN = "UNKNOWN"
"""No such task, a task of another account, or one that is older than 24 hours."""

_FAR_FUTURE = 1 << 32  # in Unix seconds, the year 2106: a larger number is no moment

# ---- submit -------------------------------------------------------------------------------------------------------


def build_body(card: ModelCard, request: JobRequest) -> dict[str, Any]:
    picture = first_frame(card, request.inputs)
    params = native(request.params)
    return {
        "model": card.raw_id,
        "input": {**part(params, "input"), "img_url": picture.url or data_uri(picture)},
        "parameters": {"resolution": RESOLUTION, "duration": SECONDS, **part(params, "parameters")},
    }


def read_task(payload: Mapping[str, Any] | None, card: ModelCard, params: Mapping[str, Any], redact: Redactor) -> Job:
    """The task that a 2xx answer names. Where it names none a task may run all the same."""
    task_id = short_text(_output_of(payload).get("task_id"))
    if task_id is None:
        message, facts = _told("Bailian took the request, and its answer names no task", payload, redact)
        raise StartUnknown(message, facts=facts)
    return Job(task_id, {"rate": str(rate_of(WAN_RULES[card.raw_id], params)), **_request_id_of(payload, redact)})


# ---- errors -------------------------------------------------------------------------------------------------------

_MODERATED = "DataInspectionFailed"
_NOT_OFFERED = "ModelNotFound"
_REJECTED = ("InvalidParameter", "InvalidURL")
_ARREARS = "Arrearage"
_THROTTLED = "Throttling"
_ALLOCATION = "Throttling.AllocationQuota"
_ALLOCATION_PAUSE = 60.0


def error_of(payload: Mapping[str, Any] | None) -> tuple[str, str]:
    """Code and message as DashScope has them, as the gateway's task routes do, or inside `error` as its others do."""
    found: object = payload or {}
    if isinstance(found, dict) and "error" in found:
        found = found["error"]
    if not isinstance(found, dict):
        return "", ""
    return str(found.get("code") or found.get("type") or ""), str(found.get("message") or "")


def read_error(status: int, payload: Mapping[str, Any] | None, redact: Redactor) -> StepError:
    """A refusal of the create: no task was made."""
    code, words = error_of(payload)[0], " ".join(error_of(payload))
    message, facts = _told(f"Bailian refused the request (HTTP {status})", payload, redact)
    facts["status"] = status
    if code.startswith(_MODERATED):
        return Moderated(message, facts=facts)
    if status == 402 or _is_unpaid(words):
        return CreditExhausted(message, facts=facts)
    if status == 404 or _is_not_offered(words):
        return ModelUnavailable(message, facts=facts)
    if status in (401, 403):
        return BadCredentials(message, facts=facts)
    return InputRejected(message, facts=facts)


def read_limit(response: httpx.Response, redact: Redactor) -> StepError | None:
    """An empty account does not fill while we wait; a used-up allocation does, but slowly."""
    payload = json_object(response)
    code, words = error_of(payload)[0], " ".join(error_of(payload))
    if code.startswith(_ALLOCATION):
        message, facts = _told("Bailian has no room now", payload, redact)
        pause = retry_after(response.headers) or _ALLOCATION_PAUSE
        return Refused(message, code="provider_rate_limited", retry_after=pause, facts=facts)
    # DashScope's throttling also speaks of quotas, which come back.
    if code.startswith(_THROTTLED) or not _is_unpaid(words):
        return None
    return read_error(429, payload, redact)


def read_doubt(response: httpx.Response, redact: Redactor) -> StepError | None:
    """A 5xx that says for certain that nothing was started: the gateway refuses before it passes anything on."""
    payload = json_object(response)
    words = " ".join(error_of(payload))
    if _is_unpaid(words) or _is_not_offered(words):
        return read_error(response.status_code, payload, redact)
    return None


def _is_unpaid(words: str) -> bool:
    return _ARREARS in words or is_spent(words)


def _is_not_offered(words: str) -> bool:
    return _NOT_OFFERED in words or is_not_offered(words)


def read_failure(output: Mapping[str, Any], redact: Redactor) -> StepError:
    code, _ = error_of(output)
    message, facts = _told("Bailian's task failed", output, redact)
    if code.startswith(_MODERATED):
        return Moderated(message, facts=facts)
    return (InputRejected if code.startswith(_REJECTED) else JobFailed)(message, facts=facts)


def _told(what: str, payload: Mapping[str, Any] | None, redact: Redactor) -> tuple[str, dict[str, Any]]:
    code, reason = (redact(text) for text in error_of(payload))
    facts: dict[str, Any] = {"provider_code": code} if code else {}
    return f"{what}{': ' + reason if reason else '.'}", facts | _request_id_of(payload, redact)


def _request_id_of(payload: Mapping[str, Any] | None, redact: Redactor) -> dict[str, str]:
    """By which DashScope's support finds a call; it is in the body."""
    found = short_text((payload or {}).get("request_id"))
    return {} if found is None else {"request_id": redact(found)}


# ---- a task's state -----------------------------------------------------------------------------------------------


def is_canceled(response: httpx.Response) -> bool:
    """DashScope answers a cancel with its request id. An error, or a proxy's page, may come under HTTP 200 as well."""
    payload = json_object(response)
    return response.is_success and payload is not None and error_of(payload) == ("", "")


def read_state(payload: Mapping[str, Any], job: Job, redact: Redactor) -> JobState:
    output = _output_of(payload)
    status = short_text(output.get("task_status")) or ""
    if status in RUNNING:
        return Pending(status)
    if status == SUCCEEDED:
        return _read_result(output, payload.get("usage"), job)
    if status == FAILED:
        return Failed(read_failure(output, redact))
    if status == CANCELED:
        return Canceled()
    if status == UNKNOWN:
        return not_found()
    # The gateway's path is shared by all its vendors, and their answers have no such `output`.
    return not_understood(redact(status) or "no status")


def _read_result(output: Mapping[str, Any], usage: object, job: Job) -> JobState:
    video = address(output.get("video_url"))
    if video is None:
        # Inferred: the address may come a moment after the word.
        return not_understood(f"{SUCCEEDED} without a video", reads=5)
    expires = _expiry_of(video)
    return Succeeded((Output(video),), _cost(usage, job), {} if expires is None else {"output_expires_at": expires})


def _expiry_of(url: str) -> str | None:
    """From the address's own signature: the times in the answer name no zone."""
    moment = parse_qs(urlsplit(url).query).get("Expires", [""])[0]
    if not moment.isascii() or not moment.isdecimal() or not 0 < int(moment) < _FAR_FUTURE:
        return None
    return datetime.fromtimestamp(int(moment), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cost(usage: object, job: Job) -> Micros | None:
    """Seconds are under another name in each generation, and may be a decimal or text."""
    if "rate" not in job.facts or not isinstance(usage, dict):
        return None
    for slot in ("video_duration", "output_video_duration", "duration"):
        if (seconds := _number(usage.get(slot))) > 0:
            return math.ceil(seconds * int(job.facts["rate"]))
    return None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0.0
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def _output_of(payload: Mapping[str, Any] | None) -> Mapping[str, Any]:
    output = payload.get("output") if payload else None
    return output if isinstance(output, dict) else {}


def not_found() -> Unsure:
    """Inferred: a new task may take a moment to be seen. After that it is lost."""
    error = JobExpired("Bailian no longer knows the task.", code="provider_task_not_found")
    return Unsure(UNKNOWN, error, seconds=30.0, reads=3)


def not_understood(word: str, reads: int = 10) -> Unsure:
    text = f"Bailian reports the task as {word!r}, which its documentation does not describe."
    return Unsure(word, UnexpectedResponse(text), reads=reads)
