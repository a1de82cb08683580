"""The one way to send a request that costs money.

It decides, for every adapter alike, whether a paid job was *refused* (certainly not started), or whether its
start is *unknown*. Just before the first byte is written it asks the fence: an attempt that has been given up
sends nothing.
"""

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from domain.errors import Refused, StartUnknown, StepError

Fence = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class PaidRequest:
    """What would be sent."""

    url: str
    body: Mapping[str, Any]


class Rehearsed(Exception):
    """Nothing has failed: the request is the answer."""

    def __init__(self, request: PaidRequest) -> None:
        super().__init__("rehearsed")
        self.request = request


_rehearsing: ContextVar[bool] = ContextVar("paid_request_rehearsal", default=False)
_fence: ContextVar[Fence | None] = ContextVar("paid_request_fence", default=None)

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_UNKNOWN_STATUSES = frozenset({408, 409, 425})


@contextmanager
def fenced(fence: Fence) -> Iterator[None]:
    """Every paid request sent inside asks `fence` first; the fence raises to stop it."""
    token = _fence.set(fence)
    try:
        yield
    finally:
        _fence.reset(token)


async def rehearse(submit: Callable[[], Awaitable[object]]) -> PaidRequest:
    """The request that `submit` would send, made by the very code that sends it. Nothing leaves this process."""
    token = _rehearsing.set(True)
    try:
        await submit()
    except Rehearsed as stopped:
        return stopped.request
    finally:
        _rehearsing.reset(token)
    raise RuntimeError("the adapter sent no paid request")


def is_rehearsing() -> bool:
    """Whatever an adapter asks before the paid request is left out too: nothing leaves this process."""
    return _rehearsing.get()


async def send_paid(
    http: httpx.AsyncClient,
    url: str,
    *,
    provider: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str],
    read_timeout: float,
    read_limit: Callable[[httpx.Response], StepError | None] = lambda response: None,
    read_doubt: Callable[[httpx.Response], StepError | None] = lambda response: None,
) -> httpx.Response:
    """POST a job. Returns an answer of 2xx, or of 4xx, which the adapter reads; 5xx and silence are unknown.

    `read_limit` may recognise a 429 that no waiting mends, such as a spending stop; `read_doubt` an answer that would
    be unknown by its status, and says for certain what became of the job.
    """
    if is_rehearsing():
        raise Rehearsed(PaidRequest(url, body))
    sending = _Sending(_fence.get())
    try:
        response = await http.post(
            url,
            json=body,
            headers=dict(headers),
            timeout=httpx.Timeout(read_timeout, connect=10.0, pool=10.0),
            extensions={"trace": sending.trace},
        )
    except _NEVER_SENT as error:
        raise Refused(f"{provider} could not be reached.", code="provider_network_error") from error
    except httpx.HTTPError as error:
        if not sending.begun:
            raise Refused(f"{provider} could not be reached.", code="provider_network_error") from error
        raise StartUnknown(f"{provider} took the request, and its answer was lost.") from error
    if response.status_code == 429:
        raise read_limit(response) or Refused(
            f"{provider} has no room now (HTTP 429).",
            code="provider_rate_limited",
            retry_after=retry_after(response.headers),
        )
    if response.status_code >= 500 or response.status_code in _UNKNOWN_STATUSES or response.is_redirect:
        raise read_doubt(response) or StartUnknown(
            f"{provider} answered HTTP {response.status_code}; it may have started the job.",
            facts={"status": response.status_code},
        )
    return response


class _Sending:
    """Watches the connection: the fence stands between the connect and the first byte."""

    def __init__(self, fence: Fence | None) -> None:
        self.begun = False
        self._fence = fence

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(".send_request_headers.started"):
            if self._fence is not None:
                await self._fence()
            self.begun = True


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds from a Retry-After header in either of its two forms, at most an hour."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)  # asctime's form, which HTTP allows, names no zone and means this one
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), 3600.0) if not math.isnan(seconds) else None
