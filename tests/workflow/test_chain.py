"""How a run goes, on a server that skips the waiting."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError

from domain.runs import AttemptOutcome, CancelRequested, CancelResult, RunOutcome, RunStatus, StepStatus
from tests.support.plans import toy_plan
from tests.support.waiting import eventually
from tests.workflow.conftest import Workshop

Handle = WorkflowHandle[object, RunOutcome]


async def failure_of(handle: Handle) -> BaseException | None:
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    return caught.value.cause


async def event_count(handle: Handle) -> int:
    return len([event async for event in handle.fetch_history_events()])


async def test_each_step_starts_after_the_one_before_and_is_fed_its_output(workshop: Workshop) -> None:
    plan = toy_plan(models=("toy/image", "toy/image", "toy/image"), template="chain3")
    handle = await workshop.bench.start(plan)
    assert (await handle.result()).status is RunStatus.SUCCEEDED
    first, second, third = (await workshop.bench.snapshot(plan.run_id)).steps
    assert second.inputs == first.outputs
    assert third.inputs == second.outputs
    assert first.ended and second.started and second.ended and third.started
    assert first.ended <= second.started
    assert second.ended <= third.started
    assert workshop.toy.submits == 3


async def test_a_provider_may_take_a_day(workshop: Workshop) -> None:
    workshop.toy.ready_after = 150
    plan = toy_plan(models=("toy/image",))
    handle = await workshop.bench.start(plan)
    assert (await handle.result()).status is RunStatus.SUCCEEDED
    step = await workshop.bench.step(plan.run_id)
    assert step.started and step.ended
    assert step.ended - step.started > timedelta(days=1) * 0.9
    assert await event_count(handle) < 60, "waiting must not grow the history"


async def test_a_job_that_never_ends_is_given_up_at_the_deadline_and_canceled(workshop: Workshop) -> None:
    workshop.toy.ready_after = 10**9
    plan = toy_plan(models=("toy/short", "toy/image"))
    handle = await workshop.bench.start(plan)
    cause = await failure_of(handle)
    assert isinstance(cause, ApplicationError)
    assert cause.type == "step_running_timed_out"
    first, second = (await workshop.bench.snapshot(plan.run_id)).steps
    assert first.status is StepStatus.FAILED
    assert first.started and first.ended
    assert abs(first.ended - first.started - timedelta(seconds=60)) < timedelta(seconds=5)
    assert second.status is StepStatus.SKIPPED
    assert workshop.toy.cancels == 1


async def test_what_was_refused_is_sent_again(workshop: Workshop) -> None:
    workshop.toy.submit_answers = [429, 429, 429]
    plan = toy_plan(models=("toy/image",))
    handle = await workshop.bench.start(plan)
    assert (await handle.result()).status is RunStatus.SUCCEEDED
    assert workshop.toy.submits == 4
    assert len(workshop.toy.jobs) == 1
    assert len((await workshop.bench.step(plan.run_id)).attempts) == 1


async def test_a_lost_start_of_class_a_is_resent_under_the_same_key(workshop: Workshop) -> None:
    workshop.toy.submit_answers = ["lost"]
    plan = toy_plan(models=("toy/image",))
    handle = await workshop.bench.start(plan)
    assert (await handle.result()).status is RunStatus.SUCCEEDED
    assert workshop.toy.submits == 2
    assert list(workshop.toy.jobs) == [f"babychain:{plan.run_id}:step_0:1"]


async def test_a_lost_start_of_class_c_is_named_and_never_resent(workshop: Workshop) -> None:
    workshop.toy.submit_answers = ["lost"]
    plan = toy_plan(models=("toy/hopeless",))
    cause = await failure_of(await workshop.bench.start(plan))
    assert isinstance(cause, ApplicationError)
    assert cause.type == "start_outcome_unknown"
    assert workshop.toy.submits == 1
    step = await workshop.bench.step(plan.run_id)
    assert step.attempts[0].outcome is AttemptOutcome.UNKNOWN
    assert step.error is not None
    assert "0.01 USD are at risk" in step.error.message


async def test_a_5xx_of_a_submit_is_an_unknown_start(workshop: Workshop) -> None:
    workshop.toy.submit_answers = [500]
    cause = await failure_of(await workshop.bench.start(toy_plan(models=("toy/hopeless",))))
    assert isinstance(cause, ApplicationError)
    assert cause.type == "start_outcome_unknown"
    assert workshop.toy.submits == 1


async def test_a_status_word_nobody_knows_is_read_for_two_minutes_and_ten_reads(workshop: Workshop) -> None:
    workshop.toy.words = ["levitating"] * 500
    plan = toy_plan(models=("toy/image",))
    cause = await failure_of(await workshop.bench.start(plan))
    assert isinstance(cause, ApplicationError)
    assert cause.type == "provider_unexpected_response"
    assert "levitating" in str(cause)
    assert workshop.toy.reads >= 10
    step = await workshop.bench.step(plan.run_id)
    assert step.started and step.ended
    assert step.ended - step.started >= timedelta(minutes=2)


async def test_an_unknown_word_that_passes_does_no_harm(workshop: Workshop) -> None:
    workshop.toy.words = ["levitating", "busy", "levitating", "busy"]
    handle = await workshop.bench.start(toy_plan(models=("toy/image",)))
    assert (await handle.result()).status is RunStatus.SUCCEEDED


async def test_a_failed_job_fails_the_run_without_a_second_job(workshop: Workshop) -> None:
    workshop.toy.fail_with = "The paint ran out."
    plan = toy_plan()
    handle = await workshop.bench.start(plan)
    cause = await failure_of(handle)
    assert isinstance(cause, ApplicationError)
    assert cause.type == "provider_failed"
    assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED
    snapshot = await workshop.bench.snapshot(plan.run_id)
    assert snapshot.status is RunStatus.FAILED
    assert snapshot.current == "failed"
    assert snapshot.error is not None
    assert snapshot.error.message == "The paint ran out."
    assert [step.status for step in snapshot.steps] == [StepStatus.FAILED, StepStatus.SKIPPED]
    assert workshop.toy.submits == 1


async def test_a_cancel_at_the_provider_cancels_the_run(workshop: Workshop) -> None:
    workshop.toy.words = ["canceled"]
    plan = toy_plan(models=("toy/image",))
    cause = await failure_of(await workshop.bench.start(plan))
    assert isinstance(cause, CancelledError)
    snapshot = await workshop.bench.snapshot(plan.run_id)
    assert snapshot.status is RunStatus.CANCELED
    assert snapshot.error is not None
    assert snapshot.error.code == "step_canceled"


@pytest.mark.parametrize("by", ["signal", "operator"])
async def test_a_cancel_stops_the_running_job_and_closes_as_canceled(workshop: Workshop, by: str) -> None:
    workshop.toy.ready_after = 10**9
    plan = toy_plan()
    handle = await workshop.bench.start(plan)
    await eventually(
        lambda: workshop.bench.step(plan.run_id), lambda step: bool(step.attempts and step.attempts[0].job)
    )
    if by == "signal":
        await handle.signal("cancel", CancelRequested())
    else:
        await handle.cancel()
    cause = await failure_of(handle)
    assert isinstance(cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    snapshot = await workshop.bench.snapshot(plan.run_id)
    assert snapshot.status is RunStatus.CANCELED
    assert snapshot.error is not None
    assert snapshot.error.code == "client_canceled"
    assert [step.status for step in snapshot.steps] == [StepStatus.CANCELED, StepStatus.SKIPPED]
    assert [step.cancel_outcome for step in snapshot.steps] == [CancelResult.STOPPED, CancelResult.NOT_STARTED]
    assert workshop.toy.cancels == 1
    assert snapshot.steps[0].attempts[0].cost == 0
    after = workshop.bench.client.get_workflow_handle(f"after-{plan.run_id}")
    assert await after.result() is None
