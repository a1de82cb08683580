"""Black Forest Labs: FLUX pictures.

Read in November 2026: https://docs.bfl.ai (OpenAPI description, integration, errors and pricing pages) and BFL's own
Python client. Where the two disagree, the line that had to choose says so; "inferred" marks our own reasoning.

What shapes this adapter: a job is found only at the exact `polling_url` of its submit, a result lives ten minutes, and
there is no cancel, no list and no idempotency key. So the webhook is the only trace of a submit whose answer was lost.

`models.py` has what the models take and cost, `wire.py` the status words and what each answer means; here is the HTTP.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from domain.checks import Checked
from domain.errors import AuthError, SetupError, UnexpectedResponse
from domain.media import InputForm
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
from providers._answers import Redactor, cannot_say_now, json_object, read, short_text, traceable
from providers._checks import read_check
from providers._hosts import KeyHosts, api_key
from providers._requests import named
from providers._signatures import derived_secret
from providers.bfl.models import API, MODELS, NAME, SUBMIT_TIMEOUT
from providers.bfl.wire import (
    WORDS,
    build_body,
    not_found,
    not_understood,
    read_account,
    read_error,
    read_job,
    read_notice,
    read_state,
    verify,
)

__all__ = ["KEY_NAME", "LIMIT", "MODELS", "NAME", "create"]

KEY_NAME = "BFL_API_KEY"

LIMIT = 24
"""Active tasks per account (help centre, June 2025); flux-kontext-max has 6 of its own."""

_REGIONS = {"global": API, "eu": "https://api.eu.bfl.ai", "us": "https://api.us.bfl.ai"}
_OWN_HOSTS = re.compile(r"([a-z0-9-]+\.)*bfl\.ai")
_MOST_REDIRECTS = 3
_A_TASK_MAY_COME_AS = frozenset({422, 503})


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Bfl:
    accepts: tuple[InputForm, ...] = (InputForm.URL, InputForm.INLINE)

    def __init__(
        self,
        http: httpx.AsyncClient,
        key: str,
        *,
        base: str,
        hosts: KeyHosts,
        webhook_secret: str | None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._http = http
        self._key = key
        self._base = base
        self._hosts = hosts
        self._webhook_secret = webhook_secret
        self._clock = clock
        self._redact = Redactor(key)

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        card = named(MODELS.values(), request.model)
        body = build_body(card, request)
        if callback_url is not None and self._webhook_secret is not None:
            body |= {"webhook_url": callback_url, "webhook_secret": self._webhook_secret}
        response = await send_paid(
            self._http,
            f"{self._base}/v1/{card.raw_id}",
            provider="BFL",
            body=body,
            # BFL promises nothing for the second header; it lets a person at BFL tell attempts apart.
            headers=self._headers() | {"x-idempotency-key": key},
            read_timeout=SUBMIT_TIMEOUT,
        )
        payload = json_object(response)
        with traceable(response, self._redact):
            if not response.is_success:
                raise read_error(response.status_code, payload, self._redact)
            return Accepted(read_job(payload))

    async def status(self, job: Job) -> JobState:
        poll_url = job.facts.get("poll_url") or f"{self._base}/v1/get_result?id={quote(job.id, safe='')}"
        response = await self._read(poll_url)
        payload = json_object(response)
        # A failed task may come under these numbers. Under another one, such words are about our asking.
        may_be_a_task = (
            response.status_code in _A_TASK_MAY_COME_AS and short_text((payload or {}).get("status")) in WORDS
        )
        if payload is not None and (response.is_success or may_be_a_task):
            return read_state(payload, job, self._clock(), self._redact)
        if response.status_code == 404:
            return not_found()
        if (refusal := cannot_say_now("BFL", response, payload)) is not None:
            raise refusal
        return not_understood(f"HTTP {response.status_code}")

    async def cancel(self, job: Job) -> CancelOutcome:
        """BFL can't cancel: the job goes on, and is charged when it ends well."""
        return CancelOutcome.NOT_STOPPED

    async def find(self, request: JobRequest, window: Window) -> Job | Absent | None:
        """BFL lists no jobs."""
        return None

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        if self._webhook_secret is None:
            raise AuthError("This server expects no webhooks of BFL.", code="missing_webhook_signature")
        verify(headers, body, self._webhook_secret)
        return read_notice(body)

    async def check(self) -> Checked:
        """What is left of the account's credits. The poll address would not do: it asks for no key."""
        response = await read(self._http, f"{self._base}/v1/credits", provider="BFL", headers=self._headers())
        return read_check(response, read_account)

    async def _read(self, url: str) -> httpx.Response:
        """Ask at exactly the address that BFL gave: another cluster would not know the task.

        BFL redirects polls between its clusters. The key follows only to hosts that may have it; a redirect elsewhere
        is one strange read, by which no paid job is lost.
        """
        if not self._hosts.allow(url):
            raise UnexpectedResponse(
                "BFL names an address outside its own hosts for the job; the key is not sent there.",
                code="provider_request_blocked",
            )
        for _ in range(_MOST_REDIRECTS):
            response = await read(self._http, url, provider="BFL", headers=self._headers())
            if response.next_request is None or not self._hosts.allow(str(response.next_request.url)):
                break
            url = str(response.next_request.url)
        return response

    def _headers(self) -> dict[str, str]:
        return {"x-key": self._key, "accept": "application/json"}


def create(env: Mapping[str, str], http: httpx.AsyncClient) -> Provider | None:
    key = api_key(env, KEY_NAME)
    if key is None:
        return None
    hosts = KeyHosts(_OWN_HOSTS, TrustedOrigins.parse(env.get("BABYCHAIN_TRUSTED_ORIGINS", "")))
    secret = env.get("BABYCHAIN_SECRET")
    return Bfl(
        http,
        key,
        base=hosts.base_url(env, "BFL_API_BASE_URL", _region(env)),
        hosts=hosts,
        webhook_secret=derived_secret(secret, "bfl webhook") if secret else None,
    )


def _region(env: Mapping[str, str]) -> str:
    region = env.get("BFL_REGION", "").strip().lower() or "global"
    if region not in _REGIONS:
        raise SetupError(f"BFL_REGION must be one of {', '.join(_REGIONS)}.")
    return _REGIONS[region]
