"""Submit one paid job until it is known whether it was started.

No job is ever paid twice: a submit whose outcome is unknown is never blindly resent. What is done instead depends on
the safety class of model and deployment (see `domain.provider.SafetyClass`).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.calls import StepFailure, SubmitStep
from domain.errors import DeadlineExceeded, JobFailed, Next
from domain.money import dollars
from domain.provider import Accepted, Finished, SafetyClass, Window
from domain.runs import AttemptOutcome, CancelResult
from workflows import policies
from workflows.attempting import Attempting, Ended, canceled
from workflows.failures import NEVER_SENT, UNKNOWN_START, deadline_passed, read_failure
from workflows.lost_jobs import find_lost_job

Started = Accepted | Finished


async def start(at: Attempting) -> Started | Ended:
    """Submit until the answer is known. Once one was lost, no later refusal says that nothing was started."""
    opened = workflow.now()
    pause, lost = policies.FIRST_RESEND_PAUSE, None
    while True:
        answer = await _submit(at, opened, in_doubt=lost is not None)
        if isinstance(answer, (Accepted, Finished, Ended)):
            return answer
        if lost is None and answer.code == UNKNOWN_START:
            lost = answer
        if at.run.canceling:
            return canceled(_canceled_while(in_doubt=lost is not None))
        if lost is None:
            if answer.code == NEVER_SENT and workflow.now() < _patient_until(at, opened):
                continue
            return Ended(failure=_moving_on(at, answer))
        if answer.code == JobFailed.code:
            # The provider's word about this key's own job: it has ended, so nothing is in doubt any more.
            return Ended(failure=answer)
        may_resend = answer.code == UNKNOWN_START or answer.next is not Next.END_STEP
        if at.candidate.safety is not SafetyClass.A or not may_resend or at.left <= timedelta(0):
            return await _adopt(at, lost, Window(opened=opened, closed=workflow.now()))
        at.attempt.note = "The first answer was lost; the same idempotency key was sent again."
        await at.run.until(lambda: at.run.canceling, pause, "before the key is sent again")
        pause = min(pause * 2, policies.LONGEST_RESEND_PAUSE)


async def _submit(at: Attempting, opened: datetime, *, in_doubt: bool) -> Started | Ended | StepFailure:
    submit = _send(at, opened, in_doubt=in_doubt)
    await at.run.until(lambda: submit.done() or at.run.canceling)
    if not submit.done():
        # One that only waits to be sent ends at once; one that is being sent goes on to its answer.
        submit.cancel()
        if not await at.run.until(submit.done, policies.CANCEL_WAIT, "cancel: a job may be starting"):
            return canceled(CancelResult.NOT_STOPPED)
    try:
        answer = await submit
    except ActivityError as error:
        if not is_cancelled_exception(error):
            return read_failure(error)
        return canceled(_canceled_while(in_doubt=in_doubt))
    if not at.run.canceling:
        return answer
    if isinstance(answer, Finished):
        return canceled(CancelResult.NOT_STOPPED, answer.cost)
    return await at.cancel_job(answer.job)


def _send(at: Attempting, opened: datetime, *, in_doubt: bool) -> workflow.ActivityHandle[Started]:
    """In doubt there is no other candidate: only this provider can say whether it has started a job."""
    timeout = timedelta(seconds=at.candidate.submit_timeout)
    patient_until = at.deadline if in_doubt else _patient_until(at, opened)
    longest_call = timeout + policies.BESIDES_THE_ANSWER
    return workflow.start_activity(
        "submit",
        SubmitStep(
            of=at.of,
            params=at.candidate.params,
            inputs=at.inputs,
            input_forms=at.candidate.input_forms,
            webhook=at.candidate.webhook,
            timeout=timeout,
            opened=opened,
            patient_until=patient_until,
            alternatives=not in_doubt and at.candidate is not at.planned.candidates[-1],
            life=max(at.left, timedelta(0)),
        ),
        result_type=cast("type[Started]", Started),  # the converter takes unions
        activity_id=at.id("submit"),
        start_to_close_timeout=longest_call,
        # Patience is for refusals: a request that was sent is waited for.
        schedule_to_close_timeout=max(patient_until - workflow.now(), timedelta(seconds=1)) + longest_call,
        heartbeat_timeout=policies.HEARTBEAT,
        retry_policy=policies.SUBMIT_RETRY,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=at.summary(f"start {at.of.model}"),
    )


async def _adopt(at: Attempting, lost: StepFailure, window: Window) -> Accepted | Ended:
    """Go on with the job that a lost submit may have started, where it can be found."""
    at.attempt.outcome = AttemptOutcome.UNKNOWN
    at.run.touch(at.state)
    job = await find_lost_job(at, window) if at.candidate.safety is SafetyClass.B else None
    if isinstance(job, StepFailure):
        return Ended(failure=replace(job, facts=lost.facts | job.facts), never_started=True)
    if job is not None:
        at.attempt.note = "The submit's answer was lost; its job was found and adopted."
        return Accepted(job)
    if at.run.canceling:
        return canceled(CancelResult.NOT_STOPPED)
    return Ended(failure=_at_risk(at, lost))


def _at_risk(at: Attempting, lost: StepFailure) -> StepFailure:
    """Nobody can say whether a job was started, nor where it is: what it may cost is said."""
    facts, high = dict(lost.facts), at.candidate.cost.high
    if high is not None:
        facts["cost_at_risk"] = dollars(high)
    told = f" Up to {facts['cost_at_risk']} USD are at risk." if "cost_at_risk" in facts else ""
    return replace(lost, message=lost.message + told, facts=facts)


def _moving_on(at: Attempting, answer: StepFailure) -> StepFailure:
    """Where the step has time left, a start that no worker made leaves the others their turn."""
    if answer.code not in (NEVER_SENT, DeadlineExceeded.code):
        # A refusal that ended here has used up the patience for this candidate: the next one may do better.
        return replace(answer, next=Next.NEXT_CANDIDATE) if answer.next is Next.RETRY_HERE else answer
    if at.left <= timedelta(0):
        return deadline_passed()
    return StepFailure(NEVER_SENT, "No worker sent the request in time.", Next.NEXT_CANDIDATE)


def _canceled_while(*, in_doubt: bool) -> CancelResult:
    return CancelResult.NOT_STOPPED if in_doubt else CancelResult.NOT_STARTED


def _patient_until(at: Attempting, opened: datetime) -> datetime:
    return min(at.deadline, opened + timedelta(seconds=at.candidate.patience))
