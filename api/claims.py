"""What deletion means for a run that is to start: its key must not be a deleted run's, and its pictures must stay."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.errors import ConflictError, Fault, RequestError, UnavailableError
from domain.plan import ChainPlan
from storage.asset_uses import AssetUses
from storage.deletion import Removals

_BEFORE_ANY_UPLOAD = datetime.min.replace(tzinfo=UTC)


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
        for step, asset in _pictures(plan):
            if not await self.uses.claim(asset, plan.run_id):
                message = "uses a picture that was deleted: upload it again, or run its step anew"
                fault = Fault(("input", f"{step}_params"), message)
                raise RequestError("An input picture is gone.", code="invalid_chain_input", faults=[fault])

    async def let_go(self, plan: ChainPlan) -> None:
        """The run was not started after all. Where the store does not answer, its pictures stay held."""
        with suppress(UnavailableError):
            for _, asset in _pictures(plan):
                # An upload, however old, is not taken away because a run that would have used it was refused.
                await self.uses.release(asset, plan.run_id, _BEFORE_ANY_UPLOAD)


def _pictures(plan: ChainPlan) -> Iterator[tuple[str, str]]:
    """What the run is given before it starts, and the step that is given it."""
    for step in plan.steps:
        taken_over = step.reused.outputs if step.reused else ()
        for asset in (*(ref.asset for ref in step.inputs if ref.asset), *taken_over):
            yield step.key, asset
