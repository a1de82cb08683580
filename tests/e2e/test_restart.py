"""Every process of ours is replaced; runs, callbacks and keys are where they were."""

from pathlib import Path

from temporalio.client import Client

from temporal import names
from tests.support.bodies import drawn
from tests.support.runs import running_worker
from tests.support.service import bearer, path_of, running_service


async def test_a_run_goes_on_with_other_processes_than_those_that_took_it(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as before:
        created = await before.create("chain1", drawn("taken over"))
    async with running_service(temporal, tmp_path, worker=False) as after:
        assert (await after.get(created["id"]))["status"] == "queued"
        async with running_worker(after.client, after.settings, task_queue=before.task_queue):
            await after.succeeded(created["id"])
        assert await after.sandbox.paid_starts() == 2


async def test_runs_files_callbacks_and_keys_outlive_every_process_of_ours(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as before:
        made = await before.api.post("/api/v1/keys", json={"caller": "shop"})
        mine = bearer(made.json()["key"])
        body = drawn("still there", webhook_url=before.hook)
        created = await before.anyone.post("/api/v1/chains/chain1/runs", json=body, headers=mine)
        run_id = created.json()["id"]
        await before.callbacks(run_id)
        await before.client.get_workflow_handle(names.after_run_id(run_id)).result()

    async with running_service(temporal, tmp_path, worker=False) as after:
        run = (await after.anyone.get(f"/api/v1/chains/get/{run_id}", headers=mine)).json()
        assert run["status"] == "succeeded"
        for step in run["steps"]:
            [url] = step["generation_output_file"]
            assert (await after.anyone.get(path_of(url))).status_code == 200
        log = (await after.anyone.get(f"/api/v1/chains/runs/{run_id}/deliveries", headers=mine)).json()
        assert [delivery["status"] for delivery in log["data"]] == ["delivered"]
    stored = database_in(tmp_path)
    assert made.json()["prefix"].encode() in stored
    assert made.json()["key"].encode() not in stored


def database_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("babychain.db*"))
