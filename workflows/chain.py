"""The engine that every chain template shares: one loop over the steps, one visible loop over a step's candidates.

The run's public state is the snapshot in the memo. It is written when a wait begins, so that several changes of one
moment cost one event.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from activities.calls import AfterRun, AttemptRef, StepFailure
from domain.callbacks import RUN_COMPLETED, STEP_COMPLETED, DeliverEvent, Event
from domain.chains import ChainTemplate
from domain.costs import over_max_cost
from domain.errors import Next
from domain.media import InputRef
from domain.plan import Candidate, ChainPlan, PlannedStep
from domain.runs import (
    Attempt,
    AttemptOutcome,
    CancelRequested,
    CancelResult,
    Problem,
    ProviderReported,
    RunOutcome,
    RunStatus,
    StepState,
    StepStatus,
    first_snapshot,
)
from temporal import names
from workflows import policies
from workflows.attempt import make_attempt
from workflows.attempting import Attempting, Ended
from workflows.details import describe
from workflows.failures import UNKNOWN_START
from workflows.reports import Reports


class ChainWorkflow:
    template: ClassVar[ChainTemplate]

    @workflow.init
    def __init__(self, plan: ChainPlan) -> None:
        self._plan = plan
        self._state = first_snapshot(tuple(step.key for step in plan.steps), plan.created_at)
        self._reports = Reports()
        self._sources: dict[str, str] = {}
        self._cancel: CancelRequested | None = None
        self._canceled_from_outside = False
        self._changed = False

    @workflow.signal(name="provider_reported", description="A provider's webhook says: look at this job now.")
    def provider_reported(self, report: ProviderReported) -> None:
        self._reports.add(report)

    @workflow.signal(name="cancel", description="Stop the run: its job is canceled where the provider can.")
    def cancel(self, request: CancelRequested) -> None:
        if self._cancel is None and not self._state.status.ended:
            self._cancel = request

    async def run_chain(self) -> RunOutcome:
        """Run the steps to their end, say how it ended, and close the workflow in the matching state."""
        await self._undisturbed(self._run_steps())
        await self._undisturbed(self._end())
        return await self._close()

    async def _undisturbed(self, work: Coroutine[Any, Any, None]) -> None:
        """Await work that an operator's own Cancel must not cut short: the Cancel reaches only this waiting."""
        task = asyncio.create_task(work)
        while not task.done():
            try:
                await workflow.wait_condition(task.done)
            except asyncio.CancelledError:
                self._canceled_from_outside = True
                self._cancel = self._cancel or CancelRequested("Chain run was canceled by an operator.", by="operator")
        task.result()

    # ---- steps ------------------------------------------------------------------------------------------------

    async def _run_steps(self) -> None:
        for planned in self._plan.steps:
            state = self._state.step(planned.key)
            if self._cancel is not None:
                break
            await self._run_step(planned, state)
            if state.status is not StepStatus.SUCCEEDED:
                break
        self._finish_run()

    async def _run_step(self, planned: PlannedStep, state: StepState) -> None:
        now = self.now()
        if self._state.started is None:
            self._state.started, self._state.status = now, RunStatus.RUNNING
            workflow.upsert_search_attributes([names.STATUS.value_set(RunStatus.RUNNING)])
        self._state.current = planned.key
        state.started, state.status = now, StepStatus.RUNNING
        inputs = self._inputs(planned)
        state.inputs = [ref.asset or ref.url or "" for ref in inputs]
        if planned.reused is not None:
            state.status, state.ended = StepStatus.SUCCEEDED, now
            state.outputs, state.metadata = list(planned.reused.outputs), dict(planned.reused.metadata)
            self.touch(state)
            return
        deadline = now + timedelta(seconds=planned.deadline)
        self.touch(state)

        for candidate in planned.candidates:
            ended = await self._start_until_known(planned, state, candidate, inputs, deadline)
            if ended.failure is None or ended.canceled or ended.failure.next is not Next.NEXT_CANDIDATE:
                break
            if self._cancel is not None:
                ended = Ended(canceled=True, cancel_outcome=CancelResult.NOT_STARTED)
                break
        self._finish_step(state, ended)
        await self._tell_of(state)

    async def _start_until_known(
        self,
        planned: PlannedStep,
        state: StepState,
        candidate: Candidate,
        inputs: tuple[InputRef, ...],
        deadline: datetime,
    ) -> Ended:
        """One attempt, and another where the first came to nothing: no job was made, or the caller takes the risk."""
        is_last = candidate is planned.candidates[-1]
        for _ in range(policies.MOST_STARTS):
            if (why := over_max_cost(self._plan, self._state, planned.key, candidate)) is not None:
                return Ended(failure=StepFailure("max_cost_exceeded", why, Next.NEXT_CANDIDATE))
            until = min(deadline, self.now() + timedelta(seconds=candidate.deadline))
            ended = await self._attempt(planned, state, candidate, inputs[: candidate.pictures], until)
            unknown = ended.failure is not None and ended.failure.code == UNKNOWN_START
            again = (ended.never_started and is_last) or (unknown and self._plan.options.resubmit_unknown)
            if not again or self._cancel is not None or self.now() >= deadline:
                break
        return ended

    async def _attempt(
        self,
        planned: PlannedStep,
        state: StepState,
        candidate: Candidate,
        inputs: tuple[InputRef, ...],
        deadline: datetime,
    ) -> Ended:
        attempt = Attempt(
            n=len(state.attempts) + 1,
            model=candidate.model,
            provider=candidate.provider,
            safety=candidate.safety,
            outcome=AttemptOutcome.SUBMITTING,
            started=self.now(),
        )
        state.attempts.append(attempt)
        self.touch(state)
        of = AttemptRef(
            run_id=self._plan.run_id,
            caller=self._plan.caller,
            step=planned.key,
            attempt=attempt.n,
            provider=candidate.provider,
            model=candidate.model,
            raw_id=candidate.raw_id,
        )
        ended = await make_attempt(Attempting(self, of, planned, candidate, inputs, state, attempt, deadline))
        attempt.ended = self.now()
        attempt.cost = ended.cost if ended.cost is not None else attempt.cost
        if ended.canceled:
            attempt.outcome = AttemptOutcome.CANCELED
        elif ended.failure is not None:
            attempt.error = Problem(ended.failure.code, ended.failure.message, ended.failure.facts)
            # A provider that does not bill failures says so with the failure.
            attempt.cost = ended.failure.facts.get("cost", attempt.cost)
            unknown = ended.failure.code == UNKNOWN_START
            attempt.outcome = AttemptOutcome.UNKNOWN if unknown else AttemptOutcome.FAILED
        else:
            attempt.outcome = AttemptOutcome.SUCCEEDED
        self.touch(state)
        return ended

    def _inputs(self, planned: PlannedStep) -> tuple[InputRef, ...]:
        """The picture handed on is the first output of each step it takes, then the caller's own."""
        handed = tuple(
            InputRef(asset=self._state.step(key).outputs[0], source=self._sources.get(key)) for key in planned.takes
        )
        return handed + planned.inputs

    def _finish_step(self, state: StepState, ended: Ended) -> None:
        state.ended = self.now()
        if ended.canceled:
            state.status, state.cancel_outcome = StepStatus.CANCELED, ended.cancel_outcome
        elif ended.failure is not None:
            state.status = StepStatus.CANCELED if ended.failure.code == "step_canceled" else StepStatus.FAILED
            state.error = Problem(ended.failure.code, ended.failure.message, ended.failure.facts)
        else:
            state.status = StepStatus.SUCCEEDED
            state.outputs, state.metadata = list(ended.assets), dict(ended.metadata)
            if ended.sources:
                self._sources[state.key] = ended.sources[0]
        self.touch(state)

    async def _tell_of(self, state: StepState) -> None:
        """A step's event is a workflow of its own: a receiver that is down holds up no step."""
        if not self._plan.tells(STEP_COMPLETED):
            return
        self.publish()  # the delivery reads the step from the memo
        await self._start_child(
            names.DELIVERY,
            DeliverEvent(Event(STEP_COMPLETED, self._plan.run_id, state.key)),
            id=names.step_delivery_id(self._plan.run_id, state.key),
            summary=f"tell of {state.key}",
        )

    # ---- the end ----------------------------------------------------------------------------------------------

    def _finish_run(self) -> None:
        now = self.now()
        statuses = {step.status for step in self._state.steps}
        failed = next((step for step in self._state.steps if step.error), None)
        if statuses == {StepStatus.SUCCEEDED}:
            self._state.status = RunStatus.SUCCEEDED
        elif failed is not None and failed.error is not None:
            by_provider = failed.status is StepStatus.CANCELED
            self._state.status = RunStatus.CANCELED if by_provider else RunStatus.FAILED
            self._state.error = failed.error
        else:
            self._state.status = RunStatus.CANCELED
            reason = self._cancel.reason if self._cancel else "Chain run was canceled."
            self._state.error = Problem("client_canceled", reason)
        for step in self._state.steps:
            if step.status is StepStatus.QUEUED:
                step.status, step.ended, step.updated = StepStatus.SKIPPED, now, now
                if self._state.status is RunStatus.CANCELED:
                    step.cancel_outcome = CancelResult.NOT_STARTED
        ended = self._state.status
        self._state.current = "completed" if ended is RunStatus.SUCCEEDED else str(ended)
        self._state.started = self._state.started or now
        self._state.ended = now
        self._state.updated = now
        self._changed = True

    async def _end(self) -> None:
        """Terminal memo and the start of what comes after, in one workflow task."""
        workflow.upsert_search_attributes([names.STATUS.value_set(self._state.status)])
        self.publish()
        await self._start_child(
            names.AFTER_RUN,
            AfterRun(run_id=self._plan.run_id, callback=self._plan.tells(RUN_COMPLETED)),
            id=names.after_run_id(self._plan.run_id),
            summary=f"archive and callback of {self._plan.template}",
        )

    async def _start_child(self, name: str, call: AfterRun | DeliverEvent, *, id: str, summary: str) -> None:
        """It outlives the run. One of this id that is still at work, from before an operator's reset, is as good."""
        with suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                name, call, id=id, parent_close_policy=workflow.ParentClosePolicy.ABANDON, static_summary=summary
            )

    async def _close(self) -> RunOutcome:
        status = self._state.status
        if status is RunStatus.SUCCEEDED:
            return RunOutcome(self._plan.run_id, status)
        if status is RunStatus.CANCELED:
            await self._close_as_canceled()
        error = self._state.error
        if error is None:
            raise ApplicationError("The run ended without a reason.", non_retryable=True)
        raise ApplicationError(f"{error.code}: {error.message}", type=error.code, non_retryable=True)

    async def _close_as_canceled(self) -> NoReturn:
        """A signal alone can't close a workflow as Canceled: that takes a cancel request, made by ourselves."""
        if not self._canceled_from_outside:
            asked = workflow.start_activity(
                "request_cancel",
                self._plan.run_id,
                activity_id="run.request_cancel",
                start_to_close_timeout=policies.QUICK_CALL,
                retry_policy=policies.STORE_RETRY,
                summary="close as Canceled",
            )
            try:
                await workflow.wait_condition(lambda: False)
            except asyncio.CancelledError:
                # The request is here before the activity's own end. Closing between the two is refused and tried again.
                await workflow.wait_condition(asked.done)
        raise asyncio.CancelledError

    # ---- what an attempt asks of its run ------------------------------------------------------------------------

    @property
    def canceling(self) -> bool:
        return self._cancel is not None

    @property
    def reports(self) -> Reports:
        return self._reports

    def now(self) -> datetime:
        """The server's time, never earlier than what has been shown: clocks of API and server differ."""
        return max(workflow.now(), self._state.updated)

    def touch(self, state: StepState) -> None:
        now = self.now()
        state.updated = self._state.updated = now
        self._changed = True

    def publish(self) -> None:
        if self._changed:
            self._changed = False
            workflow.upsert_memo({"snapshot": self._state})
            workflow.set_current_details(describe(self._plan, self._state))

    async def until(self, condition: Callable[[], bool], longest: timedelta | None = None, why: str = "") -> bool:
        """Wait; False says that the time was over first."""
        self.publish()
        try:
            await workflow.wait_condition(condition, timeout=longest, timeout_summary=why or None)
        except TimeoutError:
            return False
        return True
