"""BytePlus on the wire: the bodies of submits, and what every answer and callback means. Nothing here does I/O."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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
from domain.media import InputFile
from domain.money import Micros
from domain.provider import (
    Absent,
    Canceled,
    Failed,
    Finished,
    Job,
    JobRequest,
    JobState,
    ModelCard,
    Notice,
    Output,
    Pending,
    Succeeded,
    Unsure,
    Window,
)
from providers._answers import Redactor, address, short_text, webhook_object
from providers._params import native
from providers._requests import data_uri, fitting
from providers.byteplus.frames import FIRST_FRAME, REFERENCE, has_references, is_reference
from providers.byteplus.seedance import VIDEO_RULES, cost_of_tokens, token_rate

RUNNING = frozenset({"queued", "running"})
QUEUED, SUCCEEDED, CANCELED, FAILED, EXPIRED = "queued", "succeeded", "cancelled", "failed", "expired"

RESULT_LIFE = timedelta(hours=24)
CLOCK_DIFFERENCE = timedelta(seconds=60)
PAGE = 500
_FAR_FUTURE = 1 << 32  # in Unix seconds, the year 2106: a larger number is no moment

_NO_PICTURE_YET = "BytePlus took the request, and its answer names no picture."

# ---- submit -----------------------------------------------------------------------------------------------------


def build_picture_body(card: ModelCard, request: JobRequest, model: str) -> dict[str, Any]:
    body = {**native(request.params), "model": model, "response_format": "url"}
    body.pop("stream", None)
    pictures = [_address(picture) for picture in fitting(card, request.inputs)]
    if pictures:
        body["image"] = pictures[0] if len(pictures) == 1 else pictures
    return body


def build_task_body(card: ModelCard, request: JobRequest, model: str) -> dict[str, Any]:
    """The step's own pictures come after the caller's items and before his references, of which they are the first."""
    body = native(request.params)
    content = body.get("content", [])
    refers = card.further is not None and (len(request.inputs) > 1 or has_references(body))
    pictures = request.inputs if refers else fitting(card, request.inputs)
    role = REFERENCE if refers else FIRST_FRAME
    own = [{"type": "image_url", "image_url": {"url": _address(picture)}, "role": role} for picture in pictures]
    others = [item for item in content if not is_reference(item)]
    references = [item for item in content if is_reference(item)]
    return {
        **body,
        "model": model,
        "content": [*others, *own, *references],
        "safety_identifier": request.token,
    }


def _address(picture: InputFile) -> str:
    return picture.url or data_uri(picture)


def read_pictures(card: ModelCard, payload: Mapping[str, Any] | None, redact: Redactor) -> Finished:
    """The pictures that were made. Where some failed, those that did not are what was paid for."""
    items = payload.get("data") if payload else None
    if payload is None or not isinstance(items, list):
        raise StartUnknown(_NO_PICTURE_YET)
    pictures = [item for item in items if isinstance(item, dict)]
    urls = tuple(url for item in pictures if (url := address(item.get("url"))) is not None)
    if urls:
        usage = payload.get("usage")
        return Finished(
            tuple(map(Output, urls)), _cost_of_pictures(card, len(urls), usage if isinstance(usage, dict) else {})
        )
    errors = [error for item in (*pictures, payload) if isinstance(error := item.get("error"), dict)]
    if not errors:
        raise StartUnknown(_NO_PICTURE_YET)
    raise read_failure(errors[0], redact)


def _cost_of_pictures(card: ModelCard, count: int, usage: Mapping[str, Any]) -> Micros | None:
    """Every picture that was made is billed, also one whose address is of no use to us."""
    price, made = card.price({}, 0).low, usage.get("generated_images")
    billed = max(count, made) if isinstance(made, int) else count
    return None if price is None or _has_searched(usage) else billed * price


def _has_searched(usage: Mapping[str, Any]) -> bool:
    """What the searches of a model cost is published nowhere."""
    searches = usage.get("tool_usage")
    return any(searches.values()) if isinstance(searches, dict) else bool(searches)


def read_task(payload: Mapping[str, Any] | None, card: ModelCard, params: Mapping[str, Any]) -> Job:
    """The task that a 2xx answer names. Where it names none a task may run all the same."""
    task_id = short_text(payload.get("id")) if payload else None
    if task_id is None:
        raise StartUnknown("BytePlus took the request, and its answer names no task.")
    return Job(task_id, rate_fact(card, params))


def rate_fact(card: ModelCard, params: Mapping[str, Any]) -> dict[str, str]:
    """Only the request tells it wholly: a task doesn't repeat whether a video was among its inputs."""
    rate = token_rate(VIDEO_RULES[card.id], params)
    return {} if rate is None else {"rate": str(rate)}


# ---- errors -----------------------------------------------------------------------------------------------------

_OVERDUE = ("AccountOverdueError", "OperationDenied.ServiceOverdue", "SetLimitExceeded")
_NOT_OFFERED = ("InvalidEndpoint", "ModelNotOpen", "OperationDenied.ServiceNotOpen")
_REJECTED = ("MissingParameter", "InvalidParameter", "InvalidImageURL")


def error_of(payload: Mapping[str, Any] | None) -> tuple[str, str]:
    """Code and message in each of the three shapes in which Ark, and the gateways in front of it, put them."""
    found: object = payload or {}
    if isinstance(found, dict):
        meta = found.get("ResponseMetadata")
        found = (meta.get("Error") if isinstance(meta, dict) else None) or found.get("error") or found
    if not isinstance(found, dict):
        return "", ""
    return str(found.get("code") or found.get("Code") or ""), str(found.get("message") or found.get("Message") or "")


def read_error(status: int, payload: Mapping[str, Any] | None, redact: Redactor) -> StepError:
    """A 4xx of a submit: nothing was started."""
    code, _ = error_of(payload)
    message, facts = _told("BytePlus refused the request", payload, redact)
    facts["status"] = status
    if _is_moderation(code):
        return Moderated(message, facts=facts)
    if status == 402 or code.startswith(_OVERDUE):
        return CreditExhausted(message, facts=facts)
    if status == 404 or code.startswith(_NOT_OFFERED):
        return ModelUnavailable(message, facts=facts)
    if status in (401, 403):
        return BadCredentials(message, facts=facts)
    return InputRejected(message, facts=facts)


def read_limit(payload: Mapping[str, Any] | None, redact: Redactor) -> StepError | None:
    """The two 429 that no waiting mends: a spent free trial, and the owner's own spending stop.

    `QuotaExceeded` also stands for a full queue and for a used-up plan window; only the message tells (inferred).
    """
    code, text = error_of(payload)
    is_trial = code.startswith("QuotaExceeded") and "trial" in text.lower()
    if not is_trial and not code.startswith("SetLimitExceeded"):
        return None
    message, facts = _told("BytePlus refused the request", payload, redact)
    return CreditExhausted(message, facts={**facts, "status": 429})


def read_failure(error: Mapping[str, Any] | None, redact: Redactor) -> StepError:
    """Why a task, or one picture, failed. Only what succeeds is billed."""
    code, _ = error_of(error)
    message, facts = _told("BytePlus' job failed", error, redact)
    facts["cost"] = 0
    if _is_moderation(code):
        return Moderated(message, facts=facts)
    if code.startswith(_REJECTED):
        return InputRejected(message, facts=facts)
    return JobFailed(message, facts=facts)


def _is_moderation(code: str) -> bool:
    return "SensitiveContentDetected" in code


def _told(what: str, payload: Mapping[str, Any] | None, redact: Redactor) -> tuple[str, dict[str, Any]]:
    code, reason = (redact(text) for text in error_of(payload))
    return f"{what}{': ' + reason if reason else '.'}", {"provider_code": code} if code else {}


# ---- a task's state ---------------------------------------------------------------------------------------------


def read_state(payload: Mapping[str, Any], job: Job, redact: Redactor) -> JobState:
    status = short_text(payload.get("status")) or ""
    if status in RUNNING:
        return Pending(status)
    if status == SUCCEEDED:
        return _read_result(payload, job)
    if status == CANCELED:
        return Canceled()
    if status == FAILED:
        error = payload.get("error")
        return Failed(read_failure(error if isinstance(error, dict) else None, redact))
    if status == EXPIRED:
        return Failed(JobExpired("BytePlus gave the task up before it was done.", facts={"cost": 0}))
    return not_understood(redact(status) or "no status")


def _read_result(payload: Mapping[str, Any], job: Job) -> JobState:
    content = payload.get("content")
    urls = content if isinstance(content, dict) else {}
    video, last_frame = address(urls.get("video_url")), address(urls.get("last_frame_url"))
    if video is None:
        return not_understood(f"{SUCCEEDED} without a video")
    metadata = {} if last_frame is None else {"last_frame_url": last_frame}
    if isinstance(ended := payload.get("updated_at"), int) and 0 < ended < _FAR_FUTURE:
        expires = datetime.fromtimestamp(ended, UTC) + RESULT_LIFE
        metadata["output_expires_at"] = expires.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Succeeded((Output(video),), _cost(payload, job), metadata)


def _cost(payload: Mapping[str, Any], job: Job) -> Micros | None:
    usage = payload.get("usage")
    if not isinstance(usage, dict) or _has_searched(usage):
        return None
    tokens = usage.get("total_tokens")
    rate = int(job.facts["rate"]) if "rate" in job.facts else _rate_of(payload)
    if rate is None or not isinstance(tokens, int) or tokens < 0:
        return None
    return cost_of_tokens(tokens, rate)


def _rate_of(payload: Mapping[str, Any]) -> Micros | None:
    """For a task that named itself in a callback: its own fields, which don't tell of a video among its inputs."""
    for rules in VIDEO_RULES.values():
        if rules.raw_id == payload.get("model"):
            return token_rate(rules, payload)
    return None


def not_found() -> Unsure:
    """BytePlus keeps records for seven days, in one region. Inferred: a new one may take a moment to be seen."""
    error = JobExpired("BytePlus no longer knows the task.", code="provider_task_not_found")
    return Unsure("not found", error, seconds=30.0, reads=3)


def not_understood(word: str) -> Unsure:
    text = f"BytePlus reports the task as {word!r}, which its documentation does not describe."
    return Unsure(word, UnexpectedResponse(text))


# ---- looking for a lost task --------------------------------------------------------------------------------------


def find_task(payload: Mapping[str, Any], token: str, window: Window) -> Job | Absent | None:
    """The one task in a list that carries our token and was made while the lost submit was under way."""
    opened = (window.opened - CLOCK_DIFFERENCE).timestamp()
    closed = (window.closed + CLOCK_DIFFERENCE).timestamp()
    items = payload.get("items")
    if not isinstance(items, list):
        return None
    dated = [item for item in items if isinstance(item, dict) and isinstance(item.get("created_at"), int)]
    ours = [item for item in dated if item.get("safety_identifier") == token]
    if ours:
        task_id = short_text(ours[0].get("id"))
        return Job(task_id) if len(ours) == 1 and task_id and opened <= ours[0]["created_at"] <= closed else None
    # A full page that does not reach back to the submit leaves the question open, and so does a task without a date,
    # or one of that time without an identifier: whether the list repeats it for every model is not certain.
    covers = len(items) < PAGE or min(item["created_at"] for item in dated) < opened
    may_be_ours = any(opened <= item["created_at"] <= closed and not item.get("safety_identifier") for item in dated)
    return Absent() if len(dated) == len(items) and covers and not may_be_ours else None


# ---- callbacks ------------------------------------------------------------------------------------------------------


def read_notice(body: bytes) -> Notice:
    """BytePlus signs nothing: the token in our callback address stands in for it, and this only says where to look."""
    payload = webhook_object(body)
    status = short_text(payload.get("status"))
    return Notice(short_text(payload.get("id")), status, ended=status not in RUNNING)
