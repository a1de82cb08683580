"""Delivery of webhooks: the documented retries, and every way in which they go wrong.

A provider says what to send and how it is signed (`Notice`); this file sends it.
"""

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator

from sandbox.faults import AT_ACCEPTANCE, ON_NOTICE, Faults, Rule
from sandbox.tasks import Tasks


def _callback_url(text: str) -> str:
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).netloc:
        raise ValueError("Input should be a valid URL")
    return text


# Kept as it was written: a URL type would tidy it up, and the receiver may compare.
CallbackUrl = Annotated[str, AfterValidator(_callback_url)]

_EARLY_SECONDS = 2.0  # an early notice delays the submit's answer, but a receiver that is down must not block it


@dataclass(frozen=True)
class Notice:
    provider: str
    model: str
    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # the signature, where the provider has one
    wrong_headers: Mapping[str, str] = field(default_factory=dict)  # the same with a signature that does not verify
    is_last: bool = True
    is_repeated: bool = True  # sent again when nobody acknowledges it
    stale_body: bytes | None = None  # an earlier state of the same job, for `reorder`
    acknowledged_within: float = 30
    acknowledged_by: range = range(200, 300)  # HTTP statuses


class Webhooks:
    def __init__(self, faults: Faults, tasks: Tasks, retry_seconds: tuple[float, ...]) -> None:
        self._faults = faults
        self._tasks = tasks
        self._retry_seconds = retry_seconds
        self._client: httpx.AsyncClient | None = None

    def at_acceptance(self, provider: str, model: str) -> Rule | None:
        """Asked once per job with a callback: whether its notice comes `early` or a stranger's `forge` comes first."""
        return self._faults.take(provider, model, "webhook", AT_ACCEPTANCE)

    async def send_early(self, notice: Notice) -> None:
        """Deliver the last notice before the submit has even been answered, in place of its proper time."""
        await self._post(notice, notice.headers, notice.body, within=_EARLY_SECONDS)

    def send_forged(self, notice: Notice) -> None:
        """A call by someone who knows the address and not the secret."""
        self._tasks.start(self._deliver(notice, notice.wrong_headers, notice.body))

    def send(self, notice: Notice) -> None:
        kinds = ON_NOTICE if notice.is_last and notice.stale_body is not None else ON_NOTICE - {"reorder"}
        rule = self._faults.take(notice.provider, notice.model, "webhook", kinds)
        if rule is None or rule.kind != "drop":
            self._tasks.start(self._send(notice, rule))

    async def _send(self, notice: Notice, rule: Rule | None) -> None:
        kind = rule.kind if rule else ""
        if rule and kind == "late":
            await asyncio.sleep(5 if rule.delay is None else rule.delay)
        headers = notice.wrong_headers if kind == "bad_signature" else notice.headers
        await self._deliver(notice, headers, notice.body)
        if rule and kind == "double":
            for _ in range(rule.times - 1):
                await self._deliver(notice, headers, notice.body)
        if kind == "reorder" and notice.stale_body is not None:
            await self._deliver(notice, headers, notice.stale_body)
        if rule and kind == "replay":
            await asyncio.sleep(1 if rule.delay is None else rule.delay)
            await self._deliver(notice, headers, notice.body)

    async def _deliver(self, notice: Notice, headers: Mapping[str, str], body: bytes) -> None:
        waits = self._retry_seconds if notice.is_repeated else ()
        for wait in itertools.chain((0.0,), waits):
            await asyncio.sleep(wait)
            if await self._post(notice, headers, body, within=notice.acknowledged_within):
                return

    async def _post(self, notice: Notice, headers: Mapping[str, str], body: bytes, *, within: float) -> bool:
        if self._client is None:
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
            self._client = httpx.AsyncClient(trust_env=False, limits=limits)
        try:
            answer = await self._client.post(
                notice.url, content=body, headers={"content-type": "application/json", **headers}, timeout=within
            )
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return answer.status_code in notice.acknowledged_by

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
