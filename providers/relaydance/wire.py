"""RelayDance on the wire: the body of a submit, and what every answer and callback means. Nothing here does I/O.

RelayDance runs a fork of the New API gateway, and clients have met three dialects of its answers: the documented one
(`task_id`, `succeeded`, `url`), that of OpenAI's video API (`id`, `completed`, `metadata.url`), and New API's own, with
the whole task under `data` (`SUCCESS`, `result_url`, `fail_reason`). All are read, the documented one first.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobExpired,
    JobFailed,
    ModelUnavailable,
    Moderated,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.provider import (
    Canceled,
    Failed,
    Job,
    JobRequest,
    JobState,
    ModelCard,
    Notice,
    Output,
    Pending,
    Succeeded,
    Unsure,
)
from providers._answers import Redactor, address, short_text, webhook_object
from providers._gateways import is_spent
from providers._params import native
from providers.relaydance.citations import check_pictures, with_citation
from providers.relaydance.references import FIRST_FRAME, reference

# ---- statuses -----------------------------------------------------------------------------------------------------

# In small letters; `submitted`, `running`, `succeeded` and `failed` are documented, the others seen by clients.
RUNNING = frozenset({"submitted", "queued", "pending", "not_start", "running", "in_progress", "processing"})
SUCCEEDED = frozenset({"succeeded", "success", "completed"})
FAILED = frozenset({"failed", "failure", "error"})
CANCELED = frozenset({"canceled", "cancelled"})
EXPIRED = "expired"

# ---- submit -------------------------------------------------------------------------------------------------------


def refuse_misfits(request: JobRequest) -> None:
    """Before anything is uploaded: citations and roles must fit the pictures that the chain hands on."""
    for fault in check_pictures(request.params, len(request.inputs)):
        raise InputRejected(f"{'.'.join(map(str, fault.path))} {fault.message}.", code="invalid_provider_params")


def build_body(card: ModelCard, request: JobRequest, urls: Sequence[str], callback_url: str | None) -> dict[str, Any]:
    """`urls` are the addresses of the request's pictures."""
    body = native(request.params)
    metadata = {name: value for name, value in body.pop("metadata", {}).items() if value is not None}
    content = metadata.pop("content", [])
    has_frame = any(item["role"] == FIRST_FRAME for item in content)
    if content := _with_frame(content, urls) if has_frame else [*map(reference, urls), *content]:
        metadata["content"] = content
    if callback_url is not None:
        # At the top level RelayDance would not see it.
        metadata["callback_url"] = callback_url
    prompt = with_citation(body["prompt"]) if urls and not has_frame else body["prompt"]
    return {**body, "model": card.raw_id, "prompt": prompt} | ({"metadata": metadata} if metadata else {})


def _with_frame(content: list[dict[str, Any]], urls: Sequence[str]) -> list[dict[str, Any]]:
    """The step's own picture keeps the place and the role that its caller gave it; only its address may be another."""
    if not urls:
        return content
    return [item | {"image_url": {"url": urls[0]}} if item["role"] == FIRST_FRAME else item for item in content]


def read_job(payload: Mapping[str, Any] | None) -> Job:
    """The task that a 2xx answer names. Where it names none a task may run all the same, and be charged."""
    task_id = _id_of(_task_of(payload)) if payload else None
    if task_id is None:
        raise StartUnknown("RelayDance took the request, and its answer names no task.")
    return Job(task_id)


# ---- errors -------------------------------------------------------------------------------------------------------

# The words are inferred, from what the makers behind the gateway say.
_FILTERED = re.compile(
    r"content[\s_-]*policy|moderat|sensitive[\s_-]*(content|information)|data[\s_-]*inspection", re.IGNORECASE
)


def error_of(payload: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message: `{"error": {...}}` as documented, the gateway's flat form, or a failed task's own words."""
    found = payload.get("error") or payload
    if not isinstance(found, Mapping):
        return "", str(found)
    code = found.get("code") or found.get("type") or ""
    return str(code), str(found.get("message") or found.get("fail_reason") or "")


def read_error(status: int, payload: Mapping[str, Any], redact: Redactor) -> StepError:
    """A 4xx of an upload or a submit: nothing was started."""
    words = " ".join(error_of(payload))
    message, facts = _told("RelayDance refused the request", payload, redact)
    facts["status"] = status
    if _FILTERED.search(words):
        return Moderated(message, facts=facts)
    # 403 is documented for an empty account and for a model that the key may not use; the words tell them apart.
    if status == 402 or (status == 403 and is_spent(words)):
        return CreditExhausted(message, facts=facts)
    if status == 404 or (status == 403 and "model" in words.lower()):
        return ModelUnavailable(message, facts=facts)
    if status in (401, 403):
        return BadCredentials(message, facts=facts)
    return InputRejected(message, facts=facts)


def read_limit(payload: Mapping[str, Any], redact: Redactor) -> StepError | None:
    """The 429 that no waiting mends. Inferred: OpenAI, whose errors New API imitates, says so of an empty account."""
    if not is_spent(" ".join(error_of(payload))):
        return None
    message, facts = _told("RelayDance refused the request", payload, redact)
    return CreditExhausted(message, facts={**facts, "status": 429})


def _read_failure(task: Mapping[str, Any], redact: Redactor) -> StepError:
    """Why a task failed. Failed tasks are not charged."""
    message, facts = _told("RelayDance's task failed", task, redact)
    kind = Moderated if _FILTERED.search(" ".join(error_of(task))) else JobFailed
    return kind(message, facts={**facts, "cost": 0})


def _told(what: str, payload: Mapping[str, Any], redact: Redactor) -> tuple[str, dict[str, Any]]:
    code, reason = (redact(text) for text in error_of(payload))
    return f"{what}{': ' + reason if reason else '.'}", {"provider_code": code} if code else {}


# ---- a task's state -----------------------------------------------------------------------------------------------


def read_state(payload: Mapping[str, Any], redact: Redactor) -> JobState:
    task = _task_of(payload)
    word = _word_of(task)
    if word in RUNNING:
        return Pending(word)
    if word in SUCCEEDED:
        video = _video_of(task)
        return no_video(word) if video is None else Succeeded((Output(video),))
    if word in FAILED:
        return Failed(_read_failure(task, redact))
    if word in CANCELED:
        return Canceled()
    if word == EXPIRED:
        return Failed(JobExpired("RelayDance gave the task up before it was done.", facts={"cost": 0}))
    return not_understood(redact(word) or "no status")


def _task_of(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = payload.get("data")
    is_wrapped = isinstance(inner, dict) and payload.keys().isdisjoint({"task_id", "id", "status"})
    return inner if isinstance(inner, dict) and is_wrapped else payload


def _id_of(task: Mapping[str, Any]) -> str | None:
    return short_text(task.get("task_id")) or short_text(task.get("id"))


def _word_of(task: Mapping[str, Any]) -> str:
    return (short_text(task.get("status")) or "").lower()


def _video_of(task: Mapping[str, Any]) -> str | None:
    metadata, content = (inner if isinstance(inner := task.get(slot), dict) else {} for slot in ("metadata", "content"))
    places = (
        task.get("url"),
        metadata.get("url"),
        task.get("video_url"),
        task.get("result_url"),
        content.get("video_url"),
    )
    return next((found for place in places if (found := address(place)) is not None), None)


def not_found() -> Unsure:
    """Inferred: a new task may take a moment to be seen; after that it is lost."""
    error = JobExpired("RelayDance no longer knows the task.", code="provider_task_not_found")
    return Unsure("not found", error, seconds=30.0, reads=3)


def no_video(word: str) -> Unsure:
    """Inferred: the link may come a moment after the word."""
    text = f"RelayDance reports the task as {word!r}, and gives no video in any place that is known."
    return Unsure(f"{word} without a video", UnexpectedResponse(text), seconds=30.0, reads=5)


def not_understood(word: str) -> Unsure:
    text = f"RelayDance reports the task as {word!r}, which its documentation does not describe."
    return Unsure(word, UnexpectedResponse(text))


# ---- callbacks ----------------------------------------------------------------------------------------------------


def read_notice(body: bytes) -> Notice:
    """RelayDance signs nothing: the token in our callback address stands in for it, and this only says where to look.

    It is the task, as a read gives it. A body without a status says nothing but that the task lives.
    """
    task = _task_of(webhook_object(body))
    return Notice(_id_of(task), short_text(task.get("status")), ended=_word_of(task) not in RUNNING | {""})


# ---- the account ----------------------------------------------------------------------------------------------------


def read_models(payload: Mapping[str, Any]) -> str | None:
    models = payload.get("data")
    return f"the key may use {len(models)} models" if isinstance(models, list) else None
