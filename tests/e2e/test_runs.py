"""Runs from the first post to the last byte, over HTTP, on a real Temporal server."""

import asyncio
import hashlib
import json
import logging
import re
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from temporalio.client import Client

from api.fingerprints import Fingerprints
from sandbox.config import Config
from storage.archive import Archive
from storage.database import open_database
from tests.support.bodies import FIRST_EXAMPLE, FLUX, SEED_EXAMPLE, drawn, restyled
from tests.support.histories import history_of
from tests.support.pictures import jpeg
from tests.support.runs import SECRETS
from tests.support.service import KEY, OTHER_KEY, Json, Service, path_of, running_service
from tests.support.waiting import eventually

RUN_KEYS = [
    "id", "object", "chain_slug", "chain_version", "mode", "status", "input", "created_at", "updated_at",
    "current_step_key", "error", "metadata", "client_request_id", "steps",
]  # fmt: skip
STEP_KEYS = [
    "id", "step_index", "step_key", "step_kind", "model_identifier", "status", "created_at", "updated_at",
    "depends_on", "started_at", "completed_at", "generation_input_file", "generation_output_file", "error",
    "provider_metadata",
]  # fmt: skip
MICROS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,5}[1-9])?\+00:00")
MILLIS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,2}[1-9])?\+00:00")


def assert_in_order(keys: list[str], contract: list[str]) -> None:
    """The contract's keys stand first, in its order; keys of our own only after its last one."""
    known = [key for key in keys if key in contract]
    assert known == [key for key in contract if key in keys]
    assert keys[: len(known)] == known


def assert_follows_the_contract(run: Json) -> None:
    assert_in_order(list(run), RUN_KEYS)
    assert run["object"] == "chain_run"
    for index, step in enumerate(run["steps"]):
        assert_in_order(list(step), STEP_KEYS)
        assert step["step_index"] == index
    for part in (run, *run["steps"]):
        assert MICROS.fullmatch(part["created_at"]) and MICROS.fullmatch(part["updated_at"])
    for step in run["steps"]:
        for name in ("started_at", "completed_at"):
            assert step[name] is None or MILLIS.fullmatch(step[name])


@pytest.mark.parametrize("body", [FIRST_EXAMPLE, SEED_EXAMPLE], ids=["contract", "seed"])
async def test_the_documented_requests_run_unchanged_to_the_end(service: Service, body: Json) -> None:
    answer = await service.api.post("/api/v1/chains/chain1/runs", json=body, headers={"x-request-id": "web-42"})
    assert answer.status_code == 202
    queued = answer.json()
    assert_follows_the_contract(queued)
    assert queued["status"] == "queued"
    assert queued["current_step_key"] == "processing"
    assert queued["chain_version"] == "2026-05-23"
    assert queued["client_request_id"] == "web-42"
    assert json.dumps(queued["input"]) == json.dumps(body["input"])
    assert answer.headers["location"] == f"/api/v1/chains/get/{queued['id']}"
    assert [(step["status"], step["depends_on"]) for step in queued["steps"]] == [
        ("queued", []),
        ("queued", ["text_to_image"]),
    ]
    run = await service.succeeded(queued["id"])
    assert_follows_the_contract(run)
    assert run["current_step_key"] == "completed"
    image, video = run["steps"]
    assert (image["step_kind"], video["step_kind"]) == ("image", "video")
    assert "generation_input_file" not in image
    assert video["generation_input_file"] == image["generation_output_file"]
    assert datetime.fromisoformat(image["completed_at"]) <= datetime.fromisoformat(video["started_at"])
    assert [step["id"] for step in run["steps"]] == [step["id"] for step in queued["steps"]]
    assert run["created_at"] == queued["created_at"] < run["updated_at"]


SLOW_ENOUGH = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=0.3, video_seconds=0.3, media="tiny")


async def test_a_run_is_seen_to_move_forward_only(temporal: Client, tmp_path: Path) -> None:
    """queued, running, succeeded; the step at hand; and an `updated_at` that never goes back."""
    async with running_service(temporal, tmp_path, config=SLOW_ENOUGH, worker=False) as service:
        seen = [await service.create("chain1", drawn("watched"))]

        async def look() -> Json:
            seen.append(await service.get(seen[0]["id"]))
            return seen[-1]

        async with service.worker():
            await eventually(look, lambda run: run["status"] == "succeeded")
    distinct = list(dict.fromkeys((run["status"], run["current_step_key"]) for run in seen))
    assert distinct == [
        ("queued", "processing"),
        ("running", "text_to_image"),
        ("running", "image_to_video"),
        ("succeeded", "completed"),
    ]
    for index in range(2):
        order = ["queued", "running", "succeeded"]
        places = [order.index(run["steps"][index]["status"]) for run in seen]
        assert places == sorted(places)
        updates = [datetime.fromisoformat(run["steps"][index]["updated_at"]) for run in seen]
        assert updates == sorted(updates)
    updates = [datetime.fromisoformat(run["updated_at"]) for run in seen]
    assert updates == sorted(updates)
    assert len(set(updates)) >= len(distinct)


async def test_a_failed_step_fails_the_run_and_skips_the_rest(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        await service.sandbox.put_faults({"kind": "moderated", "provider": "bfl"})
        created = await service.create("chain1", drawn("refused", webhook_url=service.hook))
        run = await service.ended(created["id"])
        [call] = await service.callbacks(created["id"])
        assert len(await service.submits(prompt="refused")) == 1
    assert json.loads(call.body) == run
    assert_follows_the_contract(run)
    assert (run["status"], run["current_step_key"]) == ("failed", "failed")
    assert run["error"]["code"] == "provider_content_moderated"
    assert run["error"]["guidance"]["what_to_try_next"]
    first, second = run["steps"]
    assert first["error"] == run["error"]
    assert (first["status"], second["status"]) == ("failed", "skipped")
    assert second["started_at"] is None and second["completed_at"] is not None
    assert "error" not in second


@pytest.mark.parametrize(
    ("given", "kind", "magic"),
    [("png", "image/png", b"\x89PNG"), ("webp", "image/webp", b"RIFF"), ("jpg", "image/jpeg", b"\xff\xd8")],
)
async def test_an_output_has_the_format_that_was_asked_for(
    service: Service, given: str, kind: str, magic: bytes
) -> None:
    body = drawn(f"a picture as {given}")
    body["input"]["text_to_image_params"]["output_format"] = given
    run = await service.succeeded((await service.create("chain1", body))["id"])
    answer = await service.anyone.get(path_of(run["steps"][0]["generation_output_file"][0]))
    assert answer.headers["content-type"] == kind
    assert answer.content.startswith(magic)


REAL_MEDIA = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=0.05, video_seconds=0.05, media="real")


async def test_a_picture_has_the_size_asked_for_and_the_same_seed_draws_it_again(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_service(temporal, tmp_path, config=REAL_MEDIA) as service:
        # Real videos take seconds to draw, and nobody looks at these.
        await service.sandbox.put_faults({"kind": "status", "provider": "byteplus", "status": 400, "count": 3})

        async def picture(seed: int) -> Json:
            body = drawn("seeded")
            body["input"]["text_to_image_params"] |= {"seed": seed, "width": 384, "height": 320}
            run = await service.ended((await service.create("chain1", body))["id"])
            name = path_of(run["steps"][0]["generation_output_file"][0]).partition("?")[0].rpartition("/")[2]
            facts: Json = (await service.api.get(f"/api/v1/assets/{name}")).json()
            return facts

        one, again, other = await asyncio.gather(picture(7), picture(7), picture(8))
    assert (one["width"], one["height"]) == (384, 320)
    assert one["sha256"] == again["sha256"] != other["sha256"]


async def test_parameters_reach_the_providers_as_they_were_sent(service: Service) -> None:
    body = deepcopy(SEED_EXAMPLE)
    body["input"]["text_to_image_params"]["prompt"] = "a seed that arrives"
    body["input"]["image_to_video_params"]["content"][0]["text"] = "a seed that arrives moves"
    run = await service.succeeded((await service.create("chain1", body))["id"])
    picture, video = [row["body"] for row in await service.submits(prompt="a seed that arrives")]
    sent = body["input"]["text_to_image_params"]
    assert {name: picture[name] for name in sent} == sent
    assert video["content"][0] == {"type": "text", "text": "a seed that arrives moves"}
    assert video["content"][1] == {
        "type": "image_url",
        "image_url": {"url": run["steps"][0]["generation_output_file"][0]},
        "role": "first_frame",
    }
    assert (video["ratio"], video["duration"], video["watermark"]) == ("1:1", 3, False)
    assert any("documented range" in warning for warning in run["warnings"])


async def test_a_chain1_run_leaves_a_small_history_without_media_or_secrets(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", FIRST_EXAMPLE))["id"])
    history = await history_of(service.client, run["id"])
    assert len(history.events) < 60
    assert sum(event.ByteSize() for event in history.events) < 64 * 1024
    text = history.to_json()
    payloads = re.findall(r'"data": "([A-Za-z0-9+/=]+)"', text)
    assert payloads
    assert not any(len(payload) > 8 * 1024 for payload in payloads)
    assert b";base64," not in b"".join(event.SerializeToString() for event in history.events)


async def test_a_finished_output_is_byte_for_byte_what_the_provider_served(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("bytes that stay")))["id"])
    for step, kind in zip(run["steps"], ("image/jpeg", "video/mp4"), strict=True):
        [url] = step["generation_output_file"]
        answer = await service.anyone.get(path_of(url))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kind
        assert path_of(url).removeprefix("/assets/").startswith(hashlib.sha256(answer.content).hexdigest())
    [picture, _] = await service.submits(prompt="bytes that stay")
    state = (
        await service.anyone.get(f"{service.sandbox.url}/bfl/v1/get_result", params={"id": picture["job_id"]})
    ).json()
    served = await service.anyone.get(state["result"]["sample"])
    ours = await service.anyone.get(path_of(run["steps"][0]["generation_output_file"][0]))
    assert ours.content == served.content


async def test_chain3_hands_each_output_to_the_next_step(service: Service) -> None:
    body: Json = {
        "input": {
            "text_to_image_model": FLUX,
            "image_to_image_model": FLUX,
            "text_to_image_prompt": "three in a line",
            "image_to_image_prompt": "three in a line, in ink",
            "image_to_video_prompt": "three in a line move",
            "image_to_video_params": {"duration": 4},
        }
    }
    run = await service.succeeded((await service.create("chain3", body))["id"])
    first, second, third = run["steps"]
    assert [step["depends_on"] for step in run["steps"]] == [[], ["text_to_image"], ["image_to_image"]]
    assert second["generation_input_file"] == first["generation_output_file"]
    assert third["generation_input_file"] == second["generation_output_file"]
    assert list(run["input"]["chain_models"]) == [
        "text_to_image_model", "image_to_image_model", "image_to_video_model",
    ]  # fmt: skip


async def upload(service: Service, seed: str) -> Json:
    answer = await service.api.post("/api/v1/assets", files={"file": ("p.jpg", jpeg(seed, (320, 320)), "image/jpeg")})
    assert answer.status_code == 201, answer.text
    asset: Json = answer.json()
    return asset


@pytest.mark.parametrize("name", ["id", "url"])
async def test_chain2_starts_from_an_uploaded_picture(service: Service, name: str) -> None:
    asset = await upload(service, name)
    prompt = f"restyled by {name}"
    run = await service.succeeded(
        (await service.create("chain2", restyled(prompt, source_image_url=asset[name])))["id"]
    )
    [picture] = await service.submits(prompt=f'"{prompt}"')
    assert asset["id"] in picture["body"]["input_image"]
    assert run["steps"][1]["generation_input_file"] == run["steps"][0]["generation_output_file"]


async def test_chain2_starts_from_an_address(service: Service) -> None:
    sample = await service.sandbox.sample(prompt="somebody's picture")
    run = await service.succeeded(
        (await service.create("chain2", restyled("restyled by address", source_image_url=sample)))["id"]
    )
    [picture] = await service.submits(prompt='"restyled by address"')
    assert picture["body"]["input_image"] == sample
    assert run["input"]["source_image_url"] == sample


async def test_image_to_video_animates_an_uploaded_picture(service: Service) -> None:
    asset = await upload(service, "animated")
    body = {"input": {"source_image_url": asset["id"], "image_to_video_prompt": "only one step"}}
    run = await service.succeeded((await service.create("image-to-video", body))["id"])
    assert [step["step_key"] for step in run["steps"]] == ["image_to_video"]
    answer = await service.anyone.get(path_of(run["steps"][0]["generation_output_file"][0]))
    assert answer.headers["content-type"] == "video/mp4"


async def test_a_run_without_callback_address_sends_none(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("no callback")))["id"])
    handle = service.client.get_workflow_handle(f"after-{run['id']}")
    assert await handle.result() is None
    assert run["id"].encode() not in b"".join(call.body for call in service.receiver.calls)


async def test_the_callback_says_what_get_says(service: Service) -> None:
    body = drawn("called back", webhook_url=service.hook, metadata={"order": 7, "nested": {"b": 1, "a": [None]}})
    created = await service.create("chain1", body)
    [call] = await service.callbacks(created["id"])
    run = await service.get(created["id"])
    assert run["status"] == "succeeded"
    assert call.body == json.dumps(run, ensure_ascii=False, separators=(",", ":")).encode()
    assert call.headers["content-type"] == "application/json"
    assert "webhook_url" not in run


# ---- idempotency ------------------------------------------------------------------------------------------------


async def test_fifty_posts_with_one_key_make_one_run_and_pay_once(service: Service) -> None:
    body, key = drawn("fifty at once"), str(uuid4())
    path, headers = "/api/v1/chains/chain1/runs", {"idempotency-key": key}
    answers = await asyncio.gather(*(service.api.post(path, json=body, headers=headers) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    [run_id] = {answer.json()["id"] for answer in answers}
    await service.succeeded(run_id)
    assert len(await service.submits(prompt='"fifty at once"')) == 1
    assert len(await service.submits(prompt='"fifty at once moves"')) == 1


async def test_a_repeat_answers_with_the_run_as_it_is_now(service: Service) -> None:
    body, key = drawn("asked again"), str(uuid4())
    first = await service.create("chain1", body, key)
    assert first["status"] == "queued"
    await service.succeeded(first["id"])
    again = await service.create("chain1", body, key)
    assert again == await service.get(first["id"])


async def test_another_order_of_keys_and_another_spelling_of_a_number_are_the_same_request(service: Service) -> None:
    def body(five: float, *, turned: bool) -> Json:
        made = drawn("five is five", metadata={"a": five, "b": {"c": [1, 2], "d": five}})
        made["input"]["image_to_video_params"]["duration"] = five
        return _turned(made) if turned else made

    key = str(uuid4())
    first = await service.create("chain1", body(5, turned=False), key)
    assert (await service.create("chain1", body(5.0, turned=True), key))["id"] == first["id"]


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _turned(child) for name, child in reversed(value.items())}
    return [_turned(child) for child in value] if isinstance(value, list) else value


async def test_a_changed_request_under_a_used_key_is_refused_and_names_what_differs(service: Service) -> None:
    body, key = drawn("said once", metadata={"n": 1}), str(uuid4())
    first = await service.create("chain1", body, key)
    headers = {"idempotency-key": key}
    changed = {
        "input": drawn("said otherwise", metadata={"n": 1}),
        "metadata": body | {"metadata": {"n": 2}},
        "webhook_url": body | {"webhook_url": service.hook},
    }
    for part, other in changed.items():
        answer = await service.api.post("/api/v1/chains/chain1/runs", json=other, headers=headers)
        assert answer.status_code == 409
        error = answer.json()["error"]
        assert (error["type"], error["code"]) == ("idempotency_error", "idempotency_conflict")
        assert error["details"] == {"conflicts": [part]}
    seedream = deepcopy(body)
    seedream["input"]["chain_models"]["text_to_image_model"] = "bytedance/seedream-4.5"
    answer = await service.api.post("/api/v1/chains/chain1/runs", json=seedream, headers=headers)
    assert answer.json()["error"]["details"] == {"conflicts": ["input", "byok_providers"]}
    assert (await service.get(first["id"]))["metadata"] == {"n": 1}


async def test_a_key_is_its_callers_and_its_chains_own(service: Service) -> None:
    body, key = drawn("whose key"), str(uuid4())
    first = await service.create("chain1", body, key)
    answer = await service.other.post("/api/v1/chains/chain1/runs", json=body, headers={"idempotency-key": key})
    assert answer.status_code == 202
    asset = await upload(service, "whose key")
    second = await service.create("chain2", restyled("whose key", source_image_url=asset["id"]), key)
    assert len({first["id"], answer.json()["id"], second["id"]}) == 3


@pytest.mark.parametrize("key", ["", "a b", "ümlaut", "x" * 256, "slash/ed"])
async def test_an_idempotency_key_of_another_form_is_refused(service: Service, key: str) -> None:
    answer = await service.api.post(
        "/api/v1/chains/chain1/runs", json=drawn("bad key"), headers=[(b"idempotency-key", key.encode())]
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_idempotency_key"


async def test_two_posts_without_a_key_are_two_runs(service: Service) -> None:
    first, second = [await service.create("chain1", drawn("no key")) for _ in range(2)]
    assert first["id"] != second["id"]


# ---- without a worker -------------------------------------------------------------------------------------------


async def test_a_run_created_before_any_worker_is_readable_and_finishes_when_one_comes(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        created = await service.create("chain1", drawn("early bird"), "early")
        assert await service.get(created["id"]) == created
        assert (await service.create("chain1", drawn("early bird"), "early")) == created
        async with service.worker():
            await service.succeeded(created["id"])


async def test_a_run_is_readable_after_its_worker_is_gone(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        async with service.worker():
            created = await service.create("chain1", drawn("left behind", webhook_url=service.hook))
            [call] = await service.callbacks(created["id"])
        assert await service.get(created["id"]) == json.loads(call.body)


async def test_a_run_that_temporal_no_longer_knows_is_read_from_the_archive(service: Service) -> None:
    body, key = drawn("archived", webhook_url=service.hook), str(uuid4())
    created = await service.create("chain1", body)
    await service.callbacks(created["id"])
    run = await service.get(created["id"])
    old = await _archive_under_key(service, created["id"], key)
    expected = json.loads(json.dumps(run).replace(created["id"], old))
    shown = await service.get(old)
    assert [step.pop("id") for step in shown["steps"]] != [step.pop("id") for step in expected["steps"]]
    assert shown == expected
    assert (await service.cancel(old))["status"] == "succeeded"
    assert (await service.create("chain1", body, key))["id"] == old
    headers = {"idempotency-key": key}
    answer = await service.api.post("/api/v1/chains/chain1/runs", json=drawn("other"), headers=headers)
    assert answer.status_code == 409


async def _archive_under_key(service: Service, run_id: str, key: str) -> str:
    """The same run once more, under the id that a key stands for: the archive has it, Temporal does not."""
    database = open_database(service.settings.archive_url)
    archive = Archive(database)
    try:
        row = await archive.get(run_id)
        assert row is not None
        secret = service.settings.secret.get_secret_value()
        old = Fingerprints(secret).run_id(row.caller, row.template, key)
        await archive.put(replace(row, run_id=old, plan=row.plan.replace(run_id, old)))
    finally:
        await database.dispose()
    return old


async def test_a_run_terminated_by_an_operator_is_shown_as_failed(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        created = await service.create("chain1", drawn("terminated"))
        await service.client.get_workflow_handle(created["id"]).terminate("because")
        run = await service.get(created["id"])
    assert_follows_the_contract(run)
    assert (run["status"], run["current_step_key"]) == ("failed", "failed")
    assert run["error"]["code"] == "run_terminated"
    assert [step["status"] for step in run["steps"]] == ["skipped", "skipped"]


# ---- cancel -----------------------------------------------------------------------------------------------------

SLOW_PICTURE = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=600, video_seconds=600, media="tiny")
SLOW_VIDEO = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=0.05, video_seconds=600, media="tiny")


def assert_canceled(run: Json, statuses: list[str], outcomes: list[str | None]) -> None:
    assert_follows_the_contract(run)
    assert (run["status"], run["current_step_key"]) == ("canceled", "canceled")
    assert run["error"] == {"code": "client_canceled", "message": "Chain run was canceled."}
    assert [step["status"] for step in run["steps"]] == statuses
    assert [step.get("cancel_outcome") for step in run["steps"]] == outcomes
    for step in run["steps"]:
        assert step["completed_at"] is not None
        assert (step["started_at"] is None) == (step["status"] == "skipped")


async def test_cancel_while_the_first_step_runs(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, config=SLOW_PICTURE) as service:
        created = await service.create("chain1", drawn("stop one", webhook_url=service.hook))
        await eventually(service.sandbox.paid_starts, lambda count: count == 1)
        run = await service.cancel(created["id"])
        # BFL has no cancel: its job goes on and may be billed.
        assert_canceled(run, ["canceled", "skipped"], ["not_stopped", "not_started"])
        assert await service.cancel(created["id"]) == run
        [call] = await service.callbacks(created["id"])
        assert json.loads(call.body) == run
        assert call.headers["x-babychain-event"] == "chain_run.completed"
        assert await service.client.get_workflow_handle(f"after-{created['id']}").result() is not None
        assert len(await service.callbacks(created["id"])) == 1
        description = await service.client.get_workflow_handle(created["id"]).describe()
        assert description.status is not None and description.status.name == "CANCELED"


async def test_cancel_while_the_second_step_runs_keeps_the_first_output(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, config=SLOW_VIDEO) as service:
        created = await service.create("chain1", drawn("stop two", webhook_url=service.hook))
        await eventually(service.sandbox.paid_starts, lambda count: count == 2)
        run = await service.cancel(created["id"])
        assert_canceled(run, ["succeeded", "canceled"], [None, run["steps"][1]["cancel_outcome"]])
        [output] = run["steps"][0]["generation_output_file"]
        assert (await service.anyone.get(path_of(output))).status_code == 200
        assert run["steps"][1]["generation_input_file"] == [output]
        [call] = await service.callbacks(created["id"])
        assert json.loads(call.body) == run


async def test_cancel_of_an_ended_run_changes_nothing(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("too late")))["id"])
    assert await service.cancel(run["id"]) == run
    assert await service.get(run["id"]) == run


async def test_cancel_before_any_worker_spends_nothing_once_one_comes(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, worker=False) as service:
        created = await service.create("chain1", drawn("never begun", webhook_url=service.hook))
        answered = await service.cancel(created["id"])
        assert answered["status"] == "queued"
        async with service.worker():
            run = await service.ended(created["id"])
            assert_canceled(run, ["skipped", "skipped"], ["not_started", "not_started"])
            [call] = await service.callbacks(created["id"])
            assert json.loads(call.body) == run
        assert await service.sandbox.jobs() == []


# ---- whose run it is --------------------------------------------------------------------------------------------


async def test_another_callers_run_and_one_that_never_was_look_the_same(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("private")))["id"])
    for method, path in (("GET", "/api/v1/chains/get/{}"), ("POST", "/api/v1/chains/cancel/{}")):
        foreign = await service.other.request(method, path.format(run["id"]), headers={"x-request-id": "same"})
        absent = await service.other.request(method, path.format(uuid4()), headers={"x-request-id": "same"})
        assert foreign.status_code == absent.status_code == 404
        assert foreign.content == absent.content
        # What the limiter counts differs from one request to the next, whatever they ask for.
        volatile = {"date": "", "ratelimit": ""}
        assert dict(foreign.headers) | volatile == dict(absent.headers) | volatile
        assert foreign.json()["error"]["code"] == "run_not_found"
    assert (await service.get(run["id"]))["status"] == "succeeded"


# ---- secrets ----------------------------------------------------------------------------------------------------


async def test_no_secret_is_found_where_people_look(
    temporal: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        async with running_service(temporal, tmp_path) as service:
            created = await service.create("chain1", drawn("a canary", webhook_url=service.hook), "canary")
            [call] = await service.callbacks(created["id"])
            shown = await service.get(created["id"])
            description = await service.client.get_workflow_handle(created["id"]).describe()
            histories = [await history_of(service.client, name) for name in (created["id"], f"after-{created['id']}")]
            refused = await service.api.post("/api/v1/chains/chain1/runs", json={"input": {"token": "t0p-secret"}})
            secrets = [SECRETS[name] for name in ("secret", "callback_secret", "cron_secret")]
            secrets += [KEY, OTHER_KEY, "sandbox-bfl", "sandbox-byteplus", "t0p-secret"]
    assert "run_created" in str(lines) and "callback_sent" in str(lines)
    names = [str(path.relative_to(tmp_path)) for path in (tmp_path / "assets").rglob("*")]
    assert any(name.endswith(".mp4") for name in names)
    signed = [url.partition("?")[2] for step in shown["steps"] for url in step["generation_output_file"]]
    places = {
        "history": b"".join(event.SerializeToString() for history in histories for event in history.events),
        "description": description.raw_description.SerializeToString(),
        "callback": call.body + str(call.headers).encode(),
        "answers": json.dumps([created, shown]).encode() + refused.content,
        "log": (str(lines) + caplog.text).encode(),
        "asset names": "\n".join(names).encode(),
    }
    found = [(place, secret) for place, data in places.items() for secret in secrets if secret.encode() in data]
    assert found == []
    assert not any(query.encode() in places[place] for query in signed for place in ("log", "history", "description"))
