"""BabySea on the wire: body and estimate of a create, and what every answer means. Nothing here does I/O."""

from collections.abc import Mapping
from typing import Any

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
from domain.provider import (
    Canceled,
    Failed,
    Job,
    JobRequest,
    JobState,
    ModelCard,
    Output,
    Params,
    Pending,
    Succeeded,
    Unsure,
)
from net.paid import retry_after
from providers._answers import Redactor, address, cannot_say_now, hindrance, json_object, short_text
from providers._params import whole
from providers._requests import address_only, fitting
from providers.babysea.models import INPUT_FILE, defaults

# ---- statuses -----------------------------------------------------------------------------------------------------

RUNNING = frozenset({"pending", "processing"})
SUCCEEDED, FAILED, CANCELED = "succeeded", "failed", "canceled"
ENDED = frozenset({SUCCEEDED, FAILED, CANCELED})

# Errors go by their type first: the numbers changed between two editions of the documentation.
_MODERATED = frozenset({"content_policy_violation", "BSE2006"})
_SPENT = frozenset({"insufficient_credits", "provider_credits_exhausted", "BSE1004"})
_BAD_KEY = frozenset(
    {"authentication_required", "authentication_failed", "insufficient_permissions", "ip_not_allowed"}
    | {"account_not_found", "BSE1001", "BSE1002", "BSE1003", "BSE1007", "BSE1008"}
)
_OTHER_BODY = frozenset({"BSE2015"})
# The type's name is inferred: no page gives it.
_IN_PROGRESS = frozenset({"idempotency_in_progress", "BSE2016"})
_TRIED = frozenset({"provider_error", "all_providers_failed"})
_NO_MODEL = frozenset({"model_not_found"})

_MOST_CREDITS = 1_000_000
_LONGEST_PAUSE = 3_600

# ---- create -------------------------------------------------------------------------------------------------------


def build_body(card: ModelCard, request: JobRequest) -> dict[str, Any]:
    """The same request gives the same bytes: another body under the same key is refused."""
    body = {**defaults(card), **{name: whole(value) for name, value in request.params.items() if value is not None}}
    if body.get("generation_output_format") == "jpeg":
        body["generation_output_format"] = "jpg"
    if files := [address_only(card, picture) for picture in fitting(card, request.inputs)]:
        body[INPUT_FILE] = files
    return body


def build_estimate(params: Params) -> dict[str, str]:
    """What the price depends on."""
    query = {"count": str(params.get("generation_output_number", 1))}
    if (seconds := params.get("generation_duration")) is not None:
        query["duration"] = str(seconds)
    if (resolution := params.get("generation_resolution")) is not None:
        query["resolution"] = str(resolution)
    if (audio := params.get("generation_generate_audio")) is not None:
        query["audio"] = "true" if audio else "false"
    return query


def read_estimate(payload: Mapping[str, Any] | None) -> Micros | None:
    """1 credit is 1 USD, to three decimals."""
    amount = _data(payload or {}).get("cost_total_consumed")
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < _MOST_CREDITS:
        return None
    return round(amount * 1_000_000)


def read_job(payload: Mapping[str, Any] | None, headers: Mapping[str, str], cost: Micros | None) -> Job:
    """The generation that a 2xx answer names. Where it names none, one may run all the same."""
    data = _data(payload or {})
    generation_id = short_text(data.get("generation_id"))
    if generation_id is None:
        raise StartUnknown("BabySea took the request, and its answer names no generation.")
    facts = {
        "order": _order(data) or "",
        "prediction": short_text(data.get("generation_prediction_id")) or "",
        "request": short_text((payload or {}).get("request_id")) or "",
        "replayed": "true" if headers.get("idempotency-replayed", "").lower() == "true" else "false",
    }
    return Job(generation_id, {name: value for name, value in facts.items() if value}, cost)


# ---- errors -------------------------------------------------------------------------------------------------------


def read_error(status: int, payload: Mapping[str, Any] | None, redact: Redactor) -> StepError:
    """A 4xx of a create: nothing was started."""
    if payload is None and status == 403:
        # Its firewall compares with the published OpenAPI, and answers in plain text.
        return InputRejected(
            "BabySea's edge refused the request: it holds something that BabySea does not document.",
            code="provider_invalid_request",
            facts={"status": status},
        )
    error = _error(payload or {})
    words = {short_text(error.get("type")), short_text(error.get("code"))}
    message, facts = _told("BabySea refused the request", error, redact)
    return _kind(status, words)(message, facts={**facts, "status": status})


def read_doubt(payload: Mapping[str, Any] | None, redact: Redactor) -> StepError | None:
    """A 409 or 5xx that says for certain what became of the job; what it leaves open, the same key brings to light."""
    error = _error(payload or {})
    words = {short_text(error.get("type")), short_text(error.get("code"))}
    if words & _OTHER_BODY:
        # It is ours to mend: the first body may have been charged, so nobody else is asked either.
        return InputRejected("BabySea knows this attempt's idempotency key with another body.")
    if words & _IN_PROGRESS:
        message = "BabySea is still working on the first request with this attempt's idempotency key."
        return StartUnknown(message, facts={"in_progress": True})
    message, facts = _told("BabySea refused the request", error, redact)
    if words & _SPENT:
        return CreditExhausted(message, facts=facts)
    if words & _TRIED:
        # The upstreams were tried, and it ended: nothing runs, and what was reserved is given back. Where BabySea calls
        # it retryable, that means a new start: this key may answer with the same failure until it is forgotten.
        return JobFailed(message, facts={**facts, "cost": 0})
    return None


def read_limit(response: httpx.Response) -> Refused:
    return Refused("BabySea has no room now (HTTP 429).", code="provider_rate_limited", retry_after=_pause_of(response))


def read_hindrance(response: httpx.Response, payload: object) -> Refused | None:
    """What keeps BabySea from saying anything about a generation now."""
    refusal = cannot_say_now("BabySea", response, payload)
    error = _error(json_object(response) or {})
    if refusal is None and {short_text(error.get("type")), short_text(error.get("code"))} & _BAD_KEY:
        # A 404 may be the account's, whose generations go on.
        refusal = hindrance("BabySea", 401)
    if refusal is not None:
        refusal.retry_after = _pause_of(response)
    return refusal


def _pause_of(response: httpx.Response) -> float | None:
    """From the header, which wins in BabySea's own SDK too, or from the error's details."""
    if (told := retry_after(response.headers)) is not None:
        return told
    details = _error(json_object(response) or {}).get("details")
    seconds = details.get("retry_after_seconds") if isinstance(details, Mapping) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
        return None
    return float(min(seconds, _LONGEST_PAUSE))


def _kind(status: int, words: set[str | None]) -> type[StepError]:
    if words & _MODERATED:
        return Moderated
    if status == 402 or words & _SPENT:
        return CreditExhausted
    if status in (401, 403) or words & _BAD_KEY:
        return BadCredentials
    if status == 404 or words & _NO_MODEL:
        return ModelUnavailable
    return InputRejected


def _told(what: str, error: Mapping[str, Any], redact: Redactor) -> tuple[str, dict[str, Any]]:
    """The last words of each upstream say more than BabySea's own, where it tried several."""
    found = error.get("provider_errors")
    upstreams = [one for one in (found if isinstance(found, list) else []) if isinstance(one, dict)]
    said = [f"{redact(one.get('provider'))}: {redact(one.get('message'))}" for one in upstreams]
    reason = "; ".join(filter(None, [redact(error.get("message")), *said]))
    code = redact(error.get("code")) or redact(error.get("type"))
    return f"{what}{': ' + reason if reason else '.'}", {"provider_code": code} if code else {}


def _error(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    found = payload.get("error")
    return found if isinstance(found, Mapping) else {}


def _data(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    found = payload.get("data")
    return found if isinstance(found, Mapping) else {}


# ---- a generation's state -----------------------------------------------------------------------------------------


def is_canceled(payload: Mapping[str, Any]) -> bool:
    return _data(payload).get("generation_status") == CANCELED


def read_state(payload: Mapping[str, Any], job: Job, redact: Redactor) -> JobState:
    data = _data(payload)
    word = short_text(data.get("generation_status")) or ""
    if word in RUNNING:
        return Pending(word)
    if word == SUCCEEDED:
        return _read_success(data, job)
    if word == FAILED:
        return Failed(_read_failure(data, redact))
    if word == CANCELED:
        return Canceled()
    return not_understood(redact(word) or "no status")


def _read_success(data: Mapping[str, Any], job: Job) -> JobState:
    if data.get("generation_removed") is True:
        # Inferred: the record stays, and the files are gone.
        return Failed(JobExpired("BabySea's generation succeeded, and its files have been deleted there."))
    files = data.get("generation_output_file")
    urls = [found for url in (files if isinstance(files, list) else []) if (found := address(url)) is not None]
    if not urls:
        text = "BabySea reports the generation as succeeded, and names no file."
        return Unsure("succeeded without a file", UnexpectedResponse(text), seconds=30.0, reads=5)
    return Succeeded(tuple(map(Output, urls)), metadata=_metadata(data, job))


def _metadata(data: Mapping[str, Any], job: Job) -> dict[str, str]:
    """What the contract shows of a step in this mode, under its names."""
    found = {
        "provider_order": _order(data) or job.facts.get("order"),
        "provider_used": short_text(data.get("generation_provider_used")),
        "babysea_generation_id": job.id,
        "babysea_prediction_id": short_text(data.get("generation_prediction_id")) or job.facts.get("prediction"),
        "babysea_request_id": job.facts.get("request"),
        "babysea_idempotency_replayed": job.facts.get("replayed"),
    }
    return {name: value for name, value in found.items() if value}


def _order(data: Mapping[str, Any]) -> str | None:
    """Answers give a list; a text is what requests take, and is read as well."""
    order = data.get("generation_provider_order")
    names = order if isinstance(order, list) else str(order or "").split(",")
    return ", ".join(name for one in names if (name := short_text(str(one).strip()))) or None


def _read_failure(data: Mapping[str, Any], redact: Redactor) -> StepError:
    """Credits are returned on failure (documented), so it costs nothing."""
    error = {"message": data.get("generation_error"), "code": data.get("generation_error_code")}
    message, facts = _told("BabySea's generation failed", error, redact)
    kind = Moderated if short_text(error["code"]) in _MODERATED else JobFailed
    return kind(message, facts={**facts, "cost": 0})


def not_found() -> Unsure:
    """Inferred: a new generation may take a moment to be seen; after that it is lost, or another region's."""
    error = JobExpired("BabySea no longer knows the generation.", code="provider_task_not_found")
    return Unsure("not found", error, seconds=30.0, reads=3)


def not_understood(word: str) -> Unsure:
    text = f"BabySea reports the generation as {word!r}, which its documentation does not describe."
    return Unsure(word, UnexpectedResponse(text))
