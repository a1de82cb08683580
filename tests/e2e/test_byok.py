"""A deployment with provider keys of its own: they open the providers, and no caller brings, sees or changes one."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import structlog
from temporalio.client import Client

import providers
from tests.support.bodies import drawn
from tests.support.histories import history_of
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.service import Json, Service, running_service

CANARY = "sandbox-canary-0123456789"
RELAYDANCE = "relaydance/seedance-1-5-pro-no-audio"


@dataclass(frozen=True)
class Own:
    """No provider can reach it: pictures are uploaded or travel inside requests, and jobs are polled."""

    service: Service
    sandbox: Sandbox


@pytest.fixture
async def own(temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Own]:
    async with running_sandbox(QUICK) as url, httpx.AsyncClient(trust_env=False) as http:
        for name, value in providers.sandbox_environment(url).items():
            monkeypatch.setenv(name, CANARY if name.endswith("_KEY") else value)
        trusted = f"{url},{url.replace('127.0.0.1', 'localhost')}"
        async with running_service(temporal, tmp_path, provider_mode="byok", trusted_origins=trusted) as service:
            yield Own(service, Sandbox(url, http))


def asked(prompt: str) -> Json:
    body = drawn(prompt)
    body["input"]["chain_models"]["image_to_video_model"] = RELAYDANCE
    body["input"]["image_to_video_params"] = {"prompt": f"{prompt} moves", "seconds": "5"}
    return body


async def test_the_servers_own_keys_open_the_providers_and_are_shown_nowhere(own: Own) -> None:
    with structlog.testing.capture_logs() as lines:
        created = await own.service.create("chain1", asked("on our own keys"))
        run = await own.service.succeeded(created["id"])
    assert (created["mode"], run["mode"]) == ("byok", "byok")
    assert [step["served_by"]["provider"] for step in run["steps"]] == ["bfl", "relaydance"]
    history = await history_of(own.service.client, run["id"])
    told = b"".join(event.SerializeToString() for event in history.events)
    for place in (json.dumps([created, run]).encode(), told, str(lines).encode()):
        assert CANARY.encode() not in place


async def test_a_picture_is_uploaded_to_relaydance_and_its_address_submitted(own: Own) -> None:
    run = await own.service.succeeded((await own.service.create("chain1", asked("uploaded")))["id"])
    rows = [row for row in await own.sandbox.jobs() if row["provider"] == "relaydance"]
    assert [row["operation"] for row in rows] == ["upload", "submit"]
    [picture] = rows[1]["body"]["metadata"]["content"]
    assert "/relaydance/u/" in picture["image_url"]["url"]
    assert run["steps"][1]["generation_input_file"] == run["steps"][0]["generation_output_file"]


@pytest.mark.parametrize("name", ["api_key", "BFL_API_KEY", "X-BabyChain-Provider-Key", "authorization"])
async def test_a_caller_that_brings_a_key_is_refused_without_its_value(own: Own, name: str) -> None:
    body = asked("with a key of mine")
    body["input"]["text_to_image_params"][name] = "brought-by-a-caller"
    answer = await own.service.api.post("/api/v1/chains/chain1/runs", json=body)
    assert answer.status_code == 400
    [fault] = [one for one in answer.json()["error"]["errors"] if "credential" in one["message"]]
    assert fault["path"] == ["input", "text_to_image_params", name]
    assert "brought-by-a-caller" not in answer.text
    assert await own.sandbox.jobs() == []


async def test_a_model_whose_provider_has_no_key_here_is_refused_by_the_keys_name(
    temporal: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in providers.every_module():
        monkeypatch.delenv(module.KEY_NAME, raising=False)
    monkeypatch.setenv("BFL_API_KEY", CANARY)
    async with running_service(temporal, tmp_path, worker=False, provider_mode="byok") as service:
        answer = await service.api.post("/api/v1/chains/chain1/runs", json=asked("no key"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "byok_credentials_missing")
        assert "RELAYDANCE_API_KEY" in answer.json()["error"]["errors"][0]["message"]
        listed = (await service.anyone.get("/api/v1/models")).json()["data"]
        assert {row["available"] for row in listed if row["id"] == RELAYDANCE} == {False}
