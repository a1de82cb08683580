"""BytePlus's video tasks as a client meets them."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.support.receiver import Receiver
from tests.support.sandbox_client import TASKS, Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually

FIRST = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}, "role": "first_frame"}
LAST = {"type": "image_url", "image_url": {"url": "https://x.test/b.png"}, "role": "last_frame"}
REFERENCE = {"type": "image_url", "image_url": {"url": "https://x.test/c.png"}, "role": "reference_image"}
TEXT = {"type": "text", "text": "the boat drifts"}
CLIP = {"type": "video_url", "video_url": {"url": "https://x.test/a.mp4"}, "role": "reference_video"}
SOUND = {"type": "audio_url", "audio_url": {"url": "https://x.test/a.mp3"}, "role": "reference_audio"}
DRAFT = {"type": "draft_task", "draft_task": {"id": "cgt-20261121030000-ab1cd"}}


async def test_a_task_is_created_polled_and_billed_by_the_formula(sandbox: Sandbox) -> None:
    created = await sandbox.seedance(resolution="720p", ratio="16:9", duration=5, seed=11, return_last_frame=True)
    assert created.status_code == 200
    assert set(created.json()) == {"id"}
    assert re.fullmatch(r"cgt-\d{14}-[a-z0-9]{5}", created.json()["id"])
    end = await sandbox.task_in(created.json()["id"], "succeeded")
    assert end["usage"] == {"completion_tokens": 108900, "total_tokens": 108900}
    assert end["error"] is None
    echoed = {
        name: end[name] for name in ("seed", "resolution", "ratio", "duration", "framespersecond", "generate_audio")
    }
    assert echoed == {
        "seed": 11,
        "resolution": "720p",
        "ratio": "16:9",
        "duration": 5,
        "framespersecond": 24,
        "generate_audio": True,
    }
    for name, kind in (("video_url", "video/mp4"), ("last_frame_url", "image/png")):
        assert (await sandbox.http.get(end["content"][name])).headers["content-type"] == kind
    [row] = await sandbox.jobs()
    assert (row["charged"], row["state"]) == (108900, "succeeded")


async def test_every_change_is_called_back_with_the_whole_task_and_no_signature(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    task_id = (await sandbox.seedance(callback_url=f"{receiver.url}/hooks/Zk3")).json()["id"]
    deliveries = [await receiver.next() for _ in range(3)]
    told = {delivery.json()["status"]: delivery for delivery in deliveries}
    assert set(told) == {"queued", "running", "succeeded"}
    assert told["succeeded"].json() == (await sandbox.task(task_id)).json()
    assert all(delivery.path == "/hooks/Zk3" for delivery in deliveries)
    assert not any("signature" in name or "secret" in name for delivery in deliveries for name in delivery.headers)


@pytest.mark.parametrize(
    ("model", "body", "code", "param"),
    [
        ("seedance-1-5-pro-251215", {"duration": 13}, "InvalidParameter", "duration"),
        ("seedance-1-5-pro-251215", {"duration": 1}, "InvalidParameter", "duration"),
        ("seedance-1-5-pro-251215", {"duration": "5"}, "InvalidParameter", "duration"),
        ("seedance-1-5-pro-251215", {"resolution": "4k"}, "InvalidParameter", "resolution"),
        ("seedance-1-5-pro-251215", {"ratio": "2:1"}, "InvalidParameter", "ratio"),
        ("seedance-1-5-pro-251215", {"seed": -2}, "InvalidParameter", "seed"),
        ("seedance-1-5-pro-251215", {"watermark": 1}, "InvalidParameter", "watermark"),
        ("seedance-1-5-pro-251215", {"frames": 49}, "InvalidParameter.UnsupportedParameter", "frames"),
        ("seedance-1-5-pro-251215", {"draft": True, "resolution": "720p"}, "InvalidParameter", "draft"),
        ("seedance-1-5-pro-251215", {"safety_identifier": "x" * 65}, "InvalidParameter", "safety_identifier"),
        ("seedance-1-5-pro-251215", {"callback_url": "nowhere"}, "InvalidParameter", "callback_url"),
        ("seedance-1-5-pro-251215", {"execution_expires_after": 60}, "InvalidParameter", "execution_expires_after"),
        ("seedance-1-0-pro-250528", {"duration": -1}, "InvalidParameter", "duration"),
        ("seedance-1-0-pro-250528", {"frames": 50}, "InvalidParameter", "frames"),
        (
            "seedance-1-0-pro-250528",
            {"generate_audio": True},
            "InvalidParameter.UnsupportedParameter",
            "generate_audio",
        ),
        ("dreamina-seedance-2-0-260128", {"duration": 3}, "InvalidParameter", "duration"),
        (
            "dreamina-seedance-2-0-260128",
            {"service_tier": "flex"},
            "InvalidParameter.UnsupportedParameter",
            "service_tier",
        ),
        (
            "dreamina-seedance-2-0-260128",
            {"camera_fixed": True},
            "InvalidParameter.UnsupportedParameter",
            "camera_fixed",
        ),
        ("dreamina-seedance-2-0-fast-260128", {"resolution": "1080p"}, "InvalidParameter", "resolution"),
    ],
)
async def test_a_field_outside_its_model_is_named(
    sandbox: Sandbox, model: str, body: dict[str, Any], code: str, param: str
) -> None:
    answer = await sandbox.seedance(model=model, **body)
    problem = answer.json()["error"]
    assert (answer.status_code, problem["code"], problem["param"]) == (400, code, param)
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize(
    ("model", "content"),
    [
        ("seedance-1-5-pro-251215", [TEXT, LAST]),
        ("seedance-1-5-pro-251215", [TEXT, FIRST, FIRST]),
        ("seedance-1-5-pro-251215", [TEXT, REFERENCE]),
        ("seedance-1-5-pro-251215", [TEXT, CLIP]),
        ("seedance-1-0-pro-fast-251015", [TEXT, FIRST, LAST]),
        ("seedance-1-0-lite-t2v-250428", [TEXT, FIRST]),
        ("seedance-1-0-lite-i2v-250428", [TEXT]),
        ("dreamina-seedance-2-0-260128", [TEXT, FIRST, REFERENCE]),
        ("dreamina-seedance-2-0-260128", [TEXT, FIRST, CLIP]),
        ("dreamina-seedance-2-0-260128", [TEXT, FIRST, SOUND]),
        ("dreamina-seedance-2-0-260128", [TEXT, {**FIRST, "role": None}, SOUND]),
        ("dreamina-seedance-2-0-260128", [TEXT, FIRST, LAST, SOUND]),
        ("dreamina-seedance-2-0-260128", [TEXT, *[REFERENCE] * 10]),
        ("dreamina-seedance-2-0-260128", [TEXT, *[CLIP] * 4]),
        ("dreamina-seedance-2-0-260128", [TEXT, REFERENCE, *[SOUND] * 4]),
        ("dreamina-seedance-2-0-260128", [TEXT, SOUND]),
        ("dreamina-seedance-2-0-260128", [TEXT, {**CLIP, "role": None}]),
        ("dreamina-seedance-2-0-260128", [TEXT, {**CLIP, "role": "reference_image"}]),
        ("dreamina-seedance-2-0-260128", [TEXT, {**CLIP, "video_url": {"url": "not an address"}}]),
        ("dreamina-seedance-2-0-260128", [TEXT, REFERENCE, {"type": "audio_url", "role": "reference_audio"}]),
        ("dreamina-seedance-2-0-260128", [DRAFT]),
        ("seedance-1-5-pro-251215", [{"type": "draft_task", "draft_task": {"id": ""}}]),
        ("dreamina-seedance-2-0-260128", [{"type": "text", "text": ""}]),
        ("dreamina-seedance-2-0-260128", []),
    ],
)
async def test_modes_that_exclude_one_another_are_refused(sandbox: Sandbox, model: str, content: list[Any]) -> None:
    answer = await sandbox.seedance(model=model, content=content)
    assert answer.status_code == 400
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize(
    ("model", "content"),
    [
        ("seedance-1-5-pro-251215", [TEXT, FIRST, LAST]),
        ("seedance-1-5-pro-251215", [TEXT, {**FIRST, "role": None}]),
        ("seedance-1-0-lite-i2v-250428", [TEXT, REFERENCE]),
        ("dreamina-seedance-2-0-260128", [TEXT, *[REFERENCE] * 9]),
        ("dreamina-seedance-2-0-260128", [TEXT, CLIP]),
        ("dreamina-seedance-2-0-260128", [TEXT, *[REFERENCE] * 9, *[CLIP] * 3, *[SOUND] * 3]),
        ("dreamina-seedance-2-0-260128", [CLIP, SOUND]),
        ("seedance-1-5-pro-251215", [DRAFT]),
        ("seedance-1-5-pro-251215", [{**FIRST, "image_url": {"url": "asset://kite"}}]),
    ],
)
async def test_every_documented_mode_is_taken(sandbox: Sandbox, model: str, content: list[Any]) -> None:
    assert (await sandbox.seedance(model=model, content=content)).status_code == 200


@pytest.mark.parametrize(("asked", "shown"), [(2, 2), (3, 3), (12, 12), (-1, 5)])
async def test_1_5_pro_takes_the_short_durations_that_really_worked(sandbox: Sandbox, asked: int, shown: int) -> None:
    task_id = (await sandbox.seedance(duration=asked)).json()["id"]
    assert (await sandbox.task(task_id)).json()["duration"] == shown


async def test_frames_win_over_duration_and_are_shown_in_its_place(sandbox: Sandbox) -> None:
    created = await sandbox.seedance(model="seedance-1-0-pro-250528", frames=61, duration=5, resolution="720p")
    end = await sandbox.task_in(created.json()["id"], "succeeded")
    assert end["frames"] == 61
    assert "duration" not in end
    assert end["usage"]["total_tokens"] == 61 * 1248 * 704 // 1024


async def test_flags_behind_the_prompt_are_read_and_wrong_ones_passed_over(sandbox: Sandbox) -> None:
    created = await sandbox.seedance("a boat --rs 480p --rt 1:1 --dur 99 --seed 7 --unknown x")
    task = (await sandbox.task(created.json()["id"])).json()
    assert (task["resolution"], task["ratio"], task["duration"], task["seed"]) == ("480p", "1:1", 5, 7)


async def test_unknown_body_fields_are_not_looked_at(sandbox: Sandbox) -> None:
    assert (await sandbox.seedance(framespersecond=60)).status_code == 200


async def test_a_post_to_a_path_that_looks_like_cancel_makes_another_paid_task(sandbox: Sandbox) -> None:
    task_id = (await sandbox.seedance()).json()["id"]
    body = {"model": "seedance-1-5-pro-251215", "content": [TEXT]}
    await sandbox.http.post(
        f"{sandbox.url}{TASKS}/{task_id}/cancel", json=body, headers={"authorization": "Bearer sandbox-ark"}
    )
    assert await sandbox.paid_starts() == 2


async def test_a_queued_task_is_cancelled_and_not_charged(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, video_seconds=600)) as url:
        slow = Sandbox(url, sandbox.http)
        task_id = (await slow.seedance()).json()["id"]
        deleted = await slow.task(task_id, method="DELETE")
        assert (deleted.status_code, deleted.json()) == (200, {})
        assert (await slow.task(task_id)).json()["status"] == "cancelled"
        assert (await slow.task(task_id, method="DELETE")).status_code == 409
        assert [(row["state"], row["charged"]) for row in await slow.jobs()] == [("cancelled", 0)]


async def test_a_running_task_cannot_be_deleted(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "never_ends"})
    task_id = (await sandbox.seedance()).json()["id"]
    await sandbox.task_in(task_id, "running")
    refused = await sandbox.task(task_id, method="DELETE")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "InvalidAction.RunningTaskDeletion")
    assert (await sandbox.task(task_id)).json()["status"] == "running"


async def test_deleting_an_ended_task_destroys_its_record(sandbox: Sandbox) -> None:
    task_id = (await sandbox.seedance()).json()["id"]
    await sandbox.task_in(task_id, "succeeded")
    assert (await sandbox.task(task_id, method="DELETE")).status_code == 200
    gone = await sandbox.task(task_id)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "ResourceNotFound")


async def test_a_task_is_unknown_to_another_account(sandbox: Sandbox) -> None:
    task_id = (await sandbox.seedance()).json()["id"]
    assert (await sandbox.task(task_id, key="sandbox-another")).status_code == 404
    assert (await sandbox.task(task_id, key="wrong")).status_code == 401


async def test_the_list_finds_a_lost_task_by_its_safety_identifier(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, limits=False)) as url:
        lister = Sandbox(url, sandbox.http)
        lost = (await lister.seedance(safety_identifier="attempt-1")).json()["id"]
        await lister.seedance(model="seedance-1-0-pro-250528")
        flex = (await lister.seedance(service_tier="flex")).json()["id"]
        found = (await lister.tasks(**{"filter.model": "seedance-1-5-pro-251215"})).json()
        assert [(item["id"], item["safety_identifier"]) for item in found["items"]] == [(lost, "attempt-1")]
        assert found["total"] == 1
        assert (await lister.tasks()).json()["total"] == 2
        hidden = (await lister.tasks(**{"filter.service_tier": "flex"})).json()
        assert [item["id"] for item in hidden["items"]] == [flex]
        assert (await lister.tasks(page_size=1)).json()["items"][0]["model"] == "seedance-1-0-pro-250528"
        assert (await lister.tasks(**{"filter.task_ids": [lost, flex]})).json()["total"] == 1
        await lister.task_in(lost, "succeeded")
        assert (await lister.tasks(**{"filter.status": "cancelled"})).json()["items"] == []
        assert (await lister.tasks(page_size=501)).status_code == 400
        assert (await lister.tasks(**{"filter.status": "lost"})).status_code == 400


async def test_listing_twice_in_a_second_is_too_often(sandbox: Sandbox) -> None:
    async with running_sandbox() as url:
        answers = await asyncio.gather(*(Sandbox(url, sandbox.http).tasks() for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 429]
    assert {"AccountRateLimitExceeded"} == {a.json()["error"]["code"] for a in answers if a.status_code == 429}


async def test_ten_tasks_run_at_once_and_the_queue_is_bounded(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, video_seconds=0.05)) as url:
        busy = Sandbox(url, sandbox.http)
        await busy.put_faults({"kind": "never_ends", "count": 10})
        ids = [(await busy.seedance()).json()["id"] for _ in range(11)]
        for task_id in ids[:10]:
            await busy.task_in(task_id, "running")
        assert (await busy.task(ids[10])).json()["status"] == "queued"
        answers = await asyncio.gather(*(busy.seedance() for _ in range(120)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert [answer.json()["error"]["code"] for answer in refused] == ["QuotaExceeded"]


@pytest.mark.parametrize("marker", ["[moderate-output]"])
async def test_a_marked_prompt_fails_with_a_sensitive_content_code(sandbox: Sandbox, marker: str) -> None:
    task_id = (await sandbox.seedance(f"a {marker} video")).json()["id"]
    end = await sandbox.task_in(task_id, "failed")
    assert end["error"]["code"] == "OutputVideoSensitiveContentDetected"
    assert "content" not in end
    assert "usage" not in end


async def test_a_refused_prompt_makes_no_task(sandbox: Sandbox) -> None:
    answer = await sandbox.seedance("a [moderate] video")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InputTextSensitiveContentDetected")
    assert await sandbox.paid_starts() == 0


async def test_the_client_request_id_is_in_the_ledger_and_the_key_is_not(sandbox: Sandbox) -> None:
    body = {"model": "seedance-1-5-pro-251215", "content": [TEXT]}
    headers = {"authorization": "Bearer sandbox-secret", "x-client-request-id": "intent-42", "cookie": "a=b"}
    await sandbox.http.post(sandbox.url + TASKS, json=body, headers=headers)
    rows = await eventually(sandbox.jobs, lambda rows: len(rows) == 1)
    assert rows[0]["headers"]["x-client-request-id"] == "intent-42"
    assert "sandbox-secret" not in str(rows)
    assert "cookie" not in rows[0]["headers"]
