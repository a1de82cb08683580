"""BytePlus ModelArk (and Volcengine Ark, which speaks the same protocol): Seedream pictures and Seedance videos.

Read in November 2026: https://docs.byteplus.com/en/docs/ModelArk (picture generation, video generation, list, cancel,
error codes, prices). "Inferred" marks our own reasoning.

What shapes this adapter: pictures are answered in the same call, without id, list or key, so a lost answer is lost.
Videos are tasks; `safety_identifier` comes back in the list, which makes a lost one findable. Callbacks are unsigned.

`seedream.py` and `seedance.py` have what the models take and cost, `wire.py` the status words and what each answer
means; here is the HTTP.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from domain.errors import StepError, UnexpectedResponse
from domain.media import InputForm, MediaKind
from domain.provider import (
    Absent,
    Accepted,
    CancelOutcome,
    Finished,
    Job,
    JobRequest,
    JobState,
    Notice,
    Provider,
    Window,
)
from net.origins import TrustedOrigins
from net.paid import send_paid
from providers._answers import Redactor, cannot_say_now, json_object, read, request_id, short_text, traceable
from providers._hosts import KeyHosts, api_key
from providers._requests import named
from providers.byteplus import seedance, seedream
from providers.byteplus.ark import API, NAME
from providers.byteplus.wire import (
    CANCELED,
    PAGE,
    QUEUED,
    build_picture_body,
    build_task_body,
    find_task,
    not_found,
    not_understood,
    rate_fact,
    read_error,
    read_limit,
    read_notice,
    read_pictures,
    read_state,
    read_task,
)

__all__ = ["KEY_NAME", "MODELS", "NAME", "create"]

KEY_NAME = "ARK_API_KEY"
MODELS = seedream.MODELS | seedance.MODELS

_API_PATH = "/api/v3"
# The API's hosts only: anybody can rent a bucket, and with it a host name, below volces.com.
_OWN_HOSTS = re.compile(r"ark\.[a-z0-9-]+\.(bytepluses|volces)\.com")


class BytePlus:
    accepts: tuple[InputForm, ...] = (InputForm.URL, InputForm.INLINE)

    def __init__(self, http: httpx.AsyncClient, key: str, *, base: str, endpoints: Mapping[str, str]) -> None:
        self._http = http
        self._key = key
        self._base = base
        self._endpoints = endpoints
        self._redact = Redactor(key)

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        card = named(MODELS.values(), request.model)
        model = self._endpoints[card.id]
        if card.kind is MediaKind.IMAGE:
            body = build_picture_body(card, request, model)
            response = await self._send(seedream.PATH, body, key, seedream.SUBMIT_TIMEOUT)
        else:
            body = build_task_body(card, request, model)
            if callback_url is not None:
                body["callback_url"] = callback_url
            response = await self._send(seedance.PATH, body, key, seedance.SUBMIT_TIMEOUT)
        payload = json_object(response)
        with traceable(response, self._redact):
            if not response.is_success:
                raise read_error(response.status_code, payload, self._redact)
            if card.kind is MediaKind.IMAGE:
                finished = read_pictures(card, payload, self._redact)
                return replace(finished, facts=request_id(response, self._redact))
            return Accepted(read_task(payload, card, request.params))

    async def status(self, job: Job) -> JobState:
        response = await self._read(job)
        payload = json_object(response)
        if (refusal := cannot_say_now("BytePlus", response, payload)) is not None:
            raise refusal
        if response.status_code == 404:
            return not_found()
        if payload is None or not response.is_success:
            return not_understood(f"HTTP {response.status_code}")
        return read_state(payload, job, self._redact)

    async def cancel(self, job: Job) -> CancelOutcome:
        """Stop a task that is still queued.

        A DELETE of an ended task destroys its record and its result, so the task is read first, and never deleted
        unless it was queued a moment ago. When the DELETE's own answer is lost, a repeat reads how it went.
        """
        if (status := await self._status_word(job)) != QUEUED:
            return CancelOutcome.STOPPED if status == CANCELED else CancelOutcome.NOT_STOPPED
        response = await self._read(job, method="DELETE")
        if (refusal := cannot_say_now("BytePlus", response, {})) is not None:
            raise refusal
        if not response.is_success:
            return CancelOutcome.NOT_STOPPED
        # It may have run and ended in between; then the record is gone, and the task is billed.
        was_stopped = await self._status_word(job) in (QUEUED, CANCELED)
        return CancelOutcome.STOPPED if was_stopped else CancelOutcome.NOT_STOPPED

    async def find(self, request: JobRequest, window: Window) -> Job | Absent | None:
        """Look through the newest tasks of the model.

        How the list filters by an endpoint of one's own is not documented, and a filter that fits nothing would deny
        every task: those are looked for among all.
        """
        card = named(MODELS.values(), request.model)
        if card.kind is MediaKind.IMAGE:
            return None
        query = {"page_num": "1", "page_size": str(PAGE)}
        if (model := self._endpoints[card.id]) == card.raw_id:
            query["filter.model"] = model
        if (tier := request.params.get("service_tier")) is not None:
            # The list hides tasks of the flex tier unless they are asked for.
            query["filter.service_tier"] = tier
        response = await read(
            self._http,
            self._base + seedance.PATH,
            provider="BytePlus",
            headers=self._headers(),
            query=query,
        )
        payload = json_object(response)
        if (refusal := cannot_say_now("BytePlus", response, payload)) is not None:
            raise refusal
        if payload is None or not response.is_success:
            raise UnexpectedResponse(f"BytePlus answered HTTP {response.status_code} instead of its list of tasks.")
        found = find_task(payload, request.token, window)
        return replace(found, facts=rate_fact(card, request.params)) if isinstance(found, Job) else found

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        return read_notice(body)

    async def _send(self, path: str, body: Mapping[str, Any], key: str, read_timeout: float) -> httpx.Response:
        return await send_paid(
            self._http,
            self._base + path,
            provider="BytePlus",
            body=body,
            # BytePlus promises nothing for the second header; the first is repeated in its logs.
            headers={**self._headers(), "x-client-request-id": key, "x-idempotency-key": key},
            read_timeout=read_timeout,
            read_limit=self._read_limit,
        )

    def _read_limit(self, response: httpx.Response) -> StepError | None:
        return read_limit(json_object(response), self._redact)

    async def _status_word(self, job: Job) -> str | None:
        response = await self._read(job)
        payload = json_object(response)
        if (refusal := cannot_say_now("BytePlus", response, payload)) is not None:
            raise refusal
        return short_text(payload.get("status")) if payload else None

    async def _read(self, job: Job, method: str = "GET") -> httpx.Response:
        url = f"{self._base}{seedance.PATH}/{quote(job.id, safe='')}"
        return await read(self._http, url, provider="BytePlus", headers=self._headers(), method=method)

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}", "accept": "application/json"}


def create(env: Mapping[str, str], http: httpx.AsyncClient) -> Provider | None:
    key = api_key(env, KEY_NAME)
    if key is None:
        return None
    hosts = KeyHosts(_OWN_HOSTS, TrustedOrigins.parse(env.get("BABYCHAIN_TRUSTED_ORIGINS", "")))
    base = hosts.base_url(env, "ARK_API_BASE_URL", API)
    return BytePlus(http, key, base=base.removesuffix(_API_PATH) + _API_PATH, endpoints=_endpoints(env))


def _endpoints(env: Mapping[str, str]) -> dict[str, str]:
    """A deployment may have its own endpoint (`ep-...`) for a model: BYTEPLUS_ENDPOINT_BYTEDANCE_SEEDANCE_15_PRO."""
    return {card.id: env.get(endpoint_setting(card.id), "").strip() or card.raw_id for card in MODELS.values()}


def endpoint_setting(model: str) -> str:
    return "BYTEPLUS_ENDPOINT_" + re.sub(r"[^A-Z0-9]", "_", model.upper().replace(".", ""))
