"""Write an ended run down, once: in the archive and in the ledger."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from pydantic import TypeAdapter

from domain.callbacks import RUN_COMPLETED
from domain.errors import UnavailableError
from domain.labels import labels_of
from domain.ledger import attempt_records
from domain.plan import ChainPlan
from domain.resources import run_resource
from domain.runs import Snapshot
from storage.archive import Archive, ArchivedRun
from storage.deletion import Removals
from storage.lookups import Lookups
from temporal.reading import RunReader, StoredRun

log = structlog.get_logger("babychain.endings")

PLAN = TypeAdapter(ChainPlan)
SNAPSHOT = TypeAdapter(Snapshot)


@dataclass(frozen=True)
class Archiver:
    runs: RunReader
    archive: Archive
    removals: Removals
    lookups: Lookups
    asset_url: Callable[[str, datetime], str]

    async def write(self, run_id: str) -> ArchivedRun | None:
        """The run as it is archived. The first write stands: a repeat changes nothing. None: it is gone."""
        if (written := await self.archive.get(run_id)) is not None:
            return written
        run = await self.runs.read(run_id)
        if run is None or not run.snapshot.status.ended:
            return None
        if run.plan.client_request_id:
            await self.lookups.note_request(run_id, run.plan.client_request_id)
        ended = self._record(run)
        first = await self.archive.put(
            ended,
            attempt_records(run.plan, run.snapshot),
            run.plan.tags,
            labels_of(run.plan, run.snapshot),
            run.plan.retry.run_id if run.plan.retry else None,
        )
        if await self.removals.is_deleted(run_id):
            # Deleted meanwhile. The mark comes before the taking away, so one of the two has seen the other.
            await self.removals.purge(run_id)
            return None
        if first:
            log.info("run_archived", run_id=run_id, status=ended.status)
            return ended
        written = await self.archive.get(run_id)
        if written is None:
            raise UnavailableError("The archive lost what was just written.", code="database_unreachable")
        return written

    def _record(self, run: StoredRun) -> ArchivedRun:
        plan, snapshot = run.plan, run.snapshot
        return ArchivedRun(
            run_id=plan.run_id,
            caller=plan.caller,
            template=plan.template,
            status=str(snapshot.status),
            created_at=plan.created_at,
            ended_at=snapshot.ended or snapshot.updated,
            plan=PLAN.dump_json(plan).decode(),
            snapshot=SNAPSHOT.dump_json(snapshot).decode(),
            callback_body=self._body(plan, snapshot) if plan.tells(RUN_COMPLETED) else None,
        )

    def _body(self, plan: ChainPlan, snapshot: Snapshot) -> bytes:
        """The public resource, compact: exactly what GET shows at this moment."""
        now = datetime.now(UTC)
        return compact(run_resource(plan, snapshot, lambda asset: self.asset_url(asset, now)))


def compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def assets_of(plan: ChainPlan, snapshot: Snapshot) -> list[str]:
    """Every asset that a run was given, handed on, or made. A retry was given those of the steps it does not repeat."""
    given = [ref.asset for step in plan.steps for ref in step.inputs if ref.asset]
    given += [asset for step in plan.steps if step.reused for asset in step.reused.outputs]
    used = [name for step in snapshot.steps for name in (*step.inputs, *step.outputs) if "://" not in name]
    return list(dict.fromkeys([*given, *used]))
