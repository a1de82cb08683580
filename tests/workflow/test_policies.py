"""What the server really does under our retry policies. The whole promise of one payment rests on it."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimedOut
from temporalio.worker import Worker

from activities.errors import application_error
from domain.errors import Refused, StartUnknown
from temporal.stopping import working
from tests.support.histories import activities, history_of, of_type, starts
from tests.support.orders import STEP, chain, order
from tests.support.stack import running_stack
from tests.support.waiting import eventually
from workflows import policies

FLUX, SEEDANCE, SEEDREAM = "bfl/flux-2-pro", "bytedance/seedance-1.5-pro", "bytedance/seedream-4.5"


@dataclass(frozen=True)
class Limits:
    start_to_close: timedelta = timedelta(seconds=30)
    heartbeat: timedelta | None = None


@workflow.defn(name="one-submit", sandboxed=False)
class OneSubmit:
    @workflow.run
    async def run(self, limits: Limits) -> str:
        answer: str = await workflow.execute_activity(
            "pay",
            result_type=str,
            activity_id="pay",
            start_to_close_timeout=limits.start_to_close,
            schedule_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=limits.heartbeat,
            retry_policy=policies.SUBMIT_RETRY,
        )
        return answer


@dataclass
class Till:
    """An activity that counts how often it was really run, and does what it is told."""

    refusals: int = 0
    hangs: bool = False
    unknown: bool = False
    executions: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name="pay")
    async def pay(self) -> str:
        self.executions += 1
        if self.hangs:
            await self.released.wait()
        if self.unknown:
            raise application_error(StartUnknown("The answer was lost."))
        if self.executions <= self.refusals:
            raise application_error(Refused("No room.", retry_after=0.1))
        return "paid"


async def run_with(client: Client, till: Till, limits: Limits) -> str:
    """Runs the workflow to its end, on a worker of its own, and returns its id."""
    queue = run_id = f"test-{uuid4()}"
    worker = Worker(client, task_queue=queue, workflows=[OneSubmit], activities=[till.pay])
    async with working(worker, stops_within=10):
        handle = await client.start_workflow(OneSubmit.run, limits, id=run_id, task_queue=queue)
        try:
            await handle.result()
        finally:
            till.released.set()
    return run_id


async def cause_of(client: Client, till: Till, limits: Limits) -> BaseException | None:
    with pytest.raises(WorkflowFailureError) as caught:
        await run_with(client, till, limits)
    assert isinstance(caught.value.cause, ActivityError)
    return caught.value.cause.cause


async def test_a_submit_that_takes_too_long_is_executed_exactly_once(temporal: Client) -> None:
    till = Till(hangs=True)
    cause = await cause_of(temporal, till, Limits(start_to_close=timedelta(seconds=1)))
    assert isinstance(cause, ActivityTimedOut)
    assert cause.type is TimeoutType.START_TO_CLOSE
    assert till.executions == 1


async def test_a_submit_whose_worker_falls_silent_is_executed_exactly_once(temporal: Client) -> None:
    till = Till(hangs=True)
    cause = await cause_of(temporal, till, Limits(heartbeat=timedelta(seconds=1)))
    assert isinstance(cause, ActivityTimedOut)
    assert cause.type is TimeoutType.HEARTBEAT
    assert till.executions == 1


async def test_a_submit_of_unknown_outcome_is_executed_exactly_once(temporal: Client) -> None:
    till = Till(unknown=True)
    cause = await cause_of(temporal, till, Limits())
    assert isinstance(cause, ApplicationError)
    assert cause.type == StartUnknown.code
    assert till.executions == 1


async def test_three_refusals_are_four_executions_and_not_one_more_event(temporal: Client) -> None:
    till = Till(refusals=3)
    patient, lucky = await asyncio.gather(run_with(temporal, till, Limits()), run_with(temporal, Till(), Limits()))
    assert till.executions == 4
    history = await history_of(temporal, patient)
    [start] = starts(history, "pay")
    assert start.activity_task_started_event_attributes.attempt == 4
    assert len(history.events) == len((await history_of(temporal, lucky)).events) == 11


async def test_three_refusals_of_a_provider_cost_a_run_no_event(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        busy = {"kind": "status", "status": 429, "headers": {"retry-after": "1"}, "count": 3}
        await stack.sandbox.put_faults(busy)
        patient = order(SEEDREAM)
        await stack.succeed(patient)
        assert len(await stack.sandbox.jobs()) == 4
        assert await stack.sandbox.paid_starts() == 1
        lucky = order(SEEDREAM)
        await stack.succeed(lucky)
        history = await history_of(temporal, patient.run_id)
        assert activities(history) == ["submit", "collect"]
        [start] = starts(history, f"{STEP}.1.submit")
        assert start.activity_task_started_event_attributes.attempt == 4
        assert len(history.events) == len((await history_of(temporal, lucky.run_id)).events) == 26


async def test_a_two_step_run_stays_under_sixty_events_and_64_kib(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        plan = chain("chain1", FLUX, SEEDANCE)
        await stack.succeed(plan)

        async def closed() -> int:
            history = await history_of(temporal, plan.run_id)
            ended = of_type(history, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
            return len(history.events) if ended else 0

        assert await eventually(closed, bool) < 60
        history = await history_of(temporal, plan.run_id)
        assert sum(event.ByteSize() for event in history.events) < 64 * 1024
