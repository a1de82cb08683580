"""BabySea: one API in front of many providers, which fails over between them itself.

Read in November 2026: docs.babysea.ai and terms.babysea.ai, in two editions, and the source of BabySea's TypeScript
SDK and starter apps. "Inferred" marks our own reasoning.

What shapes this adapter: it serves the models of `babysea` mode, under the ids that other adapters serve in the other
modes, and takes the contract's `generation_*` words as they are. Every create carries an idempotency key, which BabySea
keeps for 24 hours, so a lost answer is asked for again. Inputs are addresses, never bytes. Webhooks belong to the
account, not to the request: they come to one route, and find their run by the generation's id. There is no cost in any
answer about a generation, so the estimate is asked before the create.

`models.py` has what the models take and cost, `wire.py` the status words and what each answer means, `webhook.py` the
signature; here is the HTTP.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from urllib.parse import quote

import httpx

from domain.errors import SetupError, StepError
from domain.media import InputForm
from domain.money import Micros
from domain.provider import (
    Absent,
    Accepted,
    Canceled,
    CancelOutcome,
    Finished,
    Job,
    JobRequest,
    JobState,
    ModelCard,
    Notice,
    Params,
    Provider,
    Window,
)
from net.origins import TrustedOrigins
from net.paid import is_rehearsing, send_paid
from providers._answers import Redactor, json_object, read, traceable
from providers._hosts import KeyHosts, api_key
from providers._requests import named
from providers.babysea.models import ESTIMATE_TIMEOUT, MODELS, NAME, SUBMIT_TIMEOUT
from providers.babysea.webhook import read_notice
from providers.babysea.wire import (
    build_body,
    build_estimate,
    is_canceled,
    not_found,
    not_understood,
    read_doubt,
    read_error,
    read_estimate,
    read_hindrance,
    read_job,
    read_limit,
    read_state,
)

__all__ = ["KEY_NAME", "MODE", "MODELS", "NAME", "create"]

KEY_NAME = "BABYSEA_API_KEY"
MODE = "babysea"

_OWN_HOSTS = re.compile(r"api\.(us|eu|jp)\.babysea\.ai")
_REGIONS = frozenset({"us", "eu", "jp"})


class BabySea:
    accepts: tuple[InputForm, ...] = (InputForm.URL,)

    def __init__(self, http: httpx.AsyncClient, key: str, *, base: str, webhook_secrets: Sequence[str] = ()) -> None:
        self._http = http
        self._key = key
        self._base = base
        self._webhook_secrets = tuple(webhook_secrets)
        self._redact = Redactor(key)

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        """`callback_url` is not sent: BabySea's webhooks are set up once for the account."""
        card = named(MODELS.values(), request.model)
        body = build_body(card, request)
        cost = None if is_rehearsing() else await self.estimate(card, body)
        response = await send_paid(
            self._http,
            # The identifier's slash stays one.
            f"{self._base}/v1/generate/{card.kind}/{card.raw_id}",
            provider="BabySea",
            body=body,
            headers={**self._headers(), "idempotency-key": key},
            read_timeout=SUBMIT_TIMEOUT,
            read_limit=read_limit,
            read_doubt=lambda response: read_doubt(json_object(response), self._redact),
        )
        payload = json_object(response)
        with traceable(response, self._redact):
            if not response.is_success:
                raise read_error(response.status_code, payload, self._redact)
            return Accepted(read_job(payload, response.headers, cost))

    async def estimate(self, card: ModelCard, params: Params) -> Micros | None:
        """What BabySea will charge. A chain does not wait for it, nor fail with it."""
        url = f"{self._base}/v1/estimate/{card.raw_id}"
        with suppress(StepError, TimeoutError):
            async with asyncio.timeout(ESTIMATE_TIMEOUT):
                response = await read(
                    self._http, url, provider="BabySea", headers=self._headers(), query=build_estimate(params)
                )
            if response.is_success:
                return read_estimate(json_object(response))
        return None

    async def status(self, job: Job) -> JobState:
        url = f"{self._base}/v1/content/{quote(job.id, safe='')}"
        response = await read(self._http, url, provider="BabySea", headers=self._headers())
        payload = json_object(response)
        if (refusal := read_hindrance(response, payload)) is not None:
            raise refusal
        if response.status_code == 404:
            return not_found()
        if payload is None or not response.is_success:
            return not_understood(f"HTTP {response.status_code}")
        return read_state(payload, job, self._redact)

    async def cancel(self, job: Job) -> CancelOutcome:
        """A generation that has ended is refused, and so is a key that may not cancel."""
        url = f"{self._base}/v1/content/generation/cancel/{quote(job.id, safe='')}"
        response = await read(self._http, url, provider="BabySea", headers=self._headers(), method="POST")
        if response.is_success and is_canceled(json_object(response) or {}):
            return CancelOutcome.STOPPED
        if response.status_code == 403:
            return CancelOutcome.NOT_STOPPED
        if (refusal := read_hindrance(response, {})) is not None:
            raise refusal
        # It may be the refusal of a repeat, whose first answer was lost.
        is_stopped = isinstance(await self.status(job), Canceled)
        return CancelOutcome.STOPPED if is_stopped else CancelOutcome.NOT_STOPPED

    async def find(self, request: JobRequest, window: Window) -> Job | Absent | None:
        """The idempotency key finds it; the list tells equal prompts not apart."""
        return None

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        if not self._webhook_secrets:
            raise SetupError(
                "This server has no secret for BabySea's webhooks: set BABYSEA_WEBHOOK_SECRET.",
                code="webhook_not_configured",
            )
        return read_notice(self._webhook_secrets, headers, body, now)

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}", "accept": "application/json"}


def create(env: Mapping[str, str], http: httpx.AsyncClient) -> Provider | None:
    key = api_key(env, KEY_NAME)
    if key is None:
        return None
    region = env.get("BABYSEA_REGION", "").strip().lower() or "us"
    if region not in _REGIONS:
        raise SetupError(f"BABYSEA_REGION must be one of {', '.join(sorted(_REGIONS))}.")
    hosts = KeyHosts(_OWN_HOSTS, TrustedOrigins.parse(env.get("BABYCHAIN_TRUSTED_ORIGINS", "")))
    base = hosts.base_url(env, "BABYSEA_API_BASE_URL", f"https://api.{region}.babysea.ai").removesuffix("/v1")
    secrets = [secret.strip() for secret in env.get("BABYSEA_WEBHOOK_SECRET", "").split(",") if secret.strip()]
    return BabySea(http, key, base=base, webhook_secrets=secrets)
