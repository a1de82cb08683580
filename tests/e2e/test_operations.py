"""What operators ask about all runs at once, over HTTP."""

import pytest
from temporalio.client import Client

from tests.support.bodies import drawn
from tests.support.service import Service, bearer, running_service
from tests.support.waiting import eventually

SEARCH = "/api/v1/chains/runs/search"
CANCEL = "/api/v1/chains/runs/cancel"


async def test_words_of_a_prompt_find_its_callers_ended_runs_alone(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn('a "Möwe" under 50% sail')))["id"])

    async def found(words: str) -> list[str]:
        answer = await service.api.get(SEARCH, params={"words": words})
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["data"]]

    await eventually(lambda: found('"möwe" under 50%'), lambda ids: ids == [run["id"]])
    assert await found("50_ sail") == []
    assert await found("text_to_image_params") == []
    other = await service.other.get(SEARCH, params={"words": "Möwe"})
    assert other.json()["data"] == []


async def test_many_runs_are_counted_then_stopped_and_no_others(
    temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running_service(temporal, tmp_path_factory.mktemp("many"), worker=False) as service:
        meant = [await service.create("chain1", drawn("stop me", metadata={"tags": ["stop-me"]})) for _ in range(3)]
        spared = await service.create("chain1", drawn("spare me"))
        order = {"tag": ["stop-me"]}

        async def counted() -> int:
            answer = await service.api.post(CANCEL, json=order | {"dry_run": True})
            count: int = answer.json()["count"]
            return count

        await eventually(counted, lambda count: count == 3)
        assert (await service.other.post(CANCEL, json=order)).json()["count"] == 0
        asked = await service.api.post(CANCEL, json=order)
        assert (asked.status_code, asked.json()["count"]) == (202, 3)
        async with service.worker():
            assert {(await service.ended(run["id"]))["status"] for run in meant} == {"canceled"}
            await service.succeeded(spared["id"])


async def test_a_bulk_cancel_that_names_nothing_is_refused(service: Service) -> None:
    answer = await service.api.post(CANCEL, json={})
    assert answer.status_code == 400
    assert answer.json()["error"]["errors"][0]["path"] == ["all"]


async def test_workers_and_backlog_are_shown_to_the_operator(
    temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running_service(temporal, tmp_path_factory.mktemp("backlog"), worker=False) as service:
        await service.create("chain1", drawn("waits for a worker"))

        async def waiting() -> int:
            shown = (await service.api.get("/api/v1/admin/workers")).json()
            assert [one for one in shown["workers"] if one["alive"]] == []
            count: int = shown["backlog"]["workflow_tasks"]["waiting"]
            return count

        await eventually(waiting, lambda count: count == 1)

        async def alive() -> int:
            shown = (await service.api.get("/api/v1/admin/workers")).json()
            return sum(one["alive"] for one in shown["workers"])

        async with service.worker():
            await eventually(alive, lambda count: count == 1)


async def test_what_is_the_operators_needs_the_scope_admin(service: Service) -> None:
    order = {"caller": "guest", "scopes": ["chains:read"]}
    key = (await service.api.post("/api/v1/keys", json=order)).json()["key"]
    for path in ("/api/v1/admin/workers", "/api/v1/admin/deliveries"):
        assert (await service.anyone.get(path)).status_code == 401
        assert (await service.anyone.get(path, headers=bearer(key))).status_code == 403
    shown = (await service.anyone.get("/api/v1/console", headers=bearer(key))).json()
    assert shown["scopes"] == ["chains:read"]
