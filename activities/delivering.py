"""Send one event to its receiver, once, and write down how that went."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.archiving import PLAN, SNAPSHOT, Archiver, compact
from activities.callbacks import signed_headers
from activities.calls import Delivery
from domain.callbacks import TEST, Event, Send, Sent
from domain.errors import UnavailableError
from domain.plan import ChainPlan
from domain.resources import run_resource
from domain.runs import Snapshot
from domain.timestamps import micros
from net.paid import retry_after
from net.receivers import excerpt, masked_url
from net.unanswered import why_unanswered
from storage.deliveries import DELIVERIES, Deliveries

log = structlog.get_logger("babychain.callbacks")

PATIENCE = 15.0
"""Seconds for the whole exchange with a receiver, from the name's look-up to the last byte that is read."""

MOST_AT_ONCE = 20
"""Callbacks under way at once to one host: a receiver that hangs may hold up its own, and nobody else's."""

_MOST_READ = 2048
_BODY_PATIENCE = 2.0

SecretsOf = Callable[[str], Awaitable[Sequence[str]]]


@dataclass(frozen=True)
class _Letter:
    url: str
    body: bytes
    secrets: Sequence[str]


class DeliveryActivities:
    def __init__(self, archiver: Archiver, log_of: Deliveries, http: httpx.AsyncClient, secrets_of: SecretsOf) -> None:
        """`http` should serve callbacks alone: what waits for receivers must not hold up what waits for providers."""
        self._archiver = archiver
        self._log = log_of
        self._http = http
        self._secrets_of = secrets_of
        self._under_way: dict[str, int] = {}

    @activity.defn(name="deliver")
    async def deliver(self, call: Send) -> Delivery:
        """Send the event once, archiving its run first where that is still to do.

        A repeat sends the same bytes with the same id, freshly signed.
        """
        letter = await self._write(call.event)
        if call.number > 1 and await self._log.overtaken(call.event.id, call.delivery):
            done = Delivery(delivered=True)
            await self._note(_sent(call, letter.url, datetime.now(UTC), 0, done, None, "superseded"))
            return done
        host = urlsplit(letter.url).netloc.lower()
        if self._under_way.get(host, 0) >= MOST_AT_ONCE:
            raise _busy()
        self._under_way[host] = self._under_way.get(host, 0) + 1
        at, began = datetime.now(UTC), time.monotonic()
        try:
            delivery, answer = await self._post(letter, call.event, at)
        finally:
            self._under_way[host] -= 1
            if not self._under_way[host]:
                del self._under_way[host]
        took = round((time.monotonic() - began) * 1000)
        if call.event.kind != TEST:
            await self._note(_sent(call, letter.url, at, took, delivery, answer))
        log.info("callback_sent", run_id=call.event.run_id, delivered=delivery.delivered, status=delivery.status)
        return delivery

    async def _write(self, event: Event) -> _Letter:
        if event.url is not None and event.caller is not None:
            body = {"id": event.id, "object": "webhook_test", "type": event.kind}
            return _Letter(event.url, compact(body), await self._secrets_of(event.caller))
        if event.step is not None:
            plan, body_bytes = await self._of_step(event, event.step)
        else:
            archived = await self._archiver.write(event.run_id)
            if archived is None or archived.callback_body is None:
                raise _nothing_to_say(event)
            plan, body_bytes = PLAN.validate_json(archived.plan), archived.callback_body
        if plan.webhook_url is None:
            raise _nothing_to_say(event)
        return _Letter(plan.webhook_url, body_bytes, await self._secrets_of(plan.caller))

    async def _of_step(self, event: Event, key: str) -> tuple[ChainPlan, bytes]:
        """A step that has ended does not change, so its event is written anew for every attempt, with equal bytes."""
        run = await self._archiver.runs.read(event.run_id)
        if run is not None:
            plan, snapshot = run.plan, run.snapshot
        elif (archived := await self._archiver.archive.get(event.run_id)) is not None:
            plan, snapshot = PLAN.validate_json(archived.plan), SNAPSHOT.validate_json(archived.snapshot)
        else:
            raise _nothing_to_say(event)
        if snapshot.step(key).ended is None:
            raise UnavailableError("The step's end can't be seen yet.", code="temporal_unreachable")
        return plan, compact(self._step_event(event, plan, snapshot, key))

    def _step_event(self, event: Event, plan: ChainPlan, snapshot: Snapshot, key: str) -> dict[str, object]:
        at = snapshot.step(key).ended or snapshot.updated
        run = run_resource(plan, snapshot, lambda asset: self._archiver.asset_url(asset, at))
        told: dict[str, object] = {
            "id": event.id,
            "object": "chain_step_event",
            "type": event.kind,
            "created_at": micros(at),
            "run_id": plan.run_id,
            "chain_slug": plan.template,
            "step": next(step for step in run["steps"] if step["step_key"] == key),
        }
        return told | {name: run[name] for name in ("metadata", "client_request_id") if name in run}

    async def _post(self, letter: _Letter, event: Event, now: datetime) -> tuple[Delivery, str | None]:
        headers = signed_headers(letter.secrets, event, letter.body, now)
        try:
            async with (
                asyncio.timeout(PATIENCE),
                self._http.stream("POST", letter.url, content=letter.body, headers=headers) as response,
            ):
                answer = await _first_bytes(response)
        except TimeoutError:
            return Delivery(delivered=False, error=f"No answer within {PATIENCE:.0f} s."), None
        except httpx.PoolTimeout as error:
            raise _busy() from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            # The last two are about the address, which a run may have brought before it was judged as it is today.
            return Delivery(delivered=False, error=why_unanswered(error)), None
        status = response.status_code
        hidden = [*letter.secrets, *(value for _, value in parse_qsl(urlsplit(letter.url).query))]
        return (
            Delivery(
                delivered=200 <= status < 300,
                status=status,
                gone=status == 410,
                retry_after=retry_after(response.headers),
            ),
            excerpt(answer, hidden),
        )

    async def _note(self, sent: Sent) -> None:
        """The callback is out, whatever becomes of its record: a repeat would send it twice."""
        removals = self._archiver.removals
        try:
            await self._log.record(sent)
            if await removals.is_deleted(sent.run_id):
                # Deleted while its receiver took its time. The mark comes first, so one of the two sees the other.
                await removals.purge(sent.run_id, only=DELIVERIES)
        except UnavailableError:
            log.warning("delivery_not_recorded", run_id=sent.run_id, delivery=sent.delivery, number=sent.number)


async def _first_bytes(response: httpx.Response) -> bytes:
    """As much as an excerpt needs. A receiver whose body breaks off, or never ends, has still answered."""
    read = b""
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(_BODY_PATIENCE):
            async for chunk in response.aiter_bytes():
                read += chunk
                if len(read) >= _MOST_READ:
                    break
    return read[:_MOST_READ]


def _sent(
    call: Send, url: str, at: datetime, took: int, delivery: Delivery, answer: str | None, outcome: str | None = None
) -> Sent:
    outcome = outcome or ("delivered" if delivery.delivered else "gone" if delivery.gone else "failed")
    next_at = None
    if outcome == "failed" and call.following is not None:
        pause = max(call.following, timedelta(seconds=delivery.retry_after or 0))
        next_at = at + timedelta(milliseconds=took) + pause
    return Sent(
        delivery=call.delivery,
        number=call.number,
        run_id=call.event.run_id,
        event=call.event.kind,
        event_id=call.event.id,
        url=masked_url(url),
        at=at,
        milliseconds=took,
        outcome=outcome,
        status=delivery.status,
        error=delivery.error,
        answer=answer,
        next_at=next_at,
    )


def _busy() -> ApplicationError:
    """Nothing was sent. The slot is given back, and this callback comes again in a moment."""
    return ApplicationError(
        "other callbacks to this receiver are under way",
        type="ReceiverBusy",
        next_retry_delay=timedelta(seconds=min(2 * activity.info().attempt, 30)),
        category=ApplicationErrorCategory.BENIGN,
    )


def _nothing_to_say(event: Event) -> ApplicationError:
    return ApplicationError(f"There is nothing to deliver of run {event.run_id}.", type="gone", non_retryable=True)
