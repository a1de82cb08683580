"""Runs as callers see them, mapped onto workflows: create, read, cancel, and what providers report."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.budgets import Budgets
from api.callers import Caller
from api.claims import Claims
from api.cursors import Cursors
from api.events import Events, Listeners
from api.fingerprints import Fingerprints, refuse_conflict
from api.inputs import InputAddresses
from api.listing import Listing, read_archived
from api.requests import Envelope, read_idempotency_key
from api.waiting import Outlook
from domain.catalogue import Catalogue
from domain.chains import ChainTemplate
from domain.costs import refuse_over_max_cost
from domain.errors import LimitError, RequestError, UnavailableError
from domain.findings import Refusals
from domain.labels import metadata_pairs
from domain.plan import ChainPlan
from domain.planning import RunRequest, plan_run
from domain.provider import Notice
from domain.resources import run_resource
from domain.runs import CancelRequested, ProviderReported, RunStatus, Snapshot, first_snapshot
from domain.tokens import AttemptToken
from domain.waiting import Facts
from storage.archive import Archive
from storage.retries import RetryLinks
from temporal import names
from temporal.reading import RunReader, StoredRun
from workflows.details import summary
from workflows.policies import LAST_RESORT

log = structlog.get_logger("babychain.runs")

Json = dict[str, Any]

ALIVE = "running"
CANCEL_WAIT = 10.0
"""Seconds that a cancel call waits for the run to end, before it answers with the run as it is."""

ANSWER_WAIT = 2.0
"""Seconds that the report of a living job waits for the submit's own answer. Providers allow 5 s or more."""

_RPC = timedelta(seconds=5)


@dataclass
class Runs:
    client: Client
    reader: RunReader
    archive: Archive
    claims: Claims
    catalogue: Catalogue
    addresses: InputAddresses
    fingerprints: Fingerprints
    asset_url: Callable[[str], str]
    budgets: Budgets
    retry_links: RetryLinks
    task_queue: str = names.TASK_QUEUE
    listeners: Listeners = field(default_factory=Listeners)
    listing: Listing = field(init=False)
    events: Events = field(init=False)
    _outlook: Outlook = field(init=False)

    def __post_init__(self) -> None:
        # A secret that no caller can come by: no caller is called "".
        sealing = self.fingerprints.run_id("", "cursors", "").encode()
        self._outlook = Outlook(self.client, self.archive.ledger, self.task_queue)
        self.listing = Listing(self.reader, self.archive, Cursors(sealing), self.asset_url)
        self.events = Events(self.client, self.reader, self._outlook, self.asset_url)

    async def create(
        self,
        template: ChainTemplate,
        caller: Caller,
        envelope: Envelope,
        idempotency_key: str | None,
        client_request_id: str | None,
    ) -> Json:
        """Check everything, then start the workflow. Nothing is stored or spent before the last check has passed."""
        plan = self.plan(template, caller, envelope, client_request_id)
        return await self.launch(plan, caller, template.slug, read_idempotency_key(idempotency_key))

    async def launch(self, plan: ChainPlan, caller: Caller, purpose: str, key: str | None) -> Json:
        """Start the planned run, or find the one that the same key started for the same purpose."""
        plan = replace(plan, run_id=self.fingerprints.run_id(caller.id, purpose, key))
        prints = self.fingerprints.of(plan)
        if key is not None and (earlier := await self._find(plan.run_id)) is not None:
            return await self._replayed(earlier, prints)
        if key is not None:
            await self.claims.refuse_deleted(plan.run_id)
        plan = await self.settle(plan)
        held = await self._take(plan, caller, key)
        snapshot = first_snapshot(tuple(step.key for step in plan.steps), plan.created_at)
        try:
            await self._start(plan, snapshot, prints)
        except WorkflowAlreadyStartedError:
            # Another post with the same key was faster by a moment.
            earlier = await self._find(plan.run_id)
            if earlier is None:
                raise UnavailableError("The run is being created by another request.", retry_after=1.0) from None
            return await self._replayed(earlier, prints)
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:
                # Any other failure may have started it: then the reservation stands until it expires.
                await self._give_back(plan, key, held=held)
            raise
        self.reader.remember(plan)
        log.info("run_created", run_id=plan.run_id, template=plan.template, caller=plan.caller)
        return await self._shown(StoredRun(plan, snapshot, prints, Facts()))

    def plan(
        self, template: ChainTemplate, caller: Caller, envelope: Envelope, client_request_id: str | None = None
    ) -> ChainPlan:
        """What a request becomes, without a run id, before its addresses are judged.

        A refusal names all that can be known to be wrong without asking anybody.
        """
        request = RunRequest(
            run_id="",
            caller=caller.id,
            created_at=datetime.now(UTC),
            input=envelope.input,
            metadata=envelope.metadata,
            webhook_url=envelope.webhook_url,
            client_request_id=client_request_id,
            options=envelope.options,
        )
        refusals = Refusals()
        with refusals.gathered():
            envelope.refuse_if_faulty()
        with refusals.gathered():
            plan = plan_run(template, request, self.catalogue)
            if not refusals.errors:
                return plan
            refuse_over_max_cost(plan)
        with refusals.gathered():
            self.addresses.check_spelling(envelope.input)
        with refusals.gathered():
            self.addresses.check_callback(envelope.webhook_url)
        raise refusals.together()

    async def settle(self, plan: ChainPlan) -> ChainPlan:
        """The plan with its addresses judged and its limit kept: the checks of a create that ask somebody else.

        DNS comes last: nothing is asked of it for a request that is refused anyway.
        """
        refusals = Refusals()
        with refusals.gathered():
            plan = await self.addresses.settle(plan)
        with refusals.gathered():
            self.addresses.check_callback(plan.webhook_url)
        with refusals.gathered():
            refuse_over_max_cost(plan)
        if refusals.errors:
            raise refusals.together()
        await self.addresses.resolve(plan)
        return plan

    async def get(self, run_id: str, caller: Caller) -> Json:
        return await self._whole(await self.own(run_id, caller))

    async def get_later(self, run_id: str, caller: Caller, seconds: int) -> Json | None:
        """The run at its end, or as it is after so many seconds; None where this caller has too many calls waiting.

        Giving up the wait stops nothing.
        """
        run = await self.own(run_id, caller)
        if run.snapshot.status.ended:
            return await self._whole(run)
        try:
            with self.listeners.one_more(caller.id):
                await self._until_end(run_id, seconds)
        except LimitError:
            return None
        return await self._whole(await self.own(run_id, caller))

    async def cancel(self, run_id: str, caller: Caller) -> Json:
        """Ask the run to stop and wait a moment for its end. A run that has ended stays as it is."""
        run = await self.own(run_id, caller)
        if run.snapshot.status.ended:
            return await self._whole(run)
        try:
            await self.client.get_workflow_handle(run_id).signal("cancel", CancelRequested(), rpc_timeout=_RPC)
            await self._until_end(run_id, CANCEL_WAIT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        log.info("run_cancel_asked", run_id=run_id, caller=caller.id)
        return await self._shown(await self.own(run_id, caller))

    async def own(self, run_id: str, caller: Caller) -> StoredRun:
        """Another caller's run and one that never was are the same answer."""
        run = await self._find(run_id)
        if run is None or run.plan.caller != caller.id:
            raise RequestError("There is no such run.", code="run_not_found")
        return run

    async def report(self, token: AttemptToken, notice: Notice) -> None:
        """Hand a provider's webhook to its run. A run that has ended is told nothing."""
        status = notice.status if notice.ended else ALIVE
        if not notice.ended and await self._learns_job(token):
            return
        report = ProviderReported(step=token.step, attempt=token.attempt, job_id=notice.job_id, status=status)
        identity = f"{token.run_id}:{token.step}:{token.attempt}:{status}"
        payloads = await self.client.data_converter.encode([report])
        try:
            # The raw call: a request id of our own lets the server drop what was reported before.
            await self.client.workflow_service.signal_workflow_execution(
                SignalWorkflowExecutionRequest(
                    namespace=self.client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=token.run_id),
                    signal_name="provider_reported",
                    input=Payloads(payloads=payloads),
                    identity=self.client.identity,
                    request_id=hashlib.sha256(identity.encode()).hexdigest()[:32],
                ),
                retry=True,
                timeout=timedelta(seconds=3),
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    # ---- inside -----------------------------------------------------------------------------------------------

    async def _take(self, plan: ChainPlan, caller: Caller, key: str | None) -> bool:
        """What the run may cost, and its pictures: both, or neither. Whether an amount was set aside."""
        held = await self.budgets.hold(plan, caller)
        try:
            await self.claims.hold_pictures(plan)
        except (RequestError, UnavailableError):
            await self._give_back(plan, key, held=held)
            raise
        return held

    async def _give_back(self, plan: ChainPlan, key: str | None, *, held: bool) -> None:
        """This call has not started the run. Under a key another one may have, and may yet."""
        if held and (key is None or await self._find(plan.run_id) is None):
            await self.budgets.give_back(plan)
        if key is None:
            # The pictures of a keyed run are the same ones whenever it is asked for: they wait for the repeat.
            await self.claims.let_go(plan)

    async def _start(self, plan: ChainPlan, snapshot: Snapshot, prints: dict[str, str]) -> None:
        longest = timedelta(seconds=plan.deadline) + LAST_RESORT
        await self.client.start_workflow(
            plan.template,
            plan,
            id=plan.run_id,
            task_queue=self.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            execution_timeout=longest,
            memo={"fingerprint": prints, "v": snapshot.v, "snapshot": snapshot},
            search_attributes=_search_attributes(plan),
            static_summary=summary(plan),
            rpc_timeout=_RPC,
        )

    async def _find(self, run_id: str) -> StoredRun | None:
        """From Temporal while it keeps the run, from the archive after that."""
        if (run := await self.reader.read(run_id)) is not None:
            return run
        if (archived := await self.archive.get(run_id)) is None:
            return None
        run = read_archived(archived)
        return replace(run, fingerprint=self.fingerprints.of(run.plan))

    async def _until_end(self, run_id: str, seconds: float) -> None:
        """Wait for the workflow's end, at most so long. The server holds the call: nothing is polled."""
        with suppress(TimeoutError, WorkflowFailureError):
            async with asyncio.timeout(seconds):
                await self.client.get_workflow_handle(run_id).result()

    async def _learns_job(self, token: AttemptToken) -> bool:
        """Whether the run knows its job, now or in a moment.

        A report that a job lives is news only where the submit's answer was lost, and each one costs four history
        events. The first comes about when that answer does, so it waits for it.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_WAIT):
                while not await self._knows_job(token):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)  # the memo of a run is elsewhere: nothing here could wake us
                return True
        return False

    async def _knows_job(self, token: AttemptToken) -> bool:
        run = await self.reader.read(token.run_id)
        if run is None or run.snapshot.status.ended:
            return True
        attempts = [attempt for step in run.snapshot.steps if step.key == token.step for attempt in step.attempts]
        return any(attempt.n == token.attempt and attempt.job for attempt in attempts)

    async def _replayed(self, run: StoredRun, prints: dict[str, str]) -> Json:
        refuse_conflict(run.fingerprint, prints)
        return await self._whole(run)

    async def _whole(self, run: StoredRun) -> Json:
        """What the run says of itself, and of one that has ended what the database says: which runs retried it."""
        shown = await self._shown(run)
        if run.snapshot.status.ended and (retried := await self.retry_links.of(run.plan.run_id)):
            shown["retried_by"] = retried
        return shown

    async def _shown(self, run: StoredRun) -> Json:
        return run_resource(run.plan, run.snapshot, self.asset_url) | await self._outlook.of(run)


def _search_attributes(plan: ChainPlan) -> TypedSearchAttributes:
    first = plan.steps[0].candidates[0]
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(names.CALLER, plan.caller),
        SearchAttributePair(names.TEMPLATE, plan.template),
        SearchAttributePair(names.STATUS, str(RunStatus.QUEUED)),
        SearchAttributePair(names.MODEL, first.model),
        SearchAttributePair(names.PROVIDER, first.provider),
    ]
    if plan.client_request_id:
        pairs.append(SearchAttributePair(names.REQUEST, plan.client_request_id))
    if tags := plan.tags:
        pairs.append(SearchAttributePair(names.TAGS, tags))
    if scalars := metadata_pairs(plan.metadata):
        pairs.append(SearchAttributePair(names.METADATA, scalars))
    return TypedSearchAttributes(pairs)
