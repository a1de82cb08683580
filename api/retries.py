"""Retry an ended run from a step on: a new run that reuses what the steps before have made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.callers import Caller
from api.requests import Envelope, read_idempotency_key
from api.runs import Runs
from domain.chains import ChainTemplate
from domain.errors import ConflictError
from domain.plan import ChainPlan, Retry
from domain.retrying import changed_input, first_undone, kept_steps, reuse
from storage.assets import Assets

Json = dict[str, Any]


@dataclass(frozen=True)
class RetryRequest:
    """`envelope.input` holds the changes; metadata and callback address stay the earlier run's where none are given."""

    envelope: Envelope
    from_step: str | None
    keeps_metadata: bool
    keeps_webhook: bool


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
        await self.runs.retry_links.add(run_id, run["id"], plan.created_at)
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
        kept = kept_steps(run.plan, run.snapshot, from_step)
        envelope = Envelope(
            input=changed_input(run.plan, request.envelope.input, kept),
            metadata=run.plan.metadata if request.keeps_metadata else request.envelope.metadata,
            webhook_url=run.plan.webhook_url if request.keeps_webhook else request.envelope.webhook_url,
            options=request.envelope.options,
        )
        planned = self.runs.plan(self.templates[run.plan.template], caller, envelope, client_request_id)
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
