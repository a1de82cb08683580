"""A run whose plan nobody can read any more keeps no other from being finished."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from domain.runs import RunStatus, first_snapshot
from storage.archive import Archive
from storage.database import open_database
from temporal import names
from tests.support.bodies import drawn
from tests.support.service import Service, running_service
from tests.support.waiting import eventually


async def close_a_run_that_nobody_can_read(service: Service) -> None:
    handle = await service.client.start_workflow(
        "chain1",
        {"written": "by a version that is long gone"},
        id=str(uuid4()),
        task_queue=service.task_queue,
        memo={"snapshot": first_snapshot(("image",), datetime.now(UTC))},
        search_attributes=TypedSearchAttributes(
            [SearchAttributePair(names.TEMPLATE, "chain1"), SearchAttributePair(names.STATUS, RunStatus.QUEUED)]
        ),
    )
    await handle.terminate("by an operator")


async def test_a_run_that_can_not_be_read_holds_up_no_other(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        # Whichever the list shows first.
        await close_a_run_that_nobody_can_read(service)
        run = await service.create("chain1", drawn("ended from outside"))
        await service.client.get_workflow_handle(run["id"]).terminate("by an operator")
        await close_a_run_that_nobody_can_read(service)

        async def closed() -> int:
            query = f'TaskQueue = "{service.task_queue}" AND ExecutionStatus = "Terminated"'
            return (await service.client.count_workflows(query)).count

        await eventually(closed, lambda count: count == 3)
        archive = Archive(engine := open_database(service.settings.archive_url))
        async with service.worker():
            await service.client.execute_workflow(names.SWEEP, id=f"sweep-{uuid4()}", task_queue=service.task_queue)
            assert await eventually(lambda: archive.get(run["id"]), lambda found: found is not None)
        await engine.dispose()
