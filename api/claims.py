"""What deletion means for a run that is to start: its key must not be a deleted run's, and its pictures must stay."""

from dataclasses import dataclass

from domain.errors import ConflictError, Fault, RequestError
from domain.plan import ChainPlan
from storage.asset_uses import AssetUses
from storage.deletion import Removals


@dataclass(frozen=True)
class Claims:
    removals: Removals
    uses: AssetUses

    async def refuse_deleted(self, run_id: str) -> None:
        """A second run under a deleted one's id would meet that one's jobs at the providers."""
        if await self.removals.is_deleted(run_id):
            raise ConflictError("The run of this Idempotency-Key was deleted; use another key.", code="run_deleted")

    async def hold_pictures(self, plan: ChainPlan) -> None:
        """Hold the run's own pictures before it starts, so that deleting another run does not take them away."""
        for step in plan.steps:
            taken_over = step.reused.outputs if step.reused else ()
            for asset in (*(ref.asset for ref in step.inputs if ref.asset), *taken_over):
                if not await self.uses.claim(asset, plan.run_id):
                    message = "uses a picture that was deleted: upload it again, or run its step anew"
                    fault = Fault(("input", f"{step.key}_params"), message)
                    raise RequestError("An input picture is gone.", code="invalid_chain_input", faults=[fault])
