"""BabySea mode from the caller's request to the end: all steps at BabySea, reported by its account's webhook."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from api.main import build
from tests.support.runs import SECRETS, running_worker
from tests.support.runs import test_settings as settings_of
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.serving import free_port, serving
from tests.support.waiting import eventually

Json = dict[str, Any]

SECRET = "whsec_of_this_test"
CHAIN1: Json = {
    "input": {
        "chain_models": {
            "text_to_image_model": "bfl/flux-2-flex",
            "image_to_video_model": "bytedance/seedance-1.5-pro",
        },
        "text_to_image_params": {"generation_prompt": "a paper boat", "generation_ratio": "16:9"},
        "image_to_video_params": {"generation_prompt": "it drifts away"},
        "video_duration": 5,
        "video_resolution": "480p",
    }
}


@dataclass(frozen=True)
class BabySea:
    """A deployment in BabySea mode, and the BabySea it talks to."""

    api: httpx.AsyncClient
    sandbox: Sandbox

    async def create(self, body: Json = CHAIN1) -> Json:
        answer = await self.api.post("/api/v1/chains/chain1/runs", json=body)
        assert answer.status_code == 202, answer.text
        run: Json = answer.json()
        return run

    async def get(self, run_id: str) -> Json:
        run: Json = (await self.api.get(f"/api/v1/chains/get/{run_id}")).json()
        return run

    async def ended(self, run_id: str) -> Json:
        return await eventually(
            lambda: self.get(run_id), lambda run: run["status"] in ("succeeded", "failed", "canceled"), longest=40
        )

    async def succeeded(self, run_id: str) -> Json:
        run = await self.ended(run_id)
        assert run["status"] == "succeeded", run
        return run

    async def submits(self) -> list[Json]:
        return [row for row in await self.sandbox.jobs() if row["operation"] == "submit"]


@asynccontextmanager
async def deployment(
    client: Client, folder: Path, env: pytest.MonkeyPatch, *, reachable: bool = True, key: str = "sandbox-babysea"
) -> AsyncIterator[BabySea]:
    """`reachable`: whether BabySea can fetch our pictures and call our webhooks."""
    queue, port = f"test-{uuid4()}", free_port()
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(
            running_sandbox(replace(QUICK, url=f"http://127.0.0.1:{free_port()}"))
        )
        env.setenv("BABYSEA_API_KEY", key)
        env.setenv("BABYSEA_API_BASE_URL", f"{sandbox}/babysea")
        env.setenv("BABYSEA_WEBHOOK_SECRET", SECRET)
        ours = f"http://127.0.0.1:{port}"
        trusted = [sandbox, sandbox.replace("127.0.0.1", "localhost"), *([ours] if reachable else [])]
        settings = settings_of(
            folder,
            provider_mode="babysea",
            public_url=ours,
            trusted_origins=",".join(trusted),
            shutdown_grace=1.0,
        )
        await stack.enter_async_context(running_worker(client, settings, task_queue=queue))
        await stack.enter_async_context(serving(build(settings, client, task_queue=queue), port=port))
        head = {"authorization": f"Bearer {SECRETS['api_key']}"}
        api = await stack.enter_async_context(
            httpx.AsyncClient(base_url=ours, headers=head, timeout=30, trust_env=False)
        )
        anyone = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
        hook = [{"url": f"{ours}/api/webhooks/babysea", "secret": SECRET}]
        if reachable:
            answer = await anyone.put(f"{sandbox}/babysea/dashboard/webhooks", json=hook)
            assert answer.status_code == 200
        yield BabySea(api, Sandbox(sandbox, anyone))


async def test_a_chain_runs_to_its_end_at_babysea_and_says_who_served_it(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        created = await babysea.create()
        assert created["mode"] == "babysea"
        run = await babysea.succeeded(created["id"])
        assert run["mode"] == "babysea"
        picture, clip = run["steps"]
        assert picture["provider_order"] == ["bfl", "replicate"]
        assert picture["provider_used"] == "bfl"
        assert picture["babysea_idempotency_replayed"] is False
        assert clip["provider_used"] == "byteplus"
        assert clip["generation_input_file"] == picture["generation_output_file"]
        assert "provider_metadata" not in picture
        first, second = await babysea.submits()
        assert picture["babysea_generation_id"] == first["job_id"]
        assert picture["babysea_request_id"].startswith("req_")
        assert first["headers"]["idempotency-key"] == f"babychain:{run['id']}:text_to_image:1"
        assert first["body"]["generation_ratio"] == "16:9"
        assert second["body"]["generation_duration"] == 5
        assert [event["provider_used"] for event in run["timeline"]] == ["bfl", "byteplus"]
        assert picture["attempts"][0]["cost"] == {"currency": "USD", "amount": "0.065"}


async def activities_of(client: Client, run_id: str) -> set[str]:
    history = await client.get_workflow_handle(run_id).fetch_history()
    return {event.activity_task_scheduled_event_attributes.activity_id for event in history.events}


async def test_a_webhook_ends_the_wait_before_anybody_watches(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        run = await babysea.succeeded((await babysea.create())["id"])
        assert "image_to_video.1.watch" not in await activities_of(temporal, run["id"])


async def test_a_webhook_that_never_comes_is_made_good_by_looking(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        await babysea.sandbox.put_faults({"kind": "drop", "model": "bfl/flux-2-flex", "count": 10})
        run = await babysea.succeeded((await babysea.create())["id"])
        assert "text_to_image.1.watch" in await activities_of(temporal, run["id"])


async def test_where_babysea_cannot_reach_us_it_is_polled_from_the_start(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch, reachable=False) as babysea:
        run = await babysea.ended((await babysea.create())["id"])
        assert run["steps"][0]["status"] == "succeeded"
        assert "text_to_image.1.watch" in await activities_of(temporal, run["id"])


async def test_an_upstream_that_fails_is_replaced_by_the_next_one_and_the_step_shows_it(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"input": CHAIN1["input"] | {"text_to_image_params": {"generation_prompt": "a boat [failover]"}}}
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        run = await babysea.succeeded((await babysea.create(body))["id"])
        assert run["steps"][0]["provider_order"] == ["bfl", "replicate"]
        assert run["steps"][0]["provider_used"] == "replicate"


async def test_a_lost_answer_is_asked_for_again_under_the_same_key_and_one_job_is_paid(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        lost = {"kind": "reset", "provider": "babysea", "model": "bfl/flux-2-flex", "when": "after"}
        await babysea.sandbox.put_faults(lost)
        run = await babysea.succeeded((await babysea.create())["id"])
        sent = [row for row in await babysea.submits() if row["model"] == "bfl/flux-2-flex"]
        assert len({row["headers"]["idempotency-key"] for row in sent}) == 1
        assert len(sent) == 2
        assert [row["job_id"] is not None for row in sent] == [True, False]
        step = run["steps"][0]
        assert len(step["attempts"]) == 1
        assert step["babysea_idempotency_replayed"] is True
        assert step["babysea_generation_id"] == sent[0]["job_id"]


async def test_a_cancel_stops_the_generation_at_babysea(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        await babysea.sandbox.put_faults({"kind": "never_ends", "provider": "babysea"})
        run = await babysea.create()
        started = await eventually(
            lambda: babysea.get(run["id"]), lambda run: "babysea_generation_id" in run["steps"][0]
        )
        assert started["steps"][0]["status"] == "running"
        canceled = (await babysea.api.post(f"/api/v1/chains/cancel/{run['id']}")).json()
        assert canceled["status"] == "canceled"
        assert canceled["steps"][0]["cancel_outcome"] == "stopped"
        [row] = await babysea.submits()
        assert row["state"] == "cancelled"


async def test_a_generation_canceled_at_babysea_cancels_the_run(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        await babysea.sandbox.put_faults({"kind": "never_ends", "provider": "babysea"})
        run = await babysea.create()
        started = await eventually(
            lambda: babysea.get(run["id"]), lambda run: "babysea_generation_id" in run["steps"][0]
        )
        job = started["steps"][0]["babysea_generation_id"]
        head = {"authorization": "Bearer sandbox-babysea"}
        url = f"{babysea.sandbox.url}/babysea/v1/content/generation/cancel/{job}"
        assert (await babysea.sandbox.http.post(url, headers=head)).status_code == 200
        ended = await babysea.ended(run["id"])
        assert (ended["status"], ended["error"]["code"]) == ("canceled", "step_canceled")


async def test_webhooks_that_are_early_forged_doubled_or_stale_change_nothing(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        kinds = ("early", "forge", "double", "replay", "reorder", "bad_signature")
        await babysea.sandbox.put_faults(*({"kind": kind, "provider": "babysea"} for kind in kinds))
        runs = await asyncio.gather(*(babysea.create() for _ in range(3)))
        for run in await asyncio.gather(*(babysea.succeeded(run["id"]) for run in runs)):
            assert [len(step["attempts"]) for step in run["steps"]] == [1, 1]
        assert await babysea.sandbox.paid_starts() == 6


async def test_the_catalogue_of_this_mode_is_babyseas(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        models = (await babysea.api.get("/api/v1/models")).json()["data"]
        assert {"bfl/flux-2-flex", "bytedance/seedance-1.5-pro"} <= {model["id"] for model in models}
        assert not any(model["id"].startswith("relaydance/") for model in models)
        assert all(model["available"] for model in models)
        models = {"image_to_video_model": "relaydance/happyhorse-1.0-i2v"}
        other = {"input": {"chain_models": models, "text_to_image_prompt": "a", "image_to_video_prompt": "b"}}
        refused = await babysea.api.post("/api/v1/chains/chain1/runs", json=other)
        assert refused.json()["error"]["code"] == "unsupported_model_identifier"
        flex = (await babysea.api.get("/api/v1/models/bfl/flux-2-flex")).json()
        assert "generation_prompt" in flex["raw_schema"]["request"]["properties"]
        assert flex["safety_class"] == "A"


# ---- the account's webhook ------------------------------------------------------------------------------------------


def event(**more: Any) -> Json:
    data = {"account_id": "acc_1", "generation_id": str(uuid4()), "generation_status": "succeeded"}
    body = {
        "webhook_event": "generation.completed",
        "webhook_timestamp": "2026-11-21T08:00:00.000Z",
        "webhook_delivery_id": str(uuid4()),
        "webhook_data": data,
    }
    return body | more


def signed(body: Json, *, secret: str = SECRET, age: int = 0) -> tuple[bytes, dict[str, str]]:
    raw, moment = json.dumps(body).encode(), int(time.time()) - age
    signature = hmac.new(secret.encode(), f"{moment}.".encode() + raw, hashlib.sha256).hexdigest()
    return raw, {
        "x-babysea-signature": f"t={moment},v1={signature}",
        "x-babysea-delivery-id": body["webhook_delivery_id"],
    }


async def test_the_webhook_answers_as_the_contract_has_it(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:

        async def post(raw: bytes, head: dict[str, str]) -> tuple[int, Json]:
            answer = await babysea.api.post("/api/webhooks/babysea", content=raw, headers=head)
            return answer.status_code, answer.json()

        for raw, head, status, code in (
            (b"{}", {}, 400, "missing_webhook_signature"),
            (*signed(event(), secret="whsec_other"), 400, "invalid_webhook_signature"),
            (*signed(event(), age=301), 400, "invalid_webhook_signature"),
            # Far enough ahead that a slow machine does not bring it within the five minutes.
            (*signed(event(), age=-360), 400, "invalid_webhook_signature"),
            (b" " * (1024 * 1024 + 1), {}, 413, "payload_too_large"),
        ):
            answered, body = await post(raw, head)
            assert (answered, body["error"]["code"]) == (status, code)

        status, body = await post(*signed(event(webhook_event="credits.low_balance")))
        assert (status, body["data"]) == (200, {"ignored": True, "received": True})

        unknown = signed(event())
        status, body = await post(*unknown)
        assert (status, body["status"]) == (200, "success")
        assert body["data"] == {"received": True, "run_id": None, "status": None}
        assert body["timestamp"].endswith("Z")
        status, body = await post(*unknown)
        assert (status, body["data"]) == (200, {"duplicate": True, "received": True})


async def test_a_late_webhook_of_an_ended_run_names_it_and_changes_nothing(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment(temporal, tmp_path, monkeypatch) as babysea:
        run = await babysea.succeeded((await babysea.create())["id"])
        job = run["steps"][1]["babysea_generation_id"]
        late = event(webhook_data={"generation_id": job, "generation_status": "failed"})
        raw, head = signed(late)
        answer = await babysea.api.post("/api/webhooks/babysea", content=raw, headers=head)
        assert answer.json()["data"] == {"received": True, "run_id": run["id"], "status": "succeeded"}
        assert (await babysea.get(run["id"]))["status"] == "succeeded"


async def test_without_its_secret_no_webhook_is_taken(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, provider_mode="babysea")
    monkeypatch.setenv("BABYSEA_API_KEY", "sandbox-babysea")
    monkeypatch.delenv("BABYSEA_WEBHOOK_SECRET", raising=False)
    async with serving(build(settings, temporal)) as url, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{url}/api/webhooks/babysea", content=b"{}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "webhook_not_configured")
