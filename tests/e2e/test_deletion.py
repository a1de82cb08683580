"""Deleting a run: what goes, what stays, and what belongs to others."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from obstore.store import LocalStore
from sqlalchemy import text
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.calls import AfterRun
from activities.deletion import DeletionActivities
from domain.media import MediaKind
from sandbox.config import Config
from storage.archive import Archive
from storage.asset_uses import AssetUses
from storage.assets import Assets
from storage.database import open_database, upgrade
from storage.deletion import Removals, What
from temporal import names
from tests.support.archived import ended_run, put_away
from tests.support.bodies import drawn, restyled
from tests.support.pictures import jpeg
from tests.support.service import Json, Service, path_of, running_service
from tests.support.waiting import eventually


async def delete(service: Service, run_id: str) -> None:
    """Until it is gone: a server may take half a minute to delete an execution."""
    answer = await service.api.delete(f"/api/v1/chains/runs/{run_id}")
    assert answer.status_code in (202, 204), answer.text
    await eventually(
        lambda: service.api.get(f"/api/v1/chains/get/{run_id}"), lambda read: read.status_code == 404, longest=120
    )
    await service.client.get_workflow_handle(names.deletion_id(run_id)).result()


async def gone(service: Service, run_id: str) -> None:
    answer = await service.api.get(f"/api/v1/chains/get/{run_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "run_not_found")


async def rows(service: Service, query: str, **values: str) -> int:
    engine = open_database(service.settings.archive_url)
    async with engine.connect() as connection:
        found = (await connection.execute(text(query), values)).scalar_one()
    await engine.dispose()
    return int(found)


def holding(folder: Path, words: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


async def test_no_word_of_a_deleted_run_is_left_and_its_cost_is(
    temporal: Client, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    prompt = f"a secret lantern {uuid4()}"
    config = Config(url="http://127.0.0.1:0", second_port=0, media="tiny")
    async with running_service(temporal, tmp_path, config=config) as service:
        body = drawn(prompt, webhook_url=service.hook, metadata={"order": prompt, "tags": [prompt]})
        run = await service.succeeded((await service.create("chain1", body))["id"])
        await service.callbacks(run["id"])
        run_id = run["id"]
        await eventually(
            lambda: service.api.get(f"/api/v1/chains/runs/{run_id}/deliveries"),
            lambda answer: bool(answer.json()["data"]),
        )
        assert holding(tmp_path, prompt.encode())
        await delete(service, run_id)

        await gone(service, run_id)
        assert holding(tmp_path, prompt.encode()) == []
        for execution in (run_id, names.after_run_id(run_id)):
            with pytest.raises(RPCError) as caught:
                await temporal.get_workflow_handle(execution).describe()
            assert caught.value.status is RPCStatusCode.NOT_FOUND
        left = [execution async for execution in temporal.list_workflows(f'WorkflowId STARTS_WITH "{run_id}"')]
        assert left == []
        deletion = await temporal.get_workflow_handle(names.deletion_id(run_id)).fetch_history()
        assert prompt not in deletion.to_json()
        for url in [url for step in run["steps"] for url in step["generation_output_file"]]:
            assert (await service.anyone.get(path_of(url))).status_code == 404
        assert await rows(service, "SELECT count(*) FROM attempts WHERE run_id = :id", id=run_id) == 2
        for table in ("runs", "run_tags", "run_requests", "deliveries"):
            assert await rows(service, f"SELECT count(*) FROM {table} WHERE run_id = :id", id=run_id) == 0  # noqa: S608
    said = capfd.readouterr()
    assert prompt not in said.out + said.err


async def test_a_live_run_is_not_deleted(temporal: Client, tmp_path: Path) -> None:
    slow = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=300, media="tiny")
    async with running_service(temporal, tmp_path, config=slow) as service:
        run = await service.create("chain1", drawn("alive"))
        answer = await service.api.delete(f"/api/v1/chains/runs/{run['id']}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "run_active")
        assert "cancel" in answer.json()["error"]["message"]
        await service.cancel(run["id"])
        assert (await service.ended(run["id"]))["status"] == "canceled"
        await delete(service, run["id"])
        await gone(service, run["id"])


async def test_only_the_caller_of_a_run_deletes_it(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("mine")))["id"])
    answer = await service.other.delete(f"/api/v1/chains/runs/{run['id']}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "run_not_found")
    assert (await service.get(run["id"]))["status"] == "succeeded"


def pictures(run: Json) -> list[str]:
    return [path_of(url) for step in run["steps"] for url in step.get("generation_output_file", [])]


async def test_a_picture_that_another_run_shares_survives(temporal: Client, tmp_path: Path) -> None:
    """The sandbox makes the same bytes for both runs, so they share every file."""
    async with running_service(temporal, tmp_path) as service:
        first, second = [
            await service.succeeded((await service.create("chain1", drawn("shared")))["id"]) for _ in range(2)
        ]
        assert set(pictures(first)) == set(pictures(second))
        await archived(service, first["id"], second["id"])
        await delete(service, first["id"])
        for url in pictures(second):
            assert (await service.anyone.get(url)).status_code == 200
        await delete(service, second["id"])
        for url in pictures(second):
            assert (await service.anyone.get(url)).status_code == 404


async def archived(service: Service, *run_ids: str) -> None:
    for run_id in run_ids:
        await eventually(
            lambda run_id=run_id: rows(service, "SELECT count(*) FROM runs WHERE run_id = :id", id=run_id),  # type: ignore[misc]
            lambda count: count == 1,
        )


async def test_deleting_twice_at_once_is_deleting_once(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("twice")))["id"])
    answers = await asyncio.gather(*(service.api.delete(f"/api/v1/chains/runs/{run['id']}") for _ in range(3)))
    assert {answer.status_code for answer in answers} <= {204, 404}
    assert 204 in {answer.status_code for answer in answers}
    await gone(service, run["id"])


async def test_a_run_is_archived_before_it_goes_so_that_its_cost_is_known(temporal: Client, tmp_path: Path) -> None:
    """An operator ended the run's after-run before it could archive: deleting does it first."""
    async with running_service(temporal, tmp_path, worker=False) as service:
        run = await service.create("chain1", drawn("never archived"))
        async with service.worker():
            await service.succeeded(run["id"])
            await archived(service, run["id"])
        engine = open_database(service.settings.archive_url)
        async with engine.begin() as connection:
            for table in ("runs", "attempts"):
                await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608
        await engine.dispose()
        async with service.worker():
            await delete(service, run["id"])
        assert await rows(service, "SELECT count(*) FROM attempts WHERE run_id = :id", id=run["id"]) == 2
        assert await rows(service, "SELECT count(*) FROM runs WHERE run_id = :id", id=run["id"]) == 0


async def test_a_picture_that_a_living_run_has_made_survives(temporal: Client, tmp_path: Path) -> None:
    """The living run is in no archive yet: it claimed the picture when it brought it in."""
    async with running_service(temporal, tmp_path) as service:
        ended = await service.succeeded((await service.create("chain1", drawn("ended")))["id"])
        await service.sandbox.put_faults({"kind": "never_ends", "provider": "byteplus"})
        living = await service.create("chain1", drawn("living"))
        seen = await eventually(
            lambda: service.get(living["id"]), lambda run: "generation_output_file" in run["steps"][0]
        )
        assert pictures(seen)[0] in pictures(ended)
        await delete(service, ended["id"])
        assert (await service.anyone.get(pictures(seen)[0])).status_code == 200
        await service.cancel(living["id"])


async def test_an_uploaded_picture_stays_for_the_other_run_that_was_given_it(service: Service) -> None:
    form = {"file": ("boat.jpg", jpeg(f"uploaded {uuid4()}"), "image/jpeg")}
    upload = (await service.api.post("/api/v1/assets", files=form)).json()
    first, second = [
        await service.succeeded(
            (await service.create("chain2", restyled(f"{number}", source_image_url=upload["id"])))["id"]
        )
        for number in ("first", "second")
    ]
    await delete(service, first["id"])
    assert (await service.api.get(f"/api/v1/assets/{upload['id']}")).status_code == 200
    assert (await service.get(second["id"]))["steps"][0]["status"] == "succeeded"


async def test_the_key_of_a_deleted_run_starts_no_other(service: Service) -> None:
    """The run's id and the providers' idempotency keys come from it: a second run would meet the first one's jobs."""
    key = f"order-{uuid4()}"
    run = await service.succeeded((await service.create("chain1", drawn("keyed"), key))["id"])
    await delete(service, run["id"])
    answer = await service.api.post("/api/v1/chains/chain1/runs", json=drawn("keyed"), headers={"idempotency-key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "run_deleted")
    assert "another key" in answer.json()["error"]["message"]


class MetByALateArchive(Removals):
    """An archive that was just writing sees the mark, and takes back what it finds written."""

    async def mark(self, run_id: str, what: What, now: datetime) -> None:
        await super().mark(run_id, what, now)
        await self.purge(run_id)


async def test_an_archive_that_comes_late_makes_no_deletion_forget_the_files(temporal: Client, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'babychain.db'}"
    await upgrade(url)
    engine = open_database(url)
    store = LocalStore(tmp_path)
    plan, snapshot = ended_run("alice")

    async def chunks() -> AsyncIterator[bytes]:
        yield jpeg("left behind")

    facts = await Assets(store).add(chunks(), limit=1_000_000, kinds=frozenset({MediaKind.IMAGE}))
    assert await AssetUses(store).claim(facts.id, plan.run_id)
    snapshot.steps[0].outputs = [facts.id]
    archive = Archive(engine)
    await put_away(archive, plan, snapshot)
    await DeletionActivities(temporal, archive, MetByALateArchive(engine), AssetUses(store)).delete_run(plan.run_id)
    assert await Assets(store).facts(facts.id) is None
    await engine.dispose()


async def test_an_archive_that_comes_late_writes_nothing_of_a_deleted_run(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("late")))["id"])
    await archived(service, run["id"])
    engine = open_database(service.settings.archive_url)
    removals = Removals(engine)
    await removals.mark(run["id"], What.RUN, datetime.now(UTC))
    await removals.purge(run["id"])
    await engine.dispose()
    await service.client.execute_workflow(
        names.AFTER_RUN,
        AfterRun(run_id=run["id"], callback=False),
        id=f"late-{run['id']}",
        task_queue=service.task_queue,
    )
    assert await rows(service, "SELECT count(*) FROM runs WHERE run_id = :id", id=run["id"]) == 0
