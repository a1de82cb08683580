"""Bach (Video Rebirth): a video from a picture.

Read in November 2026: Bach's image-to-video page, and the general, text-to-video and elements-to-video pages of the
same API (base https://api-gen-na.bach.art/api/vdr). "Inferred" marks our own reasoning. Where the page contradicts
itself:

- The prompt is optional in the table of fields, and an error text complains of a missing one: we warn, and send none.
- A video lasts 1 to 6 seconds in the table and the sample, 1 to 5 in an error text: we accept 6, and warn.
- A create answers `code: 200`, on a sibling page `code: 0`: both are success, if a task is named.
- Moments are called `create_at` in one answer and `created_at` in another: we read neither.

What shapes this adapter: there is no idempotency key, no list and no cancel, so the callback on an address of the job's
own is the only trace of a create whose answer was lost. Callbacks are unsigned. The picture goes as a public address.

`models.py` has what the model takes, `wire.py` the status words and what each answer means, `bearer.py` the token; here
is the HTTP.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import quote

import httpx

from domain.errors import SetupError
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
from providers._answers import cannot_say_now, json_object, read, traceable
from providers._hosts import KeyHosts, api_key
from providers._requests import named
from providers.bach.bearer import Bearer, Bearers
from providers.bach.models import API, MODELS, NAME, PATH, SUBMIT_TIMEOUT
from providers.bach.wire import build_body, not_found, not_understood, read_error, read_notice, read_state, read_task

__all__ = ["KEY_NAME", "MODELS", "NAME", "create"]

KEY_NAME = "BACH_API_KEY"
SECRET_NAME = "BACH_SECRET_KEY"  # noqa: S105 - the name of a setting

_OWN_HOSTS = re.compile(r"([a-z0-9-]+\.)*bach\.art")
_LONGEST_CALLBACK = 500
_LONGEST_PUBLIC_URL = _LONGEST_CALLBACK - 150
"""Our own path and token behind it are some 110 characters."""


class Bach:
    accepts: tuple[InputForm, ...] = (InputForm.URL,)

    def __init__(self, http: httpx.AsyncClient, bearers: Bearers, *, base: str) -> None:
        self._http = http
        self._bearers = bearers
        self._base = base

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        body = build_body(named(MODELS.values(), request.model), request, callback_url)

        async def send(bearer: Bearer) -> httpx.Response:
            return await send_paid(
                self._http,
                self._base + PATH,
                provider="Bach",
                body=body,
                headers=_headers(bearer),
                read_timeout=SUBMIT_TIMEOUT,
            )

        response, bearer = await self._authorized(send)
        payload = json_object(response)
        with traceable(response, bearer.redact):
            if not response.is_success:
                raise read_error(response.status_code, payload, bearer.redact)
            return Accepted(read_task(payload, bearer.redact))

    async def status(self, job: Job) -> JobState:
        url = f"{self._base}{PATH}/{quote(job.id, safe='')}"

        async def ask(bearer: Bearer) -> httpx.Response:
            return await read(self._http, url, provider="Bach", headers=_headers(bearer))

        response, bearer = await self._authorized(ask)
        payload = json_object(response)
        if (refusal := cannot_say_now("Bach", response, payload)) is not None:
            raise refusal
        if response.status_code == 404:
            return not_found()
        if payload is None or not response.is_success:
            return not_understood(f"HTTP {response.status_code}")
        return read_state(payload, bearer.redact)

    async def cancel(self, job: Job) -> CancelOutcome:
        """Bach can't cancel: the task goes on, and may be charged."""
        return CancelOutcome.NOT_STOPPED

    async def find(self, request: JobRequest, window: Window) -> Job | Absent | None:
        """Bach lists no tasks."""
        return None

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        return read_notice(body)

    async def _authorized(self, ask: Callable[[Bearer], Awaitable[httpx.Response]]) -> tuple[httpx.Response, Bearer]:
        """Once more with a fresh token after a 401, which has certainly started nothing."""
        bearer = self._bearers.current()
        response = await ask(bearer)
        if response.status_code == 401 and (fresh := self._bearers.in_place_of(bearer)) is not None:
            return await ask(fresh), fresh
        return response, bearer


def _headers(bearer: Bearer) -> dict[str, str]:
    return {"authorization": f"Bearer {bearer.token}", "accept": "application/json"}


def create(env: Mapping[str, str], http: httpx.AsyncClient) -> Provider | None:
    """BACH_API_KEY is a ready token; with BACH_SECRET_KEY beside it, the access key from which tokens are minted."""
    key = api_key(env, KEY_NAME)
    if key is None:
        return None
    if len(env.get("BABYCHAIN_PUBLIC_URL", "")) > _LONGEST_PUBLIC_URL:
        raise SetupError(
            f"BABYCHAIN_PUBLIC_URL must be at most {_LONGEST_PUBLIC_URL} characters long: "
            f"Bach takes callback addresses of at most {_LONGEST_CALLBACK}."
        )
    hosts = KeyHosts(_OWN_HOSTS, TrustedOrigins.parse(env.get("BABYCHAIN_TRUSTED_ORIGINS", "")))
    base = hosts.base_url(env, "BACH_API_BASE_URL", API)
    return Bach(http, Bearers(key, api_key(env, SECRET_NAME)), base=base)
