"""One attempt of a step: submit one paid job, wait for its end, bring its output in.

No job is ever paid twice: a submit whose outcome is unknown is never blindly resent. What is done instead depends on
the safety class of model and deployment (see `domain.provider.SafetyClass`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.calls import (
    AttemptRef,
    CancelJob,
    Collected,
    CollectStep,
    NotYet,
    ReconcileStart,
    StepFailure,
    SubmitStep,
    WatchStep,
)
from domain.errors import DeadlineExceeded, JobFailed, Next, UnexpectedResponse
from domain.media import InputRef
from domain.money import dollars
from domain.plan import Candidate, PlannedStep
from domain.provider import Accepted, CancelOutcome, Finished, Job, SafetyClass, Window
from domain.runs import Attempt, AttemptOutcome, CancelResult, ProviderReported, StepState
from temporal import names
from workflows import policies
from workflows.failures import NEVER_SENT, NEVER_STARTED, UNKNOWN_START, deadline_passed, read_failure

_MAY_STILL_RUN = frozenset({DeadlineExceeded.code, UnexpectedResponse.code})
"""Failures of a job that nobody has seen end: another one beside it would be paid twice."""

ALIVE = "running"
"""The status of a report that names a job and says no more than that it lives."""


@dataclass(frozen=True)
class Ended:
    """How an attempt ended: with assets, with a failure, or canceled."""

    assets: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    cost: int | None = None
    failure: StepFailure | None = None
    never_started: bool = False
    """A failure that came before any job: the same candidate may be asked again."""
    canceled: bool = False
    cancel_outcome: CancelResult | None = None


class Reports:
    """What webhooks said, by step and attempt. They may come early, twice, late, or never."""

    def __init__(self) -> None:
        self._nudges: dict[tuple[str, int], int] = {}
        self._jobs: dict[tuple[str, int], str] = {}

    def add(self, report: ProviderReported) -> None:
        key = (report.step, report.attempt)
        if report.job_id and key not in self._jobs:
            self._jobs[key] = report.job_id
        if report.status != ALIVE:
            self._nudges[key] = self._nudges.get(key, 0) + 1

    def nudges(self, of: AttemptRef) -> int:
        return self._nudges.get((of.step, of.attempt), 0)

    def claimed_job(self, of: AttemptRef) -> str | None:
        return self._jobs.get((of.step, of.attempt))


class Run(Protocol):
    """What an attempt needs of the run it belongs to."""

    @property
    def canceling(self) -> bool: ...
    @property
    def reports(self) -> Reports: ...
    def now(self) -> datetime: ...
    def touch(self, state: StepState) -> None: ...
    async def until(self, condition: Callable[[], bool], longest: timedelta | None = None, why: str = "") -> bool: ...


class AttemptRun:
    def __init__(
        self,
        run: Run,
        of: AttemptRef,
        planned: PlannedStep,
        candidate: Candidate,
        inputs: tuple[InputRef, ...],
        state: StepState,
        attempt: Attempt,
        deadline: datetime,
    ) -> None:
        self._run = run
        self._of = of
        self._planned = planned
        self._candidate = candidate
        self._inputs = inputs
        self._state = state
        self._attempt = attempt
        self._deadline = deadline

    async def run(self) -> Ended:
        started = await self._start()
        if isinstance(started, Ended):
            return started
        self._attempt.adapted = started.adapted
        if isinstance(started, Finished):
            return await self._bring_in(started)
        self._note_job(started.job)
        return await self._finish(started.job)

    # ---- start ------------------------------------------------------------------------------------------------

    async def _start(self) -> Accepted | Finished | Ended:
        """Submit until the answer is known. Once one was lost, no later refusal says that nothing was started."""
        opened = workflow.now()
        pause, lost = policies.FIRST_RESEND_PAUSE, None
        while True:
            answer = await self._submit(opened, in_doubt=lost is not None)
            if isinstance(answer, (Accepted, Finished, Ended)):
                return answer
            if lost is None and answer.code == UNKNOWN_START:
                lost = answer
            if self._run.canceling:
                outcome = CancelResult.NOT_STOPPED if lost else CancelResult.NOT_STARTED
                return Ended(canceled=True, cancel_outcome=outcome)
            if lost is None:
                if answer.code == NEVER_SENT and workflow.now() < self._patient_until(opened):
                    continue
                return Ended(failure=self._moving_on(answer))
            if answer.code == JobFailed.code:
                # The provider's word about this key's own job: it has ended, so nothing is in doubt any more.
                return Ended(failure=answer)
            may_resend = answer.code == UNKNOWN_START or answer.next is not Next.END_STEP
            if self._candidate.safety is not SafetyClass.A or not may_resend or self._left() <= timedelta(0):
                return await self._adopt(lost, Window(opened=opened, closed=workflow.now()))
            self._attempt.note = "The first answer was lost; the same idempotency key was sent again."
            await self._run.until(lambda: self._run.canceling, pause, "before the key is sent again")
            pause = min(pause * 2, policies.LONGEST_RESEND_PAUSE)

    async def _submit(self, opened: datetime, *, in_doubt: bool) -> Accepted | Finished | Ended | StepFailure:
        """In doubt there is no other candidate: only this provider can say whether it has started a job."""
        timeout = timedelta(seconds=self._candidate.submit_timeout)
        patient_until = self._deadline if in_doubt else self._patient_until(opened)
        longest_call = timeout + timedelta(seconds=15)
        submit = workflow.start_activity(
            "submit",
            SubmitStep(
                of=self._of,
                params=self._candidate.params,
                inputs=self._inputs,
                input_forms=self._candidate.input_forms,
                webhook=self._candidate.webhook,
                timeout=timeout,
                opened=opened,
                patient_until=patient_until,
                alternatives=not in_doubt and self._candidate is not self._planned.candidates[-1],
                life=max(self._left(), timedelta(0)),
            ),
            result_type=Accepted | Finished,  # type: ignore[arg-type]  # the converter takes unions
            activity_id=self._id("submit"),
            start_to_close_timeout=longest_call,
            # Patience is for refusals: a request that was sent is waited for.
            schedule_to_close_timeout=max(patient_until - workflow.now(), timedelta(seconds=1)) + longest_call,
            heartbeat_timeout=policies.HEARTBEAT,
            retry_policy=policies.SUBMIT_RETRY,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=f"{self._planned.key}: start {self._of.model}",
        )
        await self._run.until(lambda: submit.done() or self._run.canceling)
        if not submit.done():
            # One that only waits to be sent ends at once; one that is being sent goes on to its answer.
            submit.cancel()
            if not await self._run.until(submit.done, policies.CANCEL_WAIT, "cancel: a job may be starting"):
                return Ended(canceled=True, cancel_outcome=CancelResult.NOT_STOPPED)
        try:
            answer: Accepted | Finished = await submit
        except ActivityError as error:
            if not is_cancelled_exception(error):
                return read_failure(error)
            outcome = CancelResult.NOT_STOPPED if in_doubt else CancelResult.NOT_STARTED
            return Ended(canceled=True, cancel_outcome=outcome)
        if not self._run.canceling:
            return answer
        if isinstance(answer, Finished):
            return Ended(canceled=True, cancel_outcome=CancelResult.NOT_STOPPED, cost=answer.cost)
        return await self._cancel_job(answer.job)

    async def _adopt(self, lost: StepFailure, window: Window) -> Accepted | Ended:
        """Find the job that a lost submit may have started: in the provider's list, or by its own webhook."""
        self._attempt.outcome = AttemptOutcome.UNKNOWN
        self._run.touch(self._state)
        job: Job | StepFailure | None = None
        if self._candidate.safety is SafetyClass.B:
            if self._candidate.findable:
                job = await self._look_up(self._search(window), policies.LOST_JOB_SEARCH)
            if job is None and self._candidate.webhook:
                job = await self._wait_for_claim(window)
        if isinstance(job, StepFailure):
            return Ended(failure=replace(job, facts=lost.facts | job.facts), never_started=True)
        if self._run.canceling and job is None:
            return Ended(canceled=True, cancel_outcome=CancelResult.NOT_STOPPED)
        if job is None:
            facts = dict(lost.facts)
            if self._candidate.cost.high is not None:
                facts["cost_at_risk"] = dollars(self._candidate.cost.high)
            at_risk = f" Up to {facts['cost_at_risk']} USD are at risk." if "cost_at_risk" in facts else ""
            return Ended(failure=replace(lost, message=lost.message + at_risk, facts=facts))
        self._attempt.note = "The submit's answer was lost; its job was found and adopted."
        return Accepted(job)

    def _search(self, window: Window) -> ReconcileStart:
        return ReconcileStart(self._of, self._candidate.params, window, self._candidate.looks.search_pause)

    async def _look_up(self, call: ReconcileStart, longest: timedelta) -> Job | StepFailure | None:
        """The job, or the certainty that there is none, or None: nobody can say."""
        search = workflow.start_activity(
            "reconcile",
            call,
            result_type=Job,
            activity_id=self._id("reconcile"),
            start_to_close_timeout=policies.QUICK_CALL,
            schedule_to_close_timeout=max(min(longest, self._left()), timedelta(seconds=1)),
            retry_policy=policies.RECONCILE_RETRY,
            summary=f"{self._planned.key}: look for a job whose start was not answered",
        )
        claimed = call.claimed
        await self._run.until(
            lambda: (
                search.done()
                or self._run.canceling
                or (claimed is None and self._run.reports.claimed_job(self._of) is not None)
            )
        )
        if not search.done():
            search.cancel()
            claim = self._run.reports.claimed_job(self._of)
            if self._run.canceling or claim is None:
                return None
            return await self._look_up(replace(call, claimed=claim), longest)
        try:
            found: Job = await search
        except ActivityError as error:
            failure = read_failure(error)
            return failure if failure.code == NEVER_STARTED else None
        return found

    async def _wait_for_claim(self, window: Window) -> Job | StepFailure | None:
        """A claim is believed only after our own status call has confirmed it."""
        await self._run.until(
            lambda: self._run.canceling or self._run.reports.claimed_job(self._of) is not None,
            min(policies.LOST_JOB_REPORT, max(self._left(), timedelta(0))),
            "a lost job may still report itself",
        )
        claim = self._run.reports.claimed_job(self._of)
        if self._run.canceling or claim is None:
            return None
        return await self._look_up(replace(self._search(window), claimed=claim), policies.LOST_JOB_SEARCH)

    # ---- wait and collect -------------------------------------------------------------------------------------

    def _note_job(self, job: Job) -> None:
        self._attempt.job, self._attempt.outcome = job.id, AttemptOutcome.RUNNING
        self._attempt.cost = job.cost
        workflow.upsert_search_attributes([names.JOB.value_set(job.id)])
        self._run.touch(self._state)

    async def _finish(self, job: Job) -> Ended:
        """Wait for a webhook, then look; watch the job ourselves where none can come or it is overdue."""
        run, looked = self._run, 0
        watch: workflow.ActivityHandle[Collected] | None = None
        grace = timedelta(seconds=self._candidate.looks.grace if self._candidate.webhook else 0)
        watch_from = workflow.now() + min(grace, max(self._left(), timedelta(0)))
        while True:
            if watch is None and workflow.now() >= watch_from:
                watch = self._watch(job)
            await run.until(
                lambda: run.canceling or run.reports.nudges(self._of) > looked or (watch is not None and watch.done()),  # noqa: B023
                None if watch is not None else watch_from - workflow.now(),
                f"{self._planned.key}: waits for the webhook of {self._of.model}",
            )
            if run.canceling:
                if watch is not None:
                    watch.cancel()
                return await self._cancel_job(job)
            if watch is not None and watch.done():
                if (ended := await self._outcome(watch, job)) is not None:
                    return ended
                watch = None
            if run.reports.nudges(self._of) > looked:
                looked = run.reports.nudges(self._of)
                ended = await self._look(job)
                if ended is not None:
                    if watch is not None:
                        watch.cancel()
                    return ended

    def _watch(self, job: Job) -> workflow.ActivityHandle[Collected]:
        return workflow.start_activity(
            "watch",
            WatchStep(
                of=self._of, kind=self._planned.kind, job=job, looks=self._candidate.looks, deadline=self._deadline
            ),
            result_type=Collected,
            activity_id=self._id("watch"),
            start_to_close_timeout=policies.WATCH_TIMEOUT,
            # The activity itself keeps the deadline; this is for workers that are gone by then.
            schedule_to_close_timeout=max(self._left(), timedelta(0)) + policies.AFTER_DEADLINE,
            heartbeat_timeout=policies.HEARTBEAT,
            retry_policy=policies.WATCH_RETRY,
            summary=f"{self._planned.key}: watch {self._of.model} job {job.id}",
        )

    async def _look(self, job: Job) -> Ended | None:
        """One look, because a webhook said so. None: the job goes on, or the run is being canceled."""
        return await self._collect(CollectStep(of=self._of, kind=self._planned.kind, job=job), job)

    async def _bring_in(self, finished: Finished) -> Ended:
        call = CollectStep(of=self._of, kind=self._planned.kind, outputs=finished.outputs, cost=finished.cost)
        ended = await self._collect(call, None)
        return ended or Ended(canceled=True, cancel_outcome=CancelResult.NOT_STOPPED, cost=finished.cost)

    async def _collect(self, call: CollectStep, job: Job | None) -> Ended | None:
        collect = workflow.start_activity(
            "collect",
            call,
            result_type=Collected | NotYet,  # type: ignore[arg-type]  # the converter takes unions
            activity_id=self._id("collect"),
            start_to_close_timeout=policies.COLLECT_TIMEOUT,
            schedule_to_close_timeout=max(self._left(), timedelta(minutes=1)),
            heartbeat_timeout=policies.HEARTBEAT,
            retry_policy=policies.COLLECT_RETRY,
            summary=f"{self._planned.key}: bring in the output of {self._of.model}",
        )
        await self._run.until(lambda: collect.done() or self._run.canceling)
        if not collect.done():
            collect.cancel()
            return None
        return await self._outcome(collect, job)

    async def _outcome(self, activity: workflow.ActivityHandle[Any], job: Job | None) -> Ended | None:
        try:
            answer: Collected | NotYet = await activity
        except ActivityError as error:
            failure = read_failure(error)
            # Nobody saw the job end, or it was paid for and its file could not be fetched in time.
            is_open = failure.next is Next.RETRY_HERE or failure.code in _MAY_STILL_RUN
            if is_open and job is not None:
                await self._cancel_job(job)
            return Ended(failure=replace(failure, next=Next.END_STEP) if is_open else failure)
        if isinstance(answer, NotYet):
            return None
        return Ended(assets=answer.assets, sources=answer.sources, metadata=answer.metadata, cost=answer.cost)

    # ---- cancel -----------------------------------------------------------------------------------------------

    async def _cancel_job(self, job: Job) -> Ended:
        outcome: CancelOutcome = CancelOutcome.NOT_STOPPED
        try:
            outcome = await workflow.execute_activity(
                "cancel_job",
                CancelJob(of=self._of, job=job),
                result_type=CancelOutcome,
                activity_id=self._id("cancel_job"),
                start_to_close_timeout=policies.CANCEL_CALL,
                schedule_to_close_timeout=policies.CANCEL_CALL,
                retry_policy=policies.CANCEL_RETRY,
                summary=f"{self._planned.key}: cancel job {job.id}",
            )
        except ActivityError:
            workflow.logger.warning("provider_cancel_failed", extra={"step": self._of.step, "job_id": job.id})
        return Ended(canceled=True, cancel_outcome=CancelResult(outcome.value), cost=job.cost)

    def _moving_on(self, answer: StepFailure) -> StepFailure:
        """Where the step has time left, a start that no worker made leaves the others their turn."""
        if answer.code not in (NEVER_SENT, DeadlineExceeded.code):
            # A refusal that ended here has used up the patience for this candidate: the next one may do better.
            return replace(answer, next=Next.NEXT_CANDIDATE) if answer.next is Next.RETRY_HERE else answer
        if self._left() <= timedelta(0):
            return deadline_passed()
        return StepFailure(NEVER_SENT, "No worker sent the request in time.", Next.NEXT_CANDIDATE)

    def _patient_until(self, opened: datetime) -> datetime:
        return min(self._deadline, opened + timedelta(seconds=self._candidate.patience))

    def _left(self) -> timedelta:
        return self._deadline - workflow.now()

    def _id(self, activity: str) -> str:
        """Stable, so that an operator can name the activity at the command line."""
        return f"{self._of.step}.{self._of.attempt}.{activity}"
