"""Find the job that a lost submit may have started: in the provider's list, or by its own webhook."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.calls import ReconcileStart, StepFailure
from domain.provider import Job, Window
from workflows import policies
from workflows.attempting import Attempting
from workflows.failures import NEVER_STARTED, read_failure


async def find_lost_job(at: Attempting, window: Window) -> Job | StepFailure | None:
    """The job, or the certainty that there is none, or None: nobody can say."""
    search = ReconcileStart(at.of, at.candidate.params, window, at.candidate.looks.search_pause)
    job: Job | StepFailure | None = None
    if at.candidate.findable:
        job = await _look_up(at, search)
    if job is None and at.candidate.webhook:
        job = await _wait_for_claim(at, search)
    return job


async def _look_up(at: Attempting, call: ReconcileStart, name: str = "reconcile") -> Job | StepFailure | None:
    """A job that reports itself meanwhile ends the search through the list."""
    search = workflow.start_activity(
        "reconcile",
        call,
        result_type=Job,
        activity_id=at.id(name),
        start_to_close_timeout=policies.QUICK_CALL,
        schedule_to_close_timeout=max(min(policies.LOST_JOB_SEARCH, at.left), timedelta(seconds=1)),
        retry_policy=policies.RECONCILE_RETRY,
        summary=at.summary("look for a job whose start was not answered"),
    )
    is_list = call.claimed is None
    await at.run.until(lambda: search.done() or at.run.canceling or (is_list and at.claimed_job is not None))
    if not search.done():
        search.cancel()
        if at.run.canceling or at.claimed_job is None:
            return None
        # Under a name of its own: the server takes none twice while a worker is still at the first.
        return await _look_up(at, replace(call, claimed=at.claimed_job), "confirm")
    try:
        found: Job = await search
    except ActivityError as error:
        failure = read_failure(error)
        return failure if failure.code == NEVER_STARTED else None
    return found


async def _wait_for_claim(at: Attempting, search: ReconcileStart) -> Job | StepFailure | None:
    """A claim is believed only after our own status call has confirmed it."""
    await at.run.until(
        lambda: at.run.canceling or at.claimed_job is not None,
        min(policies.LOST_JOB_REPORT, max(at.left, timedelta(0))),
        "a lost job may still report itself",
    )
    if at.run.canceling or at.claimed_job is None:
        return None
    return await _look_up(at, replace(search, claimed=at.claimed_job))
