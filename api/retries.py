"""Retry an ended run from a step on: a new run that reuses what the steps before have made."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from api.callers import Caller
from api.requests import Envelope, read_idempotency_key
from api.runs import Runs
from domain.chains import ChainTemplate
from domain.errors import ConflictError, UnavailableError
from domain.findings import Refusals
from domain.plan import ChainPlan, Retry, RunOptions
from domain.retrying import changed_input, first_undone, kept_steps, reuse
from storage.assets import Assets

log = structlog.get_logger("babychain.runs")

Json = dict[str, Any]

_INHERITED = ("fallbacks", "max_cost", "webhook_events")
"""Not `resubmit_unknown`: a risk that the caller took once is not taken again in silence."""


@dataclass(frozen=True)
class RetryRequest:
    """`envelope.input` holds the changes. What stands beside it stays the earlier run's unless it is named."""

    envelope: Envelope
    from_step: str | None
    named: frozenset[str]
    """The keys of the body."""

    def completed(self, earlier: ChainPlan, input: Json) -> Envelope:
        return replace(
            self.envelope,
            input=input,
            metadata=self.envelope.metadata if "metadata" in self.named else earlier.metadata,
            webhook_url=self.envelope.webhook_url if "webhook_url" in self.named else earlier.webhook_url,
            options=self._options(earlier.options),
            faults=self.envelope.faults,
        )

    def _options(self, earlier: RunOptions) -> RunOptions:
        kept = {name: getattr(earlier, name) for name in _INHERITED if name not in self.named}
        return replace(self.envelope.options, **kept)


@dataclass(frozen=True)
class Retries:
    runs: Runs
    templates: Mapping[str, ChainTemplate]
    assets: Assets

    async def retry(
        self,
        run_id: str,
        caller: Caller,
        request: RetryRequest,
        idempotency_key: str | None,
        client_request_id: str | None,
    ) -> Json:
        plan = await self.plan(run_id, caller, request, client_request_id)
        key = read_idempotency_key(idempotency_key)
        run = await self.runs.launch(plan, caller, f"retry:{run_id}", key)
        try:
            await self.runs.retry_links.add(run_id, run["id"], plan.created_at)
        except UnavailableError:
            # The run is started: told that it is not, its caller would start another. Archiving it adds the link.
            log.warning("retry_not_linked", run_id=run["id"])
        return run

    async def plan(
        self, run_id: str, caller: Caller, request: RetryRequest, client_request_id: str | None = None
    ) -> ChainPlan:
        run = await self.runs.own(run_id, caller)
        if not run.snapshot.status.ended:
            raise ConflictError("This run is still going on; cancel it, or wait for its end.", code="run_not_ended")
        if run.plan.template not in self.templates:
            raise ConflictError("This chain is no longer offered here.", code="chain_version_changed")
        from_step = request.from_step or first_undone(run.plan, run.snapshot)
        refusals = Refusals()
        with refusals.gathered():
            request.envelope.refuse_if_faulty()
        with refusals.gathered():
            kept = kept_steps(run.plan, run.snapshot, from_step)
            envelope = request.completed(run.plan, changed_input(run.plan, request.envelope.input, kept))
            planned = self.runs.plan(self.templates[run.plan.template], caller, envelope, client_request_id)
        if refusals.errors:
            raise refusals.together()
        planned = reuse(planned, run.plan, run.snapshot, Retry(run_id, from_step), kept)
        await self._refuse_swept(planned)
        return planned

    async def _refuse_swept(self, plan: ChainPlan) -> None:
        for step in plan.steps:
            for asset in step.reused.outputs if step.reused else ():
                if await self.assets.facts(asset) is None:
                    raise ConflictError(
                        f"What {step.key} made is no longer stored; retry from {step.key}, or start a new run.",
                        code="output_not_available",
                        facts={"step": step.key},
                    )
