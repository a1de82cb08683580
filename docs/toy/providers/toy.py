"""Toy: pencil sketches, by a provider that does not exist and keeps every promise.

Read on 21 November 2026: nothing, it is made up. A real adapter links here the pages it was written from, and says next
to the line that needed it what they leave open.

What shapes this adapter: it honours an idempotency key, so that a submit whose answer was lost is simply sent again. It
calls nobody back, and it takes pictures as addresses or as bytes.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import Field

from domain.errors import (
    AuthError,
    BadCredentials,
    InputRejected,
    JobExpired,
    JobFailed,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.media import InputForm, MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import (
    Absent,
    Accepted,
    Canceled,
    CancelOutcome,
    Failed,
    Finished,
    Inputs,
    Job,
    JobRequest,
    JobState,
    Looks,
    Mapped,
    ModelCard,
    Notice,
    Output,
    Params,
    Pending,
    Provider,
    Succeeded,
    Unsure,
    Window,
)
from net.origins import TrustedOrigins
from net.paid import send_paid
from providers._answers import Redactor, address, cannot_say_now, json_object, read, short_text, traceable
from providers._hosts import KeyHosts, api_key
from providers._neutral import untold
from providers._params import NativeParams, Prompt, native
from providers._requests import data_uri

NAME = "toy"
KEY_NAME = "TOY_API_KEY"
API = "https://api.toy.example"

_OWN_HOSTS = re.compile(r"api\.toy\.example")
_SUBMIT_TIMEOUT = 5.0

# ---- the model: what it takes, what it costs, how its words and ours translate ---------------------------------------

_MOST_SEED = 9999


class Sketch(NativeParams):
    prompt: Prompt = Field(description="What to sketch.")
    seed: int | None = Field(None, ge=0, le=_MOST_SEED, description="The same seed gives the same sketch again.")


def price(params: Params, pictures: int) -> Cost:
    """One cent a sketch, whatever it shows."""
    return Cost.exactly(10_000)


def read_neutral(params: Params) -> MediaRequest:
    return MediaRequest(MediaKind.IMAGE, prompt=params.get("prompt"), seed=params.get("seed"))


def from_neutral(request: MediaRequest) -> Mapped:
    """What the model cannot be told is named, so that a plan can show it before a run starts."""
    params: dict[str, Any] = {} if request.prompt is None else {"prompt": request.prompt}
    if request.seed is not None and 0 <= request.seed <= _MOST_SEED:
        params["seed"] = request.seed
    return Mapped(params, untold(request, params))


def read_picture(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The picture that a caller named in Toy's own field, and the parameters without it."""
    picture = params.get("picture")
    if not isinstance(picture, str):
        return (), dict(params)
    return (picture,), {name: value for name, value in params.items() if name != "picture"}


MODELS: dict[str, ModelCard] = {
    "toy/sketch-1": ModelCard(
        id="toy/sketch-1",
        raw_id="sketch-1",
        provider=NAME,
        vendor=NAME,
        kind=MediaKind.IMAGE,
        params=Sketch,
        endpoint=f"{API}/jobs",
        price=price,
        read_neutral=read_neutral,
        from_neutral=from_neutral,
        read_inputs=read_picture,
        inputs=Inputs(0, 1),
        owned=frozenset({"model"}),
        looks=Looks(quick_pause=0.5),
        submit_timeout=_SUBMIT_TIMEOUT,
        deadline=120.0,
        honours_key=True,
    )
}

# ---- what every answer means -----------------------------------------------------------------------------------------


def read_job(payload: Mapping[str, Any] | None) -> Job:
    """The job that a 2xx answer names. Where it names none, one may run all the same."""
    job_id = short_text(payload.get("id")) if payload else None
    if job_id is None:
        raise StartUnknown("Toy took the request, and its answer names no job.")
    return Job(job_id)


def read_error(status: int, payload: Mapping[str, Any] | None, redact: Redactor) -> StepError:
    """A 4xx of a submit: nothing was started."""
    message = f"Toy refused the request: {redact((payload or {}).get('reason')) or f'HTTP {status}'}"
    return BadCredentials(message) if status in (401, 403) else InputRejected(message)


def read_state(payload: Mapping[str, Any], redact: Redactor) -> JobState:
    word = short_text(payload.get("status")) or ""
    if word == "busy":
        return Pending(word)
    if word == "done" and (sketch := address(payload.get("sketch"))) is not None:
        return Succeeded((Output(sketch),))
    if word == "failed":
        return Failed(JobFailed(redact(payload.get("reason")) or "It failed."))
    if word == "canceled":
        return Canceled()
    return not_understood(redact(word) or "no status")


def not_found() -> Unsure:
    """A new job may take a moment to be seen (inferred)."""
    return Unsure("not found", JobExpired("Toy no longer knows the job."), seconds=30.0, reads=3)


def not_understood(word: str) -> Unsure:
    """Never "still running": a word that nobody knows would keep a job running for ever."""
    return Unsure(word, UnexpectedResponse(f"Toy reports the job as {word!r}, which no page describes."))


# ---- HTTP ------------------------------------------------------------------------------------------------------------


class Toy:
    accepts: tuple[InputForm, ...] = (InputForm.URL, InputForm.INLINE)

    def __init__(self, http: httpx.AsyncClient, key: str, *, base: str) -> None:
        self._http = http
        self._key = key
        self._base = base
        self._redact = Redactor(key)

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        body = {**native(request.params), "model": request.model}
        if request.inputs:
            [picture] = request.inputs
            body["picture"] = picture.url or data_uri(picture)
        response = await send_paid(
            self._http,
            f"{self._base}/jobs",
            provider="Toy",
            body=body,
            headers=self._headers() | {"idempotency-key": key},
            read_timeout=_SUBMIT_TIMEOUT,
        )
        payload = json_object(response)
        with traceable(response, self._redact):
            if not response.is_success:
                raise read_error(response.status_code, payload, self._redact)
            return Accepted(read_job(payload))

    async def status(self, job: Job) -> JobState:
        response = await self._ask(job)
        payload = json_object(response)
        if (refusal := cannot_say_now("Toy", response, payload)) is not None:
            raise refusal
        if response.status_code == 404:
            return not_found()
        if payload is None or not response.is_success:
            return not_understood(f"HTTP {response.status_code}")
        return read_state(payload, self._redact)

    async def cancel(self, job: Job) -> CancelOutcome:
        """Toy stops what is not done, and charges nothing for it."""
        response = await self._ask(job, method="DELETE")
        if (refusal := cannot_say_now("Toy", response, {})) is not None:
            raise refusal
        return CancelOutcome.STOPPED if response.is_success else CancelOutcome.NOT_STOPPED

    async def find(self, request: JobRequest, window: Window) -> Job | Absent | None:
        """Toy has no list. It needs none: the same key leads to the same job."""
        return None

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """Whoever calls, it is not Toy."""
        raise AuthError("Toy sends no webhooks.", code="missing_webhook_signature")

    async def _ask(self, job: Job, method: str = "GET") -> httpx.Response:
        url = f"{self._base}/jobs/{quote(job.id, safe='')}"
        return await read(self._http, url, provider="Toy", headers=self._headers(), method=method)

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}", "accept": "application/json"}


def create(env: Mapping[str, str], http: httpx.AsyncClient) -> Provider | None:
    key = api_key(env, KEY_NAME)
    if key is None:
        return None
    hosts = KeyHosts(_OWN_HOSTS, TrustedOrigins.parse(env.get("BABYCHAIN_TRUSTED_ORIGINS", "")))
    return Toy(http, key, base=hosts.base_url(env, "TOY_API_BASE_URL", API))
