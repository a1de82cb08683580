"""Wait for the end of a job that was started, and bring its output in."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.calls import Collected, CollectStep, NotYet, WatchStep
from domain.errors import DeadlineExceeded, Next, UnexpectedResponse
from domain.provider import Finished, Job
from domain.runs import CancelResult
from workflows import policies
from workflows.attempting import Attempting, Ended, canceled
from workflows.failures import read_failure

_MAY_STILL_RUN = frozenset(
    {
        DeadlineExceeded.code,
        UnexpectedResponse.code,
        "provider_request_blocked",  # the address that it was given may not have our key
        "provider_task_not_found",  # it may be another account's key, or another cluster, that does not know it
    }
)
"""Failures of a job that nobody has seen end: another one beside it would be paid twice."""

Seen = Collected | NotYet


async def finish(at: Attempting, job: Job) -> Ended:
    """Wait for a webhook, then look; watch the job ourselves where none can come or it is overdue."""
    run, looked = at.run, 0
    watch: workflow.ActivityHandle[Seen] | None = None
    grace = timedelta(seconds=at.candidate.looks.grace if at.candidate.webhook else 0)
    watch_from = workflow.now() + min(grace, max(at.left, timedelta(0)))
    while True:
        if watch is None and workflow.now() >= watch_from:
            watch = _watch(at, job)
        await run.until(
            lambda: run.canceling or run.reports.nudges(at.of) > looked or (watch is not None and watch.done()),  # noqa: B023
            None if watch is not None else watch_from - workflow.now(),
            at.summary(f"waits for the webhook of {at.of.model}"),
        )
        if run.canceling:
            if watch is not None:
                watch.cancel()
            return await at.cancel_job(job)
        if watch is not None and watch.done():
            if (ended := await _outcome(at, watch, job)) is not None:
                return ended
            watch = None
        if run.reports.nudges(at.of) > looked:
            looked = run.reports.nudges(at.of)
            ended = await _look(at, job)
            if ended is not None:
                if watch is not None:
                    watch.cancel()
                return ended


async def bring_in(at: Attempting, finished: Finished) -> Ended:
    """The output of a job that was done when its submit was answered."""
    call = CollectStep(of=at.of, kind=at.planned.kind, outputs=finished.outputs, cost=finished.cost)
    return await _collect(at, call, None) or canceled(CancelResult.NOT_STOPPED, finished.cost)


def _watch(at: Attempting, job: Job) -> workflow.ActivityHandle[Seen]:
    return workflow.start_activity(
        "watch",
        WatchStep(of=at.of, kind=at.planned.kind, job=job, looks=at.candidate.looks, deadline=at.deadline),
        result_type=cast("type[Seen]", Collected),
        activity_id=at.id("watch"),
        start_to_close_timeout=policies.WATCH_TIMEOUT,
        # The activity itself keeps the deadline; this is for workers that are gone by then.
        schedule_to_close_timeout=max(at.left, timedelta(0)) + policies.AFTER_DEADLINE,
        heartbeat_timeout=policies.HEARTBEAT,
        retry_policy=policies.WATCH_RETRY,
        summary=at.summary(f"watch {at.of.model} job {job.id}"),
    )


async def _look(at: Attempting, job: Job) -> Ended | None:
    """One look, because a webhook said so. None: the job goes on, or the run is being canceled."""
    return await _collect(at, CollectStep(of=at.of, kind=at.planned.kind, job=job), job)


async def _collect(at: Attempting, call: CollectStep, job: Job | None) -> Ended | None:
    collect = workflow.start_activity(
        "collect",
        call,
        result_type=cast("type[Seen]", Seen),  # the converter takes unions
        activity_id=at.id("collect"),
        start_to_close_timeout=policies.COLLECT_TIMEOUT,
        schedule_to_close_timeout=max(at.left, timedelta(minutes=1)),
        heartbeat_timeout=policies.HEARTBEAT,
        retry_policy=policies.COLLECT_RETRY,
        summary=at.summary(f"bring in the output of {at.of.model}"),
    )
    await at.run.until(lambda: collect.done() or at.run.canceling)
    if not collect.done():
        collect.cancel()
        return None
    return await _outcome(at, collect, job)


async def _outcome(at: Attempting, activity: workflow.ActivityHandle[Seen], job: Job | None) -> Ended | None:
    try:
        seen = await activity
    except ActivityError as error:
        failure = read_failure(error)
        # Nobody saw the job end, or it was paid for and its file could not be fetched in time.
        is_open = failure.next is Next.RETRY_HERE or failure.code in _MAY_STILL_RUN
        if is_open and job is not None:
            await at.cancel_job(job)
        return Ended(failure=replace(failure, next=Next.END_STEP) if is_open else failure)
    if isinstance(seen, NotYet):
        return None
    return Ended(assets=seen.assets, sources=seen.sources, metadata=seen.metadata, cost=seen.cost)
