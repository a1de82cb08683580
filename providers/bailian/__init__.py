"""Alibaba's Bailian: Wan videos from a picture, through the gateway api.gpt.ge or from DashScope itself.

Read in November 2026: the gateway's page of its Bailian image-to-video call and of its task query, Alibaba Cloud's
Model Studio pages on Wan and asynchronous tasks, and DashScope's Python client. "Inferred" marks our own reasoning.

What shapes this adapter: both ways in take the same body and give the same answers, on other paths; the base URL tells
which is meant. Nothing is called back, there is no idempotency key, and the gateway can neither list nor cancel.
DashScope can do both, but its list carries nothing of ours: the one task in a window of time may be another run's, and
a run must not end with another's video. So a create whose answer was lost stays lost.

`models.py` has what the models take and cost, `wire.py` the status words and what each answer means; here is the HTTP.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlsplit

import httpx

from domain.errors import AuthError
from domain.media import InputForm
from domain.provider import (
    Absent,
    Accepted,
    Canceled,
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
from providers._answers import Redactor, cannot_say_now, json_object, read, traceable
from providers._hosts import KeyHosts, api_key
from providers._requests import named
from providers.bailian.models import CREATE_PATH, GATEWAY, MODELS, NAME, SUBMIT_TIMEOUT
from providers.bailian.wire import (
    build_body,
    is_canceled,
    not_found,
    not_understood,
    read_doubt,
    read_error,
    read_limit,
    read_state,
    read_task,
)

__all__ = ["KEY_NAME", "MODELS", "NAME", "create"]

KEY_NAME = "BAILIAN_API_KEY"

# Beijing, Singapore and Virginia. Others may rent buckets, and with them names, below aliyuncs.com.
_DASHSCOPE = re.compile(r"dashscope(-intl|-us)?\.aliyuncs\.com")
_OWN_HOSTS = re.compile(rf"api\.gpt\.ge|{_DASHSCOPE.pattern}")
_DASHSCOPE_PATH = "/api/v1"


@dataclass(frozen=True)
class Dialect:
    create: str
    tasks: str
    create_headers: Mapping[str, str] = field(default_factory=dict)
    cancels: bool = False


_GATEWAY = Dialect(CREATE_PATH, "/task")
_NATIVE = Dialect(
    "/services/aigc/video-generation/video-synthesis",
    "/tasks",
    # Without it DashScope answers 403: a video is only made asynchronously.
    {"x-dashscope-async": "enable"},
    cancels=True,
)


class Bailian:
    accepts: tuple[InputForm, ...] = (InputForm.URL, InputForm.INLINE)

    def __init__(self, http: httpx.AsyncClient, key: str, *, base: str, dialect: Dialect) -> None:
        self._http = http
        self._key = key
        self._base = base
        self._dialect = dialect
        self._redact = Redactor(key)

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        card = named(MODELS.values(), request.model)
        response = await send_paid(
            self._http,
            self._base + self._dialect.create,
            provider="Bailian",
            body=build_body(card, request),
            headers={**self._headers(), **self._dialect.create_headers},
            read_timeout=SUBMIT_TIMEOUT,
            read_limit=lambda response: read_limit(response, self._redact),
            read_doubt=lambda response: read_doubt(response, self._redact),
        )
        payload = json_object(response)
        with traceable(response, self._redact):
            if not response.is_success:
                raise read_error(response.status_code, payload, self._redact)
            return Accepted(read_task(payload, card, request.params, self._redact))

    async def status(self, job: Job) -> JobState:
        response = await read(self._http, self._url_of(job), provider="Bailian", headers=self._headers())
        payload = json_object(response)
        if (refusal := cannot_say_now("Bailian", response, payload)) is not None:
            raise refusal
        if response.status_code == 404:
            return not_found()
        if payload is None or not response.is_success:
            return not_understood(f"HTTP {response.status_code}")
        return read_state(payload, job, self._redact)

    async def cancel(self, job: Job) -> CancelOutcome:
        """DashScope stops a task that is still queued; the gateway stops none, and what runs is charged."""
        if not self._dialect.cancels:
            return CancelOutcome.NOT_STOPPED
        url = f"{self._url_of(job)}/cancel"
        response = await read(self._http, url, provider="Bailian", headers=self._headers(), method="POST")
        if (refusal := cannot_say_now("Bailian", response, {})) is not None:
            raise refusal
        # A refusal may be that of a repeat, whose first answer was lost.
        is_stopped = is_canceled(response) or isinstance(await self.status(job), Canceled)
        return CancelOutcome.STOPPED if is_stopped else CancelOutcome.NOT_STOPPED

    async def find(self, request: JobRequest, window: Window) -> Job | Absent | None:
        """Nothing of ours is in any list; see the top."""
        return None

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """Whoever calls, it is not Bailian."""
        raise AuthError("Bailian sends no webhooks.", code="missing_webhook_signature")

    def _url_of(self, job: Job) -> str:
        return f"{self._base}{self._dialect.tasks}/{quote(job.id, safe='')}"

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}", "accept": "application/json"}


def create(env: Mapping[str, str], http: httpx.AsyncClient) -> Provider | None:
    key = api_key(env, KEY_NAME)
    if key is None:
        return None
    hosts = KeyHosts(_OWN_HOSTS, TrustedOrigins.parse(env.get("BABYCHAIN_TRUSTED_ORIGINS", "")))
    base = hosts.base_url(env, "BAILIAN_API_BASE_URL", GATEWAY)
    if not _is_dashscope(base):
        return Bailian(http, key, base=base, dialect=_GATEWAY)
    return Bailian(http, key, base=base.removesuffix(_DASHSCOPE_PATH) + _DASHSCOPE_PATH, dialect=_NATIVE)


def _is_dashscope(base: str) -> bool:
    """By its host, or by its path where a trusted origin stands in for it."""
    address = urlsplit(base)
    return address.path.endswith(_DASHSCOPE_PATH) or _DASHSCOPE.fullmatch(address.hostname or "") is not None
