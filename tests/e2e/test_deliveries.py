"""Callbacks as their receivers and their senders see them: the log, resends, tests, step events, secrets."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook
from temporalio.client import Client

from activities.callbacks import babychain_signature, standard_secret
from activities.delivering import MOST_AT_ONCE
from domain.callbacks import RUN_COMPLETED, STEP_COMPLETED, DeliverEvent, Event
from storage.callers import Callers
from storage.database import open_database
from storage.keys import KeyStore, NewKey
from temporal import names
from tests.support.archived import opened
from tests.support.bodies import drawn
from tests.support.receiver import Receiver
from tests.support.runs import SECRETS
from tests.support.service import Json, Service, bearer, running_service
from tests.support.serving import serving
from tests.support.waiting import eventually

SECRET = SECRETS["callback_secret"]


async def log_of(service: Service, run_id: str, count: int = 1) -> list[Json]:
    """The run's deliveries, once there are so many and none is under way."""

    async def look() -> list[Json]:
        answer = await service.api.get(f"/api/v1/chains/runs/{run_id}/deliveries")
        assert answer.status_code == 200, answer.text
        found: list[Json] = answer.json()["data"]
        return found

    return await eventually(look, lambda found: len(found) >= count)


async def test_the_log_tells_every_attempt_with_the_receivers_answer(service: Service) -> None:
    service.receiver.answers = [503]
    run = await service.create("chain1", drawn("logged", webhook_url=f"{service.hook}?token=s3cr3t&kind=run"))
    await service.callbacks(run["id"], 2)
    [delivery] = await eventually(lambda: log_of(service, run["id"]), lambda found: found[0]["status"] == "delivered")
    assert delivery["event"] == "chain_run.completed"
    assert delivery["event_id"] == f"evt_{run['id']}"
    assert delivery["url"] == f"{service.hook}?token=***&kind=***"
    first, second = delivery["attempts"]
    assert (first["outcome"], first["http_status"]) == ("failed", 503)
    assert (second["outcome"], second["http_status"]) == ("delivered", 200)
    assert first["duration_ms"] >= 0
    assert first["sent_at"] < second["sent_at"]
    assert "s3cr3t" not in json.dumps(delivery)


async def test_another_callers_deliveries_are_as_unknown_as_its_runs(service: Service) -> None:
    run = await service.create("chain1", drawn("private", webhook_url=service.hook))
    await service.callbacks(run["id"])
    path = f"/api/v1/chains/runs/{run['id']}/deliveries"
    for answer in (await service.other.get(path), await service.other.post(path, json={})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "run_not_found")


async def test_a_resend_carries_the_same_bytes_and_id_freshly_signed(service: Service) -> None:
    run = await service.create("chain1", drawn("again", webhook_url=service.hook))
    await service.callbacks(run["id"])
    # There is nothing that would have to be said.
    answer = await service.api.post(f"/api/v1/chains/runs/{run['id']}/deliveries")
    assert answer.status_code == 202, answer.text
    assert answer.json()["event_id"] == f"evt_{run['id']}"
    first, second = await service.callbacks(run["id"], 2)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert Webhook(standard_secret(SECRET)).verify(second.body, second.headers)["id"] == run["id"]
    deliveries = await log_of(service, run["id"], 2)
    assert answer.json()["id"] in {delivery["id"] for delivery in deliveries}


async def test_one_key_makes_one_resend(service: Service) -> None:
    body = drawn("resent once", webhook_url=service.hook, webhook_events=[RUN_COMPLETED, STEP_COMPLETED])
    run = await service.succeeded((await service.create("chain1", body))["id"])
    await log_of(service, run["id"], 3)
    url, headers = f"/api/v1/chains/runs/{run['id']}/deliveries", {"idempotency-key": "again"}
    first = await service.api.post(url, json={}, headers=headers)
    assert first.status_code == 202, first.text
    await log_of(service, run["id"], 4)
    second = await service.api.post(url, json={}, headers=headers)
    assert (second.status_code, second.json()["status"]) == (202, "delivered")
    assert second.json()["id"] == first.json()["id"]
    other = await service.api.post(url, json={"step_key": "text_to_image"}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")
    assert other.json()["error"]["details"] == {"conflicts": ["step_key"]}
    unkeyed = await service.api.post(url, json={})
    assert unkeyed.json()["id"] != first.json()["id"]
    assert len(await log_of(service, run["id"], 5)) == 5


async def test_a_run_without_a_callback_has_none_to_resend(service: Service) -> None:
    run = await service.create("chain1", drawn("silent"))
    await service.ended(run["id"])
    answer = await service.api.post(f"/api/v1/chains/runs/{run['id']}/deliveries", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_callback")


async def test_the_retries_stop_once_a_resend_has_arrived(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        service.receiver.answers = [500]
        run = await service.create("chain1", drawn("overtaken", webhook_url=service.hook))
        await eventually(lambda: log_of(service, run["id"]), lambda found: found[0]["status"] == "pending")
        await service.api.post(f"/api/v1/chains/runs/{run['id']}/deliveries", json={})
        deliveries = await eventually(
            lambda: log_of(service, run["id"], 2), lambda found: found[0]["status"] != "pending"
        )
        assert [delivery["status"] for delivery in deliveries] == ["superseded", "delivered"]
        assert len(service.receiver.calls) == 2


async def test_a_test_event_says_what_the_receiver_answered(service: Service) -> None:
    answer = await service.api.post("/api/v1/callbacks/test", json={"webhook_url": service.hook})
    assert answer.status_code == 200
    said = answer.json()
    assert (said["event"], said["status"], said["http_status"]) == ("webhook.test", "delivered", 200)
    call = next(call for call in service.receiver.calls if call.headers["webhook-id"] == said["event_id"])
    assert Webhook(standard_secret(SECRET)).verify(call.body, call.headers)["type"] == "webhook.test"


async def test_one_key_sends_one_test_event(service: Service) -> None:
    async def send(url: str, key: str = "test-me") -> httpx.Response:
        headers = {"idempotency-key": key}
        return await service.api.post("/api/v1/callbacks/test", json={"webhook_url": url}, headers=headers)

    first, second = await send(service.hook), await send(service.hook)
    assert first.json() == second.json()
    assert first.json()["status"] == "delivered"
    event_id = first.json()["event_id"]
    assert [call.headers["webhook-id"] for call in service.receiver.calls].count(event_id) == 1
    other = await send(f"{service.hook}?another")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")
    assert (await send(service.hook, "another")).json()["event_id"] != event_id


async def test_both_ways_to_send_document_their_key(service: Service) -> None:
    paths = (await service.anyone.get("/openapi.json")).json()["paths"]
    for path in ("/api/v1/callbacks/test", "/api/v1/chains/runs/{run_id}/deliveries"):
        assert "idempotency-key" in {one["name"].lower() for one in paths[path]["post"]["parameters"]}
        assert "409" in paths[path]["post"]["responses"]


async def test_a_key_of_another_form_is_refused(service: Service) -> None:
    for path in ("/api/v1/callbacks/test", f"/api/v1/chains/runs/{uuid4()}/deliveries"):
        answer = await service.api.post(
            path, json={"webhook_url": service.hook}, headers={"idempotency-key": "slash/ed"}
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_idempotency_key")


async def test_a_test_event_goes_to_no_address_that_a_run_could_not_use(service: Service) -> None:
    for body, code in (
        ({"webhook_url": "https://127.0.0.1/hook"}, "invalid_callback_url"),
        ({"webhook_url": "http://example.com/hook"}, "invalid_callback_url"),
        ({"webhook_url": "https://xn--/"}, "invalid_callback_url"),
        ({}, "invalid_request"),
    ):
        answer = await service.api.post("/api/v1/callbacks/test", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_an_address_that_nobody_can_call_is_refused_and_fails_where_a_run_has_it(service: Service) -> None:
    nowhere = "https://xn--/"
    refused = await service.api.post("/api/v1/chains/chain1/runs", json=drawn("lost", webhook_url=nowhere))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_callback_url")
    run_id = await told_at(service, nowhere)
    resent = await service.api.post(f"/api/v1/chains/runs/{run_id}/deliveries", json={})
    assert resent.status_code == 202, resent.text
    [delivery] = await log_of(service, run_id)
    assert (delivery["url"], delivery["status"]) == (nowhere, "pending")
    [attempt] = delivery["attempts"]
    assert (attempt["outcome"], attempt["error"]) == ("failed", "The address can't be called.")
    await service.client.get_workflow_handle(delivery["id"]).terminate("its next attempts come over a day")


async def told_at(service: Service, url: str) -> str:
    """An archived run with a callback address that none can be created with any more."""
    run = await service.succeeded((await service.create("chain1", drawn("told", webhook_url=service.hook)))["id"])
    await service.callbacks(run["id"])
    async with opened(service.settings.archive_url) as archive:
        row = await archive.get(run["id"])
        assert row is not None
        run_id = str(uuid4())
        plan = row.plan.replace(run["id"], run_id).replace(service.hook, url)
        await archive.put(replace(row, run_id=run_id, plan=plan))
    return run_id


async def test_a_steps_event_carries_that_step_and_the_same_bytes_again(service: Service) -> None:
    body = drawn("told of steps", webhook_url=service.hook, webhook_events=[STEP_COMPLETED])
    run = await service.succeeded((await service.create("chain1", body))["id"])

    async def tell() -> None:
        await service.client.execute_workflow(
            names.DELIVERY,
            DeliverEvent(Event(STEP_COMPLETED, run["id"], "text_to_image")),
            id=names.resend_id(run["id"], str(uuid4())),
            task_queue=service.task_queue,
        )

    await tell()
    await tell()
    event_id = f"evt_{run['id']}_text_to_image"
    calls = [call for call in service.receiver.calls if call.headers["webhook-id"] == event_id]
    assert len({call.body for call in calls}) == 1
    event = Webhook(standard_secret(SECRET)).verify(calls[-1].body, calls[-1].headers)
    assert (event["type"], event["run_id"], event["chain_slug"]) == (STEP_COMPLETED, run["id"], "chain1")
    assert event["step"] == run["steps"][0]
    assert calls[-1].headers["x-babychain-event"] == STEP_COMPLETED


async def test_every_step_is_told_of_when_the_caller_asks_for_it(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        body = drawn("step by step", webhook_url=service.hook, webhook_events=[RUN_COMPLETED, STEP_COMPLETED])
        run = await service.succeeded((await service.create("chain1", body))["id"])
        calls = await service.receiver.wait_for(3)
        assert sorted(call.headers["webhook-id"].removeprefix(f"evt_{run['id']}") for call in calls) == [
            "",
            "_image_to_video",
            "_text_to_image",
        ]
        deliveries = await log_of(service, run["id"], 3)
        assert {delivery["event"] for delivery in deliveries} == {RUN_COMPLETED, STEP_COMPLETED}


async def test_the_end_of_the_run_is_not_told_where_only_steps_were_asked_for(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        body = drawn("steps alone", webhook_url=service.hook, webhook_events=[STEP_COMPLETED])
        run = await service.succeeded((await service.create("chain1", body))["id"])
        await service.client.get_workflow_handle(names.after_run_id(run["id"])).result()
        calls = await service.receiver.wait_for(2)
        assert {call.headers["x-babychain-event"] for call in calls} == {STEP_COMPLETED}
        answer = await service.api.post(f"/api/v1/chains/runs/{run['id']}/deliveries", json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_callback")


async def test_unknown_webhook_events_are_refused_by_name(service: Service) -> None:
    body = drawn("wrong", webhook_url=service.hook, webhook_events=["chain_run.started"])
    answer = await service.api.post("/api/v1/chains/chain1/runs", json=body)
    assert answer.status_code == 400
    [fault] = answer.json()["error"]["errors"]
    assert fault["path"] == ["webhook_events"]
    assert STEP_COMPLETED in fault["message"]


async def test_while_a_secret_is_being_changed_both_sign(service: Service) -> None:
    engine = open_database(service.settings.archive_url)
    now, caller = datetime.now(UTC), f"shop-{uuid4()}"
    made = await KeyStore(engine).create(
        NewKey(caller=caller, name="test", scopes=frozenset({"chains:run", "chains:read"})), now=now
    )
    callers = Callers(engine, secret=SECRETS["secret"], default_secret=SECRET)
    new = await callers.rotate_callback_secret(caller, now=now, overlap=timedelta(hours=1))
    await engine.dispose()
    answer = await service.anyone.post(
        "/api/v1/callbacks/test", json={"webhook_url": service.hook}, headers=bearer(made.key)
    )
    assert answer.json()["status"] == "delivered", answer.text
    call = next(one for one in service.receiver.calls if one.headers["webhook-id"] == answer.json()["event_id"])
    for secret in (SECRET, new):
        assert Webhook(standard_secret(secret)).verify(call.body, call.headers)
    moment = datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
    assert call.headers["x-babychain-signature"] == babychain_signature([new, SECRET], call.body, moment)


async def test_a_receiver_that_hangs_holds_up_nobody_else(temporal: Client, tmp_path: Path) -> None:
    """More callbacks wait for the hanging receiver than may be under way to one host; another's comes through."""
    release, app = asyncio.Event(), FastAPI()
    waiting: list[str] = []

    @app.post("/hook")
    async def hang(request: Request) -> Response:
        waiting.append((await request.json())["id"])
        await release.wait()
        return Response()

    quick = Receiver()
    async with (
        serving(app) as hanging,
        serving(quick.app()) as well,
        running_service(temporal, tmp_path, trusted_origins=f"{hanging},{well}") as service,
    ):
        tests = [
            asyncio.create_task(service.api.post("/api/v1/callbacks/test", json={"webhook_url": f"{hanging}/hook"}))
            for _ in range(30)
        ]

        async def held() -> int:
            return len(waiting)

        assert await eventually(held, lambda count: count >= MOST_AT_ONCE) == MOST_AT_ONCE
        await service.create("chain1", drawn("not held up", webhook_url=f"{well}/hook"))
        await quick.wait_for(1)
        assert len(waiting) == MOST_AT_ONCE
        release.set()
        answers = await asyncio.gather(*tests)
    assert {answer.json()["status"] for answer in answers} == {"delivered"}
