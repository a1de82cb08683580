"""Callbacks as their receivers and their senders see them: the log, resends, tests, step events, secrets."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

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
    answer = await service.api.post(f"/api/v1/chains/runs/{run['id']}/deliveries", json={})
    assert answer.status_code == 202
    assert answer.json()["event_id"] == f"evt_{run['id']}"
    first, second = await service.callbacks(run["id"], 2)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert Webhook(standard_secret(SECRET)).verify(second.body, second.headers)["id"] == run["id"]
    deliveries = await log_of(service, run["id"], 2)
    assert answer.json()["id"] in {delivery["id"] for delivery in deliveries}


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


async def test_a_test_event_goes_to_no_address_that_a_run_could_not_use(service: Service) -> None:
    for body, code in (
        ({"webhook_url": "https://127.0.0.1/hook"}, "invalid_callback_url"),
        ({"webhook_url": "http://example.com/hook"}, "invalid_callback_url"),
        ({}, "invalid_request"),
    ):
        answer = await service.api.post("/api/v1/callbacks/test", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


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
