"""What callers do with runs that have ended: look at their callbacks, send them again, delete the run."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.calls import Delivery
from api.callers import Caller
from api.fingerprints import refuse_conflict
from api.runs import Runs
from domain.callbacks import RUN_COMPLETED, STEP_COMPLETED, TEST, DeliverEvent, Event, Sent, state_of
from domain.errors import ConflictError, Fault, RequestError
from domain.timestamps import micros
from storage.deliveries import Deliveries
from temporal import names
from temporal.reading import StoredRun

log = structlog.get_logger("babychain.runs")

Json = dict[str, Any]

TEST_WAIT = 20.0
"""Seconds that a test's answer waits for what the receiver says."""

DELETE_WAIT = 10.0
_RPC = timedelta(seconds=5)


@dataclass(frozen=True)
class Endings:
    client: Client
    runs: Runs
    log_of: Deliveries

    async def deliveries(self, run_id: str, caller: Caller) -> list[Json]:
        await self.runs.own(run_id, caller)
        return [_resource(attempts) for attempts in (await self.log_of.of_run(run_id)).values()]

    async def resend(self, run_id: str, caller: Caller, step: str | None, key: str | None) -> Json:
        """Deliver an event once more: a new delivery of the same event, with the event's own id and bytes.

        The same key asks for the same delivery, which is answered as it is now.
        """
        run = await self.runs.own(run_id, caller)
        if run.plan.webhook_url is None:
            raise ConflictError("The run was created without a webhook_url; read it instead.", code="no_callback")
        event = _run_event(run) if step is None else _step_event(run, step)
        delivery = names.resend_id(run_id, self.runs.fingerprints.run_id(caller.id, f"resend:{run_id}", key))
        if await self._start(DeliverEvent(event), delivery, {"step_key": step or ""}):
            log.info("callback_resend_asked", run_id=run_id, caller=caller.id)
            return _pending(delivery, event)
        attempts = (await self.log_of.of_run(run_id)).get(delivery)
        return _resource(attempts) if attempts else _pending(delivery, event)

    async def test(self, url: str, caller: Caller, key: str | None) -> Json:
        """Send a test event, once, and say what the receiver answered. The same key asks for the same answer."""
        self.runs.addresses.check_callback(url)
        test_id = self.runs.fingerprints.run_id(caller.id, "callback-test", key)
        event = Event(TEST, test_id, url=url, caller=caller.id)
        delivery = names.test_delivery_id(test_id)
        await self._start(DeliverEvent(event, once=True), delivery, {"webhook_url": url})
        try:
            async with asyncio.timeout(TEST_WAIT):
                said: Delivery = await self._delivery(delivery).result()
        except TimeoutError:
            return _pending(delivery, event)
        shown: Json = {"http_status": said.status, "error": said.error}
        state = "delivered" if said.delivered else "failed"
        return _pending(delivery, event) | {"status": state} | {key: v for key, v in shown.items() if v is not None}

    async def delete(self, run_id: str, caller: Caller) -> bool:
        """Delete an ended run for good. True: it is gone. False: that is under way, and will be finished."""
        status = (await self.runs.own(run_id, caller)).snapshot.status
        if not status.ended:
            raise ConflictError(
                f"The run is {status}; cancel it, or wait for its end, before you delete it.", code="run_active"
            )
        handle = await self.client.start_workflow(
            names.DELETION,
            run_id,
            id=names.deletion_id(run_id),
            task_queue=self.runs.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            rpc_timeout=_RPC,
        )
        log.info("run_deletion_asked", run_id=run_id, caller=caller.id)
        try:
            async with asyncio.timeout(DELETE_WAIT):
                await handle.result()
        except TimeoutError:
            return False
        return True

    async def _start(self, call: DeliverEvent, workflow_id: str, asked: Mapping[str, str]) -> bool:
        """False: there is this delivery already. ConflictError where it was asked for something else."""
        # Keyed, since an address may hold a secret; no caller is called "".
        prints = {name: self.runs.fingerprints.run_id("", name, text) for name, text in asked.items()}
        try:
            await self.client.start_workflow(
                names.DELIVERY,
                call,
                id=workflow_id,
                task_queue=self.runs.task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                memo={"fingerprint": prints},
                static_summary=call.event.kind,
                rpc_timeout=_RPC,
            )
        except WorkflowAlreadyStartedError:
            earlier = await self._delivery(workflow_id).describe(rpc_timeout=_RPC)
            refuse_conflict(await earlier.memo_value("fingerprint", {}, type_hint=dict[str, str]), prints)
            return False
        return True

    def _delivery(self, workflow_id: str) -> WorkflowHandle[Any, Delivery]:
        return self.client.get_workflow_handle(workflow_id, result_type=Delivery)


def _run_event(run: StoredRun) -> Event:
    if not run.snapshot.status.ended:
        raise ConflictError(
            f"The run is {run.snapshot.status}; its callback is sent when it ends.", code="run_active", retry_after=5.0
        )
    if not run.plan.tells(RUN_COMPLETED):
        raise ConflictError("The run's webhook_events leave the end of the run out.", code="no_callback")
    return Event(RUN_COMPLETED, run.plan.run_id)


def _step_event(run: StoredRun, key: str) -> Event:
    step = next((step for step in run.snapshot.steps if step.key == key), None)
    if step is None:
        fault = Fault(("step_key",), "names no step of this run")
        raise RequestError("Request validation failed.", faults=[fault])
    if step.ended is None:
        raise ConflictError("This step has not ended yet.", code="run_active", retry_after=5.0)
    return Event(STEP_COMPLETED, run.plan.run_id, key)


def _resource(attempts: Sequence[Sent]) -> Json:
    first, last = attempts[0], attempts[-1]
    shown: Json = {
        "id": first.delivery,
        "object": "delivery",
        "event": first.event,
        "event_id": first.event_id,
        "url": first.url,
        "status": state_of(attempts),
        "created_at": micros(first.at),
    }
    if last.next_at is not None:
        shown["next_attempt_at"] = micros(last.next_at)
    shown["attempts"] = [_attempt(attempt) for attempt in attempts]
    return shown


def _attempt(sent: Sent) -> Json:
    shown: Json = {
        "number": sent.number,
        "sent_at": micros(sent.at),
        "duration_ms": sent.milliseconds,
        "outcome": sent.outcome,
    }
    more = {"http_status": sent.status, "error": sent.error, "answer": sent.answer}
    return shown | {name: value for name, value in more.items() if value is not None}


def _pending(delivery: str, event: Event) -> Json:
    return {
        "id": delivery,
        "object": "delivery",
        "event": event.kind,
        "event_id": event.id,
        "status": "pending",
        "attempts": [],
    }
