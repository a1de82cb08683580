"""RelayDance: one gateway to the video models of several makers.

Read in November 2026: https://relaydance.com (video generation, file upload, API reference, errors, webhooks) and the
code of clients that use it, where the pages are silent. "Inferred" marks our own reasoning.

What shapes this adapter: RelayDance fetches pictures from addresses, so one that only we have is uploaded first, which
costs nothing. There is no cancel, no list, no idempotency key, so the callback, which nobody signs, is the only trace
of a submit whose answer was lost. The gateway may answer 5xx after the maker behind it has taken the job. Only clips
that succeed are charged.

`models.py` has what the models take, `references.py` and `citations.py` what goes for their pictures, `wire.py` the
status words and what each answer means; here is the HTTP.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from domain.checks import Checked
from domain.errors import InputRejected, Refused, StepError
from domain.media import InputFile, InputForm
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
from net.paid import retry_after, send_paid
from providers._answers import Redactor, address, cannot_say_now, json_object, read, traceable
from providers._checks import read_check
from providers._hosts import KeyHosts, api_key
from providers._requests import fitting, named
from providers.relaydance.models import API, MODELS, NAME, PATH, SUBMIT_TIMEOUT, UPLOADS_TIMEOUT
from providers.relaydance.uploads import Uploads
from providers.relaydance.wire import (
    build_body,
    not_found,
    not_understood,
    read_error,
    read_job,
    read_limit,
    read_models,
    read_notice,
    read_state,
    refuse_misfits,
)

__all__ = ["KEY_NAME", "MODELS", "NAME", "create"]

KEY_NAME = "RELAYDANCE_API_KEY"

_API_PATH = "/v1"
_OWN_HOSTS = re.compile(r"relaydance\.com")


class RelayDance:
    accepts: tuple[InputForm, ...] = (InputForm.URL, InputForm.UPLOAD)

    def __init__(
        self,
        http: httpx.AsyncClient,
        key: str,
        *,
        base: str,
        uploads: Uploads | None = None,
        uploads_timeout: float = UPLOADS_TIMEOUT,
    ) -> None:
        self._http = http
        self._key = key
        self._base = base
        self._redact = Redactor(key)
        self._uploads = uploads or Uploads()
        self._uploads_timeout = uploads_timeout

    async def submit(self, request: JobRequest, key: str, callback_url: str | None) -> Accepted | Finished:
        card = named(MODELS.values(), request.model)
        pictures = fitting(card, request.inputs)
        refuse_misfits(request)
        begun = self._uploads.now()
        urls = await self._hosted(pictures)
        response = await send_paid(
            self._http,
            self._base + PATH,
            provider="RelayDance",
            body=build_body(card, request, urls, callback_url),
            headers=self._headers(),
            read_timeout=SUBMIT_TIMEOUT,
            read_limit=self._read_limit,
        )
        with traceable(response, self._redact):
            if not response.is_success:
                raise self._read_refusal(response, urls, begun)
            return Accepted(read_job(json_object(response)))

    async def status(self, job: Job) -> JobState:
        url = f"{self._base}{PATH}/{quote(job.id, safe='')}"
        response = await read(self._http, url, provider="RelayDance", headers=self._headers())
        payload = json_object(response)
        if (refusal := cannot_say_now("RelayDance", response, payload)) is not None:
            raise refusal
        if response.status_code == 404:
            return not_found()
        if payload is None or not response.is_success:
            return not_understood(f"HTTP {response.status_code}")
        return read_state(payload, self._redact)

    async def cancel(self, job: Job) -> CancelOutcome:
        """RelayDance can't cancel: the task goes on, and is charged when it ends well."""
        return CancelOutcome.NOT_STOPPED

    async def find(self, request: JobRequest, window: Window) -> Job | Absent | None:
        """RelayDance lists no tasks."""
        return None

    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        return read_notice(body)

    async def check(self) -> Checked:
        """The models that this key may use."""
        response = await read(self._http, f"{self._base}/models", provider="RelayDance", headers=self._headers())
        return read_check(response, read_models)

    async def _hosted(self, pictures: Sequence[InputFile]) -> list[str]:
        """Addresses that RelayDance can fetch. Nothing is paid before the last picture has one.

        What was uploaded is remembered, so that an attempt that ran out of time leaves less to the next one.
        """
        try:
            async with asyncio.timeout(self._uploads_timeout):
                return [picture.url or await self._host(picture) for picture in pictures]
        except TimeoutError as error:
            raise Refused("RelayDance took too long with the input pictures.", code="provider_network_error") from error

    async def _host(self, picture: InputFile) -> str:
        url = self._uploads.find(picture)
        if url is None:
            url = await self._upload(picture)
            self._uploads.keep(picture, url)
        return url

    async def _upload(self, picture: InputFile) -> str:
        """A repeat leaves a file behind that nobody uses, and costs nothing."""
        media_type = (picture.media_type or "image/png").lower()
        name = f"picture.{media_type.rpartition('/')[2]}"
        try:
            response = await self._http.post(
                f"{self._base}/files",
                files={"file": (name, picture.data or b"", media_type)},
                headers=self._headers(),
                timeout=self._uploads_timeout,
                follow_redirects=False,
            )
        except httpx.HTTPError as error:
            raise Refused("RelayDance could not be reached.", code="provider_network_error") from error
        with traceable(response, self._redact):
            return self._read_upload(response)

    def _read_upload(self, response: httpx.Response) -> str:
        status = response.status_code
        if response.is_success:
            payload = json_object(response)
            if (url := address(payload.get("url") if payload else None)) is None:
                message = "RelayDance took an input picture, and its answer gives no address."
                raise Refused(message, code="provider_unexpected_response")
            return url
        if response.is_client_error and status not in (408, 429):
            raise read_error(status, _complaint(response), self._redact)
        raise Refused(
            f"RelayDance can't take input pictures now (HTTP {status}).",
            code="provider_rate_limited" if status == 429 else "provider_unavailable",
            retry_after=retry_after(response.headers),
        )

    def _read_refusal(self, response: httpx.Response, urls: Sequence[str], begun: float) -> StepError:
        error = read_error(response.status_code, _complaint(response), self._redact)
        if type(error) is InputRejected and self._uploads.forget(urls, before=begun):
            # What was refused may be the address of an earlier upload, which has died: a fresh one will tell.
            return Refused(error.message, facts=error.facts)
        return error

    def _read_limit(self, response: httpx.Response) -> StepError | None:
        return read_limit(_complaint(response), self._redact)

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}", "accept": "application/json"}


def _complaint(response: httpx.Response) -> dict[str, Any]:
    """An error's body. The gateway also answers in plain text; a web page says nothing that helps a caller."""
    payload = json_object(response)
    if payload is None and response.headers.get("content-type", "").startswith("text/plain"):
        payload = {"message": response.text}
    return payload or {}


def create(env: Mapping[str, str], http: httpx.AsyncClient) -> Provider | None:
    key = api_key(env, KEY_NAME)
    if key is None:
        return None
    hosts = KeyHosts(_OWN_HOSTS, TrustedOrigins.parse(env.get("BABYCHAIN_TRUSTED_ORIGINS", "")))
    base = hosts.base_url(env, "RELAYDANCE_API_BASE_URL", API)
    return RelayDance(http, key, base=base.removesuffix(_API_PATH) + _API_PATH)
