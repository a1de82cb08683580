"""What happens once a run has ended: the archive, the callback, and the request that closes a canceled workflow."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import structlog
from pydantic import TypeAdapter
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.callbacks import signed_headers
from activities.calls import Delivery
from domain.errors import UnavailableError
from domain.ledger import attempt_records
from domain.plan import ChainPlan
from domain.resources import run_resource
from domain.runs import Snapshot
from net.paid import retry_after
from storage.archive import Archive, ArchivedRun
from temporal.reading import RunReader

log = structlog.get_logger("babychain.endings")

_PLAN = TypeAdapter(ChainPlan)
_SNAPSHOT = TypeAdapter(Snapshot)


@dataclass
class EndingActivities:
    client: Client
    runs: RunReader
    archive_store: Archive
    http: httpx.AsyncClient
    asset_url: Callable[[str], str]
    callback_secret: str

    @activity.defn(name="archive")
    async def archive(self, run_id: str) -> None:
        """Write the ended run down. The first write stands: a repeat changes nothing."""
        await self._write(run_id)

    @activity.defn(name="deliver")
    async def deliver(self, run_id: str) -> Delivery:
        """Send the run's callback once, archiving the run first where that is still to do.

        A repeat sends the same bytes with the same id, freshly signed: they are the archive's.
        """
        archived = await self.archive_store.get(run_id) or await self._write(run_id)
        url = _PLAN.validate_json(archived.plan).webhook_url
        if url is None or archived.callback_body is None:
            raise ApplicationError(f"Run {run_id} has no callback address.", non_retryable=True)
        delivery = await self._post(url, run_id, archived.callback_body)
        log.info("callback_sent", run_id=run_id, delivered=delivery.delivered, status=delivery.status)
        return delivery

    @activity.defn(name="request_cancel")
    async def request_cancel(self, run_id: str) -> None:
        """Ask for the cancellation that lets a canceled run close as Canceled. Safe to repeat."""
        await self.client.get_workflow_handle(run_id).cancel()

    async def _write(self, run_id: str) -> ArchivedRun:
        run = await self.runs.read(run_id)
        if run is None:
            raise ApplicationError(f"Run {run_id} is not in Temporal.", non_retryable=True)
        plan, snapshot = run.plan, run.snapshot
        ended = ArchivedRun(
            run_id=run_id,
            caller=plan.caller,
            template=plan.template,
            status=str(snapshot.status),
            created_at=plan.created_at,
            ended_at=snapshot.ended or snapshot.updated,
            plan=_PLAN.dump_json(plan).decode(),
            snapshot=_SNAPSHOT.dump_json(snapshot).decode(),
            callback_body=self._body(plan, snapshot) if plan.webhook_url else None,
        )
        if await self.archive_store.put(ended, attempt_records(plan, snapshot), plan.tags):
            log.info("run_archived", run_id=run_id, status=ended.status)
            return ended
        written = await self.archive_store.get(run_id)
        if written is None:
            raise UnavailableError("The archive lost what was just written.", code="database_unreachable")
        return written

    def _body(self, plan: ChainPlan, snapshot: Snapshot) -> bytes:
        """The public resource, compact: exactly what GET shows at this moment."""
        resource = run_resource(plan, snapshot, self.asset_url)
        return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()

    async def _post(self, url: str, run_id: str, body: bytes) -> Delivery:
        headers = signed_headers(self.callback_secret, run_id, body, datetime.now(UTC))
        try:
            async with self.http.stream("POST", url, content=body, headers=headers) as response:
                status = response.status_code
                wait = retry_after(response.headers)
        except httpx.HTTPError as error:
            return Delivery(delivered=False, error=type(error).__name__)
        return Delivery(delivered=200 <= status < 300, status=status, gone=status == 410, retry_after=wait)
