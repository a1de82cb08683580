"""BFL's protocol as a client meets it."""

import asyncio
import base64
import io
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.support.receiver import Receiver
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually


def picture_in_base64(side: int = 512) -> str:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (200, 120, 40)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


async def test_a_task_is_submitted_polled_at_its_own_address_and_downloaded(sandbox: Sandbox) -> None:
    submitted = await sandbox.bfl(seed=7, output_format="png")
    assert submitted.status_code == 200
    receipt = submitted.json()
    assert set(receipt) == {"id", "polling_url", "cost", "input_mp", "output_mp"}
    assert (receipt["cost"], receipt["input_mp"], receipt["output_mp"]) == (3.0, 0.0, 1.0)
    assert httpx.URL(receipt["polling_url"]).host != httpx.URL(sandbox.url).host

    async def read() -> dict[str, Any]:
        task: dict[str, Any] = (await sandbox.http.get(receipt["polling_url"])).json()
        return task

    end = await eventually(read, lambda task: task["status"] != "Pending")
    assert end["status"] == "Ready"
    assert end["result"]["seed"] == 7
    assert end["result"]["prompt"] == "a paper boat"
    assert httpx.URL(end["result"]["sample"]).host == "localhost"
    file = await sandbox.http.get(end["result"]["sample"])
    assert file.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(file.content)).format == "PNG"


async def test_pending_progress_only_grows(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, picture_seconds=1)) as url:
        slow = Sandbox(url, sandbox.http)
        task_id = (await slow.bfl()).json()["id"]
        seen: list[dict[str, Any]] = []

        async def read() -> dict[str, Any]:
            seen.append((await slow.poll(task_id)).json())
            return seen[-1]

        await eventually(read, lambda task: task["status"] == "Ready")
    progress = [task["progress"] for task in seen if task["status"] == "Pending" and task["progress"] is not None]
    assert seen[0]["progress"] is None
    assert progress == sorted(progress)
    assert progress[-1] > progress[0]
    assert seen[-1]["progress"] is None


async def test_with_a_webhook_the_answer_has_no_polling_url_and_the_submit_host_can_be_polled(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    hook = f"{receiver.url}/hooks/bfl?token=abc"
    receipt = (await sandbox.bfl(webhook_url=hook, webhook_secret="s3cret")).json()
    assert "polling_url" not in receipt
    assert (receipt["status"], receipt["webhook_url"]) == ("Pending", hook)
    delivery = await receiver.next()
    assert delivery.path == "/hooks/bfl?token=abc"
    assert delivery.headers["x-webhook-secret"] == "s3cret"
    assert delivery.json() == await sandbox.bfl_end(receipt["id"])


async def test_a_strict_cluster_does_not_know_the_task_on_the_submit_host(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, bfl_strict_polling=True)) as url:
        strict = Sandbox(url, sandbox.http)
        receipt = (await strict.bfl()).json()
        assert (await strict.poll(receipt["id"])).json()["status"] == "Task not found"
        there = (await sandbox.http.get(receipt["polling_url"])).json()
        assert there["status"] in {"Pending", "Ready"}


async def test_a_task_is_unknown_until_the_clusters_have_heard_of_it(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, bfl_replication_seconds=0.5)) as url:
        lagging = Sandbox(url, sandbox.http)
        task_id = (await lagging.bfl()).json()["id"]
        assert (await lagging.poll(task_id)).json()["status"] == "Task not found"

        async def read() -> str:
            return str((await lagging.poll(task_id)).json()["status"])

        assert await eventually(read, lambda status: status != "Task not found") == "Ready"


async def test_a_task_is_forgotten_after_its_retention(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, bfl_retention_seconds=0.05)) as url:
        forgetful = Sandbox(url, sandbox.http)
        task_id = (await forgetful.bfl()).json()["id"]

        async def read() -> str:
            return str((await forgetful.poll(task_id)).json()["status"])

        await eventually(read, lambda status: status == "Task not found")


@pytest.mark.parametrize("key", ["", "wrong", "Bearer sandbox-bfl"])
async def test_a_wrong_key_is_not_authenticated_whatever_the_body(sandbox: Sandbox, key: str) -> None:
    answer = await sandbox.http.post(f"{sandbox.url}/bfl/v1/flux-2-pro", json={}, headers={"x-key": key})
    assert (answer.status_code, answer.json()) == (403, {"detail": "Not authenticated"})


async def test_an_empty_body_with_a_right_key_is_a_free_key_check(sandbox: Sandbox) -> None:
    answer = await sandbox.http.post(f"{sandbox.url}/bfl/v1/flux-2-pro", json={}, headers={"x-key": "sandbox"})
    assert answer.status_code == 422
    assert answer.json() == {"detail": [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required"}]}


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [
        ("flux-2-pro", {"width": 1000, "height": 1024}, "width"),
        ("flux-2-pro", {"width": 48, "height": 1024}, "width"),
        ("flux-2-pro", {"safety_tolerance": 6}, "safety_tolerance"),
        ("flux-2-pro", {"steps": 20}, "steps"),
        ("flux-2-pro", {"guidance": 3}, "guidance"),
        ("flux-2-pro", {"output_format": "gif"}, "output_format"),
        ("flux-2-pro", {"webhook_url": "not a url"}, "webhook_url"),
        ("flux-2-flex", {"steps": 51}, "steps"),
        ("flux-2-flex", {"guidance": 1.0}, "guidance"),
        ("flux-2-klein-4b", {"input_image_5": "x"}, "input_image_5"),
        ("flux-2-klein-9b", {"prompt_upsampling": True}, "prompt_upsampling"),
        ("flux-pro-1.1", {"width": 1472}, "width"),
        ("flux-pro-1.1", {"safety_tolerance": 7}, "safety_tolerance"),
        ("flux-pro-1.1-ultra", {"aspect_ratio": "22:9"}, "aspect_ratio"),
        ("flux-kontext-pro", {"output_format": "webp"}, "output_format"),
    ],
)
async def test_a_field_outside_its_model_is_named_in_a_422(
    sandbox: Sandbox, model: str, body: dict[str, Any], field: str
) -> None:
    answer = await sandbox.bfl(model, **body)
    assert answer.status_code == 422
    problem = answer.json()["detail"][0]
    assert problem["loc"] == ["body", field]
    assert set(problem) == {"type", "loc", "msg"}
    assert await sandbox.paid_starts() == 0


async def test_more_than_four_megapixels_are_refused(sandbox: Sandbox) -> None:
    assert (await sandbox.bfl(width=2048, height=2064)).status_code == 422
    assert (await sandbox.bfl(width=2048, height=2048)).status_code == 200


async def test_flux_1_allows_a_safety_of_six_and_ignores_unknown_fields(sandbox: Sandbox) -> None:
    answer = await sandbox.bfl("flux-pro-1.1", safety_tolerance=6, never_heard_of="it")
    assert (answer.status_code, answer.json()["cost"]) == (200, 4.0)


@pytest.mark.parametrize(
    ("model", "body", "cost"),
    [
        ("flux-2-pro", {"width": 1440, "height": 1440}, 4.5),
        ("flux-2-max", {"width": 1024, "height": 1024}, 7.0),
        ("flux-2-flex", {"width": 1024, "height": 1024}, 5.0),
        ("flux-2-klein-4b", {"width": 2048, "height": 1024}, 1.5),
        ("flux-2-klein-9b", {}, 1.5),
        ("flux-pro-1.1-ultra", {}, 6.0),
        ("flux-kontext-max", {}, 8.0),
    ],
)
async def test_a_submit_quotes_the_price_list(sandbox: Sandbox, model: str, body: dict[str, Any], cost: float) -> None:
    assert (await sandbox.bfl(model, **body)).json()["cost"] == cost


async def test_an_input_picture_counts_in_megapixels_and_price(sandbox: Sandbox) -> None:
    receipt = (await sandbox.bfl(input_image=picture_in_base64(1024), width=1024, height=1024)).json()
    assert (receipt["cost"], receipt["input_mp"]) == (4.5, 1.0)


async def test_an_unreadable_input_picture_is_a_bad_request(sandbox: Sandbox) -> None:
    answer = await sandbox.bfl(input_image=base64.b64encode(b"not a picture").decode())
    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)


async def test_an_unreachable_input_picture_is_a_bad_request_in_real_mode(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, media="real")) as url:
        answer = await Sandbox(url, sandbox.http).bfl(input_image="http://127.0.0.1:9/gone.png")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("marker", "status"), [("[moderate]", "Request Moderated"), ("[moderate-output]", "Content Moderated")]
)
async def test_a_marked_prompt_is_moderated_and_costs_nothing(sandbox: Sandbox, marker: str, status: str) -> None:
    key = f"sandbox-{status}".replace(" ", "-")
    before = await credits_of(sandbox, key)
    receipt = (await sandbox.bfl(prompt=f"something {marker}", key=key)).json()
    end = await sandbox.bfl_end(receipt["id"])
    assert (end["status"], end["result"]) == (status, None)
    assert end["details"]["Moderation Reasons"]
    assert receipt["cost"] == 3.0
    assert await credits_of(sandbox, key) == before


async def test_credits_fall_when_a_task_is_ready(sandbox: Sandbox) -> None:
    before = await credits_of(sandbox, "sandbox-payer")
    receipt = (await sandbox.bfl("flux-2-max", key="sandbox-payer")).json()
    await sandbox.bfl_end(receipt["id"])
    assert await credits_of(sandbox, "sandbox-payer") == before - 7.0


async def credits_of(sandbox: Sandbox, key: str) -> float:
    answer = await sandbox.http.get(f"{sandbox.url}/bfl/v1/credits", headers={"x-key": key})
    return float(answer.json()["credits"])


async def test_credits_need_a_key(sandbox: Sandbox) -> None:
    assert (await sandbox.http.get(f"{sandbox.url}/bfl/v1/credits")).status_code == 403


@pytest.mark.parametrize(("model", "limit"), [("flux-2-pro", 24), ("flux-kontext-max", 6)])
async def test_too_many_active_tasks_are_refused_until_one_ends(sandbox: Sandbox, model: str, limit: int) -> None:
    async with running_sandbox(replace(QUICK, picture_seconds=60)) as url:
        busy = Sandbox(url, sandbox.http)
        await busy.put_faults({"kind": "failed", "delay": 2})
        task_id = (await busy.bfl(model)).json()["id"]
        others = await asyncio.gather(*(busy.bfl(model) for _ in range(limit)))
        assert sorted(answer.status_code for answer in others) == [200] * (limit - 1) + [429]
        assert (await busy.bfl(model, key="sandbox-another-account")).status_code == 200
        await busy.bfl_end(task_id)
        assert (await busy.bfl(model)).status_code == 200


async def test_limits_can_be_off(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, picture_seconds=30, limits=False)) as url:
        for _ in range(30):
            assert (await Sandbox(url, sandbox.http).bfl()).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/bfl/v1/flux-9"), ("GET", "/bfl/v1/tasks"), ("DELETE", "/bfl/v1/get_result"), ("GET", "/bfl")],
)
async def test_what_bfl_does_not_have_is_not_found(sandbox: Sandbox, method: str, path: str) -> None:
    answer = await sandbox.http.request(method, sandbox.url + path, headers={"x-key": "sandbox"})
    assert answer.status_code == 404


async def test_a_poll_without_an_id_is_a_422(sandbox: Sandbox) -> None:
    answer = await sandbox.http.get(f"{sandbox.url}/bfl/v1/get_result")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "id"])


async def test_without_a_seed_the_provider_picks_and_reports_one(sandbox: Sandbox) -> None:
    first, second = [await sandbox.bfl_end((await sandbox.bfl()).json()["id"]) for _ in range(2)]
    assert first["result"]["seed"] != second["result"]["seed"]
