"""What the minute's sweep mends: runs that were ended from outside, and media that are past their time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from temporalio import activity
from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    ScheduleOverlapPolicy,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.sweeping import SweepActivities
from sandbox.config import Config
from storage.database import open_database
from storage.deletion import Removals, What
from temporal import names
from temporal.reading import RunReader
from temporal.schedules import ensure_sweep
from tests.support.bodies import drawn
from tests.support.service import Json, Service, path_of, running_service
from tests.support.waiting import eventually
from workflows.sweep import SweepWorkflow

SLOW = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=300, media="tiny")


async def sweep(service: Service) -> None:
    """One pass, as the Schedule starts it."""
    schedule_id = await ensure_sweep(service.client, service.task_queue)
    handle = service.client.get_schedule_handle(schedule_id)
    before = (await handle.describe()).info.num_actions
    await handle.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)

    async def passes() -> list[str]:
        described = await handle.describe()
        if described.info.num_actions == before:
            return ["not started"]
        actions = [result.action for result in described.info.recent_actions]
        started = [action.workflow_id for action in actions if isinstance(action, ScheduleActionExecutionStartWorkflow)]
        return [str((await service.client.get_workflow_handle(one).describe()).status) for one in started]

    try:
        await eventually(passes, lambda states: all(state == "2" for state in states))
    finally:
        await handle.delete()


async def terminated(service: Service, run_id: str) -> None:
    await eventually(lambda: service.get(run_id), lambda run: run["status"] == "running")
    await service.client.get_workflow_handle(run_id).terminate("by an operator")


async def closed_without_a_word(service: Service, count: int) -> None:
    """Until the list, which is a moment behind, shows them."""
    query = f'TaskQueue = "{service.task_queue}" AND ExecutionStatus = "Terminated"'

    async def look() -> int:
        return (await service.client.count_workflows(query)).count

    await eventually(look, lambda seen: seen >= count)


async def test_a_terminated_run_is_archived_and_its_caller_told_once(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, config=SLOW) as service:
        run = await service.create("chain1", drawn("terminated", webhook_url=service.hook))
        await terminated(service, run["id"])
        await closed_without_a_word(service, 1)
        await sweep(service)
        [call] = await service.callbacks(run["id"])
        told: Json = json.loads(call.body)
        assert (told["status"], told["error"]["code"]) == ("failed", "run_terminated")
        assert [step["status"] for step in told["steps"]] == ["failed", "skipped"]
        assert told == await service.get(run["id"])
        await sweep(service)
        await service.client.get_workflow_handle(names.after_run_id(run["id"])).result()
        assert len(service.receiver.calls) == 1


async def test_an_after_run_that_was_ended_is_started_again(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        service.receiver.answers = [500]
        run = await service.create("chain1", drawn("lost its ending", webhook_url=service.hook))
        async with service.worker():
            await service.callbacks(run["id"])
        after = service.client.get_workflow_handle(names.after_run_id(run["id"]))
        await after.terminate("by an operator")
        await forget(service, run["id"])
        await closed_without_a_word(service, 1)
        async with service.worker():
            await sweep(service)
            await eventually(lambda: count_of(service, run["id"]), lambda count: count == 1)
            first, second, *_ = await service.callbacks(run["id"], 2)
        assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def forget(service: Service, run_id: str) -> None:
    engine = open_database(service.settings.archive_url)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM runs WHERE run_id = :id"), {"id": run_id})
    await engine.dispose()


async def count_of(service: Service, run_id: str) -> int:
    engine = open_database(service.settings.archive_url)
    async with engine.connect() as connection:
        query = text("SELECT count(*) FROM runs WHERE run_id = :id")
        found = (await connection.execute(query, {"id": run_id})).scalar_one()
    await engine.dispose()
    return int(found)


async def test_a_run_that_ended_well_is_left_alone(service: Service) -> None:
    run = await service.create("chain1", drawn("well", webhook_url=service.hook))
    await service.callbacks(run["id"])
    await sweep(service)
    assert len(await service.callbacks(run["id"])) == 1


async def test_the_schedule_is_made_once_and_keeps_an_operators_pause(temporal: Client) -> None:
    schedule_id = await ensure_sweep(temporal, "nobody-listens")
    handle = temporal.get_schedule_handle(schedule_id)
    await handle.pause(note="maintenance")
    assert await ensure_sweep(temporal, "nobody-listens") == schedule_id
    described = await handle.describe()
    assert described.schedule.state.paused
    assert described.schedule.state.note == "maintenance"
    await handle.delete()


async def test_old_media_go_and_the_run_stays_readable(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, retention_days=30) as service:

        async def made() -> Json:
            run = await service.succeeded((await service.create("chain1", drawn("kept for a month")))["id"])
            await eventually(lambda: count_of(service, run["id"]), lambda count: count == 1)
            return run

        async def statuses(run: Json) -> set[int]:
            urls = [url for step in run["steps"] for url in step["generation_output_file"]]
            return {(await service.anyone.get(path_of(url))).status_code for url in urls}

        old = await made()
        await sweep(service)
        assert await statuses(old) == {200}
        await age(service, old["id"], timedelta(days=31))
        await sweep(service)
        assert await statuses(old) == {404}
        assert (await service.get(old["id"]))["status"] == "succeeded"
        young = await made()
        await sweep(service)
        assert await statuses(young) == {200}


async def age(service: Service, run_id: str, by: timedelta) -> None:
    engine = open_database(service.settings.archive_url)
    async with engine.begin() as connection:
        then = (datetime.now(UTC) - by).strftime("%Y-%m-%d %H:%M:%S.%f")
        change = text("UPDATE runs SET ended_at = :then WHERE run_id = :id")
        await connection.execute(change, {"then": then, "id": run_id})
    await engine.dispose()


async def test_runs_that_are_done_with_do_not_hide_others_from_the_sweep(temporal: Client, tmp_path: Path) -> None:
    """The list goes on showing every run that was closed from outside, those that were finished first of all."""
    async with running_service(temporal, tmp_path, worker=False) as service:
        runs = [await service.create("chain1", drawn(f"one of many {number}")) for number in range(3)]
        for run in runs:
            await service.client.get_workflow_handle(run["id"]).terminate("by an operator")
        await closed_without_a_word(service, 3)
        engine = open_database(service.settings.archive_url)
        removals = Removals(engine)
        shown = [
            found.id
            async for found in service.client.list_workflows(f'TaskQueue = "{service.task_queue}"')
            if found.id in {run["id"] for run in runs}
        ]
        for finished in shown[:2]:
            await removals.mark(finished, What.RUN, datetime.now(UTC))
        sweeping = SweepActivities(service.client, RunReader(service.client), removals, service.task_queue, page=1)
        assert await sweeping.finish_runs() == 1
        after = await service.client.get_workflow_handle(names.after_run_id(shown[2])).describe()
        assert after.status is WorkflowExecutionStatus.RUNNING
        await engine.dispose()


async def test_media_are_swept_even_where_the_runs_can_not_be_finished(temporal: Client) -> None:
    swept: list[str] = []

    @activity.defn
    async def finish_runs() -> int:
        raise ApplicationError("the list does not answer")

    @activity.defn
    async def sweep_media() -> int:
        swept.append("media")
        return 1

    queue = f"test-{uuid4()}"
    async with Worker(temporal, task_queue=queue, workflows=[SweepWorkflow], activities=[finish_runs, sweep_media]):
        with pytest.raises(WorkflowFailureError):
            await temporal.execute_workflow(names.SWEEP, id=f"sweep-{queue}", task_queue=queue)
    assert swept == ["media"]
