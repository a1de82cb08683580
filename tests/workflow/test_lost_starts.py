"""Once an answer was lost, a job may run: nothing that follows may start another one beside it."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError

from domain.plan import ChainPlan
from domain.runs import AttemptOutcome, CancelRequested, CancelResult, RunStatus
from tests.support.plans import toy_plan
from tests.support.waiting import eventually
from tests.workflow.conftest import Workshop


def listed(first: str = "toy/image") -> ChainPlan:
    return toy_plan(models=(first,), instead=("toy/hopeless",))


@pytest.mark.parametrize("then", [429, 409, 500], ids=str)
async def test_a_refusal_after_a_lost_answer_is_waited_out_under_the_same_key(workshop: Workshop, then: int) -> None:
    workshop.toy.submit_answers = ["lost", *[then] * 8]
    plan = listed()
    handle = await workshop.bench.start(plan)
    assert (await handle.result()).status is RunStatus.SUCCEEDED
    assert list(workshop.toy.jobs) == [f"babychain:{plan.run_id}:step_0:1"]
    assert len((await workshop.bench.step(plan.run_id)).attempts) == 1


@pytest.mark.parametrize("then", [429, 401, 402, 404], ids=str)
async def test_an_answer_that_stays_lost_ends_as_unknown_and_counts_as_a_risk(workshop: Workshop, then: int) -> None:
    workshop.toy.submit_answers = ["lost", *[then] * 10_000]
    plan = listed("toy/short")
    handle = await workshop.bench.start(plan)
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert "start_outcome_unknown" in str(caught.value.cause)
    step = await workshop.bench.step(plan.run_id)
    assert [attempt.outcome for attempt in step.attempts] == [AttemptOutcome.UNKNOWN]
    assert step.error is not None
    assert "0.01 USD are at risk" in step.error.message
    assert len(workshop.toy.jobs) == 1


async def test_a_cancel_while_the_answer_is_lost_says_that_a_job_may_go_on(workshop: Workshop) -> None:
    workshop.toy.submit_answers = ["lost", *[429] * 10_000]
    handle = await workshop.bench.start(listed())
    await eventually(lambda: asyncio.sleep(0, workshop.toy.submits), lambda submits: submits > 2)
    await handle.signal("cancel", CancelRequested())
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    step = await workshop.bench.step(handle.id)
    assert step.cancel_outcome is CancelResult.NOT_STOPPED


async def test_a_job_whose_state_nobody_understands_is_canceled_and_no_other_is_started(workshop: Workshop) -> None:
    workshop.toy.words = ["levitating"] * 500
    plan = listed()
    handle = await workshop.bench.start(plan)
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert "provider_unexpected_response" in str(caught.value.cause)
    assert (len(workshop.toy.jobs), workshop.toy.cancels) == (1, 1)
    step = await workshop.bench.step(plan.run_id)
    assert step.started and step.ended
    assert step.ended - step.started >= timedelta(minutes=2)
