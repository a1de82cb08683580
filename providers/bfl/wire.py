"""BFL on the wire: the body of a submit, and what every answer and webhook means. Nothing here does I/O."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from domain.errors import (
    AuthError,
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
from domain.money import Micros
from domain.provider import Failed, Job, JobRequest, JobState, ModelCard, Notice, Output, Pending, Succeeded, Unsure
from providers._answers import Redactor, address, short_text, webhook_object
from providers._params import native
from providers._requests import base64_of, bytes_only, fitting
from providers._signatures import body_signature, same
from providers.bfl.models import FIRST_INPUT, read_image_prompt

RESULT_LIFE = timedelta(minutes=10)
MICROS_PER_CREDIT = 10_000
"""1 credit = 0.01 US dollars."""

# ---- statuses -----------------------------------------------------------------------------------------------------

READY = "Ready"
# The last two are FLUX 3's words, which cost nothing to know.
RUNNING = frozenset({"Pending", "Reasoning", "Generating"})
MODERATED = {"Request Moderated": "the prompt or an input picture", "Content Moderated": "the picture it made"}
FAILED = frozenset({"Error", "Failed"})
NOT_FOUND = "Task not found"
WORDS = RUNNING | MODERATED.keys() | FAILED | {READY, NOT_FOUND}

# ---- pure builders and readers --------------------------------------------------------------------------------------


def build_body(card: ModelCard, request: JobRequest) -> dict[str, Any]:
    body = native(request.params)
    pictures = fitting(card, request.inputs)
    if card.read_inputs is read_image_prompt:
        return body | ({"image_prompt": base64_of(bytes_only(card, pictures[0]))} if pictures else {})
    slots = [FIRST_INPUT, *(f"{FIRST_INPUT}_{number}" for number in range(2, len(pictures) + 1))]
    return body | {slot: picture.url or base64_of(picture) for slot, picture in zip(slots, pictures, strict=False)}


def read_job(payload: Mapping[str, Any] | None) -> Job:
    """The job that a 2xx answer names. Where it names none a job may run all the same, and be charged."""
    job_id = short_text(payload.get("id")) if payload else None
    if payload is None or job_id is None:
        raise StartUnknown("BFL took the request, and its answer names no job.")
    # With a webhook the answer has no `polling_url`; the poll then goes to the host of the submit.
    poll_url = address(payload.get("polling_url"))
    return Job(job_id, {} if poll_url is None else {"poll_url": poll_url}, read_credits(payload.get("cost")))


def read_credits(credits: object) -> Micros | None:
    if isinstance(credits, bool) or not isinstance(credits, int | float):
        return None
    amount = Decimal(str(credits))
    if not amount.is_finite() or amount < 0:
        return None
    return int((amount * MICROS_PER_CREDIT).to_integral_value(ROUND_CEILING))


def read_error(status: int, payload: Mapping[str, Any] | None, redact: Redactor) -> StepError:
    """A 4xx of the submit: no job was started."""
    reason = redact(complaint(payload or {}))
    message = f"BFL refused the request (HTTP {status}){': ' + reason if reason else '.'}"
    facts = {"status": status}
    if status == 402:
        return CreditExhausted(message, facts=facts)
    # 403 stands for a wrong key and for a model that the key may not use; telling them apart by the text is inferred.
    if status == 404 or (status == 403 and "permission" in reason.lower()):
        return ModelUnavailable(message, facts=facts)
    if status in (401, 403):
        return BadCredentials(message, facts=facts)
    return InputRejected(message, facts=facts)


def complaint(payload: Mapping[str, Any]) -> str:
    """What is wrong, in BFL's words: text, or a list of faults with their places (whose `input` we leave alone)."""
    for slot in ("detail", "message", "error"):
        value = payload.get(slot)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value:
            return "; ".join(_one_fault(item) for item in value if isinstance(item, dict))
    return ""


def _one_fault(fault: Mapping[str, Any]) -> str:
    place = fault.get("loc")
    where = ".".join(str(part) for part in place if part != "body") if isinstance(place, list) else ""
    return f"{where}: {fault.get('msg')}" if where else str(fault.get("msg"))


def read_state(payload: Mapping[str, Any], job: Job, now: datetime, redact: Redactor) -> JobState:
    status = short_text(payload.get("status")) or ""
    if status in RUNNING:
        return Pending(status)
    if status == READY:
        return _read_result(payload, job, now)
    if status in MODERATED:
        reasons = redact(_moderation_reasons(payload))
        message = f"BFL's filter refused {MODERATED[status]}{': ' + reasons if reasons else '.'}"
        # Neither is charged, whatever `cost` the submit named (BFL's help centre, June 2026).
        return Failed(Moderated(message, facts={"provider_status": status, "cost": 0}))
    if status in FAILED:
        reason = redact(_failure_reason(payload))
        message = f"BFL's job failed{': ' + reason if reason else '.'}"
        # Inferred: BFL charges for what is `Ready`, whatever `cost` the submit named.
        return Failed(JobFailed(message, facts={"provider_status": status, "cost": 0}))
    if status == NOT_FOUND:
        return not_found()
    return not_understood(redact(status) or "no status")


def _read_result(payload: Mapping[str, Any], job: Job, now: datetime) -> JobState:
    result = payload.get("result")
    sample = address(result.get("sample")) if isinstance(result, dict) else None
    if sample is None:
        return not_understood(f"{READY} without a result")
    expires = (now + RESULT_LIFE).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Succeeded((Output(sample),), job.cost, {"output_expires_at": expires})


def _moderation_reasons(payload: Mapping[str, Any]) -> str:
    details = payload.get("details")
    reasons = details.get("Moderation Reasons") if isinstance(details, dict) else None
    return ", ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else ""


def _failure_reason(payload: Mapping[str, Any]) -> str:
    for slot in ("details", "result"):
        value = payload.get(slot)
        if isinstance(value, str):
            return value
        if isinstance(value, dict) and (text := complaint(value)):
            return text
    return complaint(payload)


def not_found() -> Unsure:
    """Clusters tell each other of a new task with a delay (inferred: 30 seconds are enough); after that it is lost."""
    error = JobExpired("BFL no longer knows the job.", code="provider_task_not_found")
    return Unsure(NOT_FOUND, error, seconds=30.0, reads=3)


def not_understood(word: str) -> Unsure:
    return Unsure(
        word, UnexpectedResponse(f"BFL reports the job as {word!r}, which its documentation does not describe.")
    )


def verify(headers: Mapping[str, str], body: bytes, secret: str) -> None:
    """BFL documents two schemes. Its client says that the secret itself comes back; its guide, that the body is signed.

    Whatever came must be right, and something must have come.
    """
    received = {header.lower(): value for header, value in headers.items()}
    expected = {"x-webhook-secret": secret, "x-bfl-signature": body_signature(secret, body)}
    came = expected.keys() & received.keys()
    if not came:
        raise AuthError("The webhook carries no signature of BFL.", code="missing_webhook_signature")
    if not all(same(received[header], expected[header]) for header in came):
        raise AuthError("The webhook's signature is wrong.", code="invalid_webhook_signature")


def read_notice(body: bytes) -> Notice:
    payload = webhook_object(body)
    status = short_text(payload.get("status"))
    return Notice(
        short_text(payload.get("id")) or short_text(payload.get("task_id")), status, ended=status not in RUNNING
    )


# ---- the account ----------------------------------------------------------------------------------------------------


def read_account(payload: Mapping[str, Any]) -> str | None:
    left = payload.get("credits")
    return f"{left:g} credits left" if isinstance(left, int | float) and not isinstance(left, bool) else None
