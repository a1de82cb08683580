"""Bach on the wire: the body of a create, and what every answer and callback means. Nothing here does I/O."""

import re
from collections.abc import Mapping
from typing import Any

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
from domain.provider import Failed, Job, JobRequest, JobState, ModelCard, Notice, Output, Pending, Succeeded, Unsure
from providers._answers import Redactor, address, hindrance, short_text, webhook_object
from providers._params import native
from providers._requests import address_only, first_frame
from providers.bach.models import RESOLUTION, SECONDS

# ---- statuses -----------------------------------------------------------------------------------------------------

RUNNING = frozenset({"TASK_PENDING", "TASK_PROCESSING"})
SUCCEEDED, FAILED = "TASK_SUCCEEDED", "TASK_FAILED"
_SUCCESS_CODES = frozenset({"0", "200"})
_NO_CREDIT = "1302"
"""Elsewhere a common code for a rate limit; with Bach it says "Insufficient credit package."."""
_LIKE_STATUS = re.compile(r"[2-5]\d\d")

# Bach documents no code for a refusal by its filter, so the words of the message have to do (inferred).
_MODERATION = re.compile(r"moderat|sensitive|content polic|unsafe", re.IGNORECASE)

# ---- pure builders and readers --------------------------------------------------------------------------------------


def build_body(card: ModelCard, request: JobRequest, callback_url: str | None) -> dict[str, Any]:
    picture = first_frame(card, request.inputs)
    return {
        "resolution": RESOLUTION,
        "duration": SECONDS,
        **native(request.params),
        "model_name": card.raw_id,
        "image_url": address_only(card, picture),
        **({} if callback_url is None else {"callback_url": callback_url}),
    }


def read_task(payload: Mapping[str, Any] | None, redact: Redactor) -> Job:
    """The task that an answer under HTTP 200 names. With another code, and no task, it is a refusal all the same."""
    code, task_id = _code_of(payload), short_text(_data_of(payload).get("task_id"))
    if task_id is not None and code in _SUCCESS_CODES:
        return Job(task_id)
    if task_id is None and code and code not in _SUCCESS_CODES and 400 <= _as_status(code) < 500:
        raise read_error(200, payload, redact)
    message, facts = _told("Bach took the request, and its answer names no task", payload, redact)
    raise StartUnknown(message, facts=facts)


def read_error(status: int, payload: Mapping[str, Any] | None, redact: Redactor) -> StepError:
    """A refusal of the create: no task was made. Codes that we don't know count by their HTTP status."""
    message, facts = _told(f"Bach refused the request (HTTP {status})", payload, redact)
    facts["status"] = status
    meant = _as_status(_code_of(payload)) if status == 200 else status
    if meant == 402 or _code_of(payload) == _NO_CREDIT:
        return CreditExhausted(message, facts=facts)
    if meant in (401, 403):
        return BadCredentials(message, facts=facts)
    if meant == 404:
        return ModelUnavailable(message, facts=facts)
    if meant == 429:
        return Refused(message, code="provider_rate_limited", facts=facts)
    return Moderated(message, facts=facts) if _MODERATION.search(message) else InputRejected(message, facts=facts)


def _as_status(code: str) -> int:
    """What an error means that comes under HTTP 200: some codes read like a status (inferred)."""
    return int(code) if _LIKE_STATUS.fullmatch(code) else 400


def read_state(payload: Mapping[str, Any], redact: Redactor) -> JobState:
    if (code := _code_of(payload)) not in _SUCCESS_CODES:
        # A code that reads like a status, even under HTTP 200, is about our asking.
        if (refusal := hindrance("Bach", _as_status(code))) is not None:
            raise refusal
        return not_understood(f"code {redact(code)}" if code else "no code")
    data = _data_of(payload)
    status = short_text(data.get("status")) or ""
    if status in RUNNING:
        return Pending(status)
    if status == SUCCEEDED:
        video = address(data.get("video_url"))
        # Inferred: the address may come a moment after the word.
        return not_understood(f"{SUCCEEDED} without a video", reads=5) if video is None else Succeeded((Output(video),))
    if status == FAILED:
        message, facts = _told("Bach's task failed", data, redact)
        return Failed((Moderated if _MODERATION.search(message) else JobFailed)(message, facts=facts))
    return not_understood(redact(status) or "no status")


def not_found() -> Unsure:
    """Inferred: a new task may take a moment to be seen everywhere. After that it is lost."""
    error = JobExpired("Bach no longer knows the task.", code="provider_task_not_found")
    return Unsure("not found", error, seconds=30.0, reads=3)


def not_understood(word: str, reads: int = 10) -> Unsure:
    text = f"Bach reports the task as {word!r}, which its documentation does not describe."
    return Unsure(word, UnexpectedResponse(text), reads=reads)


def read_notice(body: bytes) -> Notice:
    """Bach signs nothing: the token in our callback address stands in for it, and this only says where to look.

    The body of a failed task is not documented; what we read of it is inferred to be the same.
    """
    payload = webhook_object(body)
    status = short_text(payload.get("status"))
    return Notice(short_text(payload.get("task_id")), status, ended=status not in RUNNING)


def _data_of(payload: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Absent, null or empty in errors (inferred)."""
    data = payload.get("data") if payload else None
    return data if isinstance(data, dict) else {}


def _code_of(payload: Mapping[str, Any] | None) -> str:
    code = payload.get("code") if payload else None
    return str(code) if isinstance(code, int | str) and not isinstance(code, bool) else ""


def _told(what: str, payload: Mapping[str, Any] | None, redact: Redactor) -> tuple[str, dict[str, Any]]:
    code, reason = redact(_code_of(payload)), redact((payload or {}).get("message"))
    return f"{what}{': ' + reason if reason else '.'}", {"provider_code": code} if code else {}
