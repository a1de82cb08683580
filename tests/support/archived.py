"""Ended runs put straight into a service's archive."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter
from temporalio.client import Client

from domain.labels import labels_of
from domain.ledger import attempt_records
from domain.plan import ChainPlan
from domain.runs import Attempt, AttemptOutcome, RunStatus, Snapshot, StepStatus, first_snapshot
from storage.archive import Archive, ArchivedRun
from storage.database import open_database
from temporal.reading import RunReader
from tests.support.plans import toy_plan

_PLAN = TypeAdapter(ChainPlan)
_SNAPSHOT = TypeAdapter(Snapshot)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Archive]:
    database = open_database(url)
    try:
        yield Archive(database)
    finally:
        await database.dispose()


async def plan_of(client: Client, run_id: str) -> ChainPlan:
    return await RunReader(client).plan(run_id)


def ended_run(
    caller: str,
    ended: datetime = YESTERDAY,
    status: RunStatus = RunStatus.SUCCEEDED,
    seconds: float = 10.0,
    run_id: str | None = None,
    **more: Any,
) -> tuple[ChainPlan, Snapshot]:
    """`more` are fields of the plan. Each step took `seconds`."""
    created = ended - timedelta(minutes=5)
    plan = replace(toy_plan(), created_at=created, caller=caller, run_id=run_id or str(uuid4()), **more)
    snapshot = first_snapshot(tuple(step.key for step in plan.steps), created)
    began = ended - timedelta(seconds=seconds)
    for planned, step in zip(plan.steps, snapshot.steps, strict=True):
        first = planned.candidates[0]
        step.status, step.started, step.ended = StepStatus(str(status)), began, ended
        step.attempts = [
            Attempt(1, first.model, first.provider, "A", AttemptOutcome(str(status)), started=began, ended=ended)
        ]
    return plan, replace(snapshot, status=status, current=str(status), started=began, ended=ended, updated=ended)


async def put_away(archive: Archive, plan: ChainPlan, snapshot: Snapshot) -> str:
    assert snapshot.ended is not None
    run = ArchivedRun(
        run_id=plan.run_id,
        caller=plan.caller,
        template=plan.template,
        status=str(snapshot.status),
        created_at=plan.created_at,
        ended_at=snapshot.ended,
        plan=_PLAN.dump_json(plan).decode(),
        snapshot=_SNAPSHOT.dump_json(snapshot).decode(),
    )
    await archive.put(run, attempt_records(plan, snapshot), plan.tags, labels_of(plan, snapshot))
    return plan.run_id
