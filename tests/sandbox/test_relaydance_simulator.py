"""RelayDance's gateway as a client meets it: a task's life, and its callbacks."""

import io
from dataclasses import replace
from typing import Any

import av
import httpx
import pytest

from tests.sandbox.relaydance_calls import FUSION, SILENT, SINGING, done, ended, item, submit, task, upload
from tests.support.pictures import jpeg
from tests.support.receiver import Receiver
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually


async def test_a_task_is_submitted_read_and_paid_by_the_clip(sandbox: Sandbox) -> None:
    metadata = {"ratio": "16:9", "resolution": "720p", "content": [item()]}
    submitted = await submit(sandbox, metadata=metadata)
    assert submitted.status_code == 200
    task_id = submitted.json()["task_id"]
    assert submitted.json() == {"task_id": task_id, "status": "submitted"}
    end = await ended(sandbox, task_id)
    assert end == {
        "task_id": task_id,
        "status": "succeeded",
        "url": end["url"],
        "format": "mp4",
        "metadata": {"ratio": "16:9", "resolution": "720p"},
    }
    assert (await sandbox.http.get(end["url"])).headers["content-type"] == "video/mp4"
    [row] = await sandbox.jobs()
    assert (row["operation"], row["charged"], row["state"], row["downloads"]) == ("submit", 1, "succeeded", 1)


@pytest.mark.parametrize(
    ("model", "metadata", "has_sound"),
    [(SINGING, {}, True), (SILENT, {}, False), (FUSION, {}, True), (FUSION, {"generate_audio": False}, False)],
)
async def test_a_clip_has_sound_by_its_model_or_switch(
    sandbox: Sandbox, model: str, metadata: dict[str, Any], has_sound: bool
) -> None:
    end = await done(sandbox, model=model, metadata={"content": [item()]} | metadata)
    clip = (await sandbox.http.get(end["url"])).content
    with av.open(io.BytesIO(clip)) as container:
        assert bool(container.streams.audio) is has_sound
        assert len(container.streams.video) == 1


async def test_a_real_clip_continues_the_uploaded_picture_in_the_size_asked(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, media="real")) as url:
        real = Sandbox(url, sandbox.http)
        hosted = (await upload(real, jpeg("kite", (640, 640)))).json()["url"]
        metadata = {"resolution": "480p", "content": [item(url=hosted)]}
        end = await done(real, model=SINGING, seconds="4", metadata=metadata)
        with av.open(io.BytesIO((await real.http.get(end["url"])).content)) as container:
            [film] = container.streams.video
            assert (film.width, film.height, film.frames) == (480, 480, 97)
            assert len(container.streams.audio) == 1
        gone = await submit(real, metadata={"content": [item(url=hosted + "x")]})
        assert (gone.status_code, "could not be read" in gone.text) == (400, True)


async def test_the_first_frame_is_known_by_its_role_and_not_by_its_place(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, media="real")) as url:
        real = Sandbox(url, sandbox.http)
        square, wide = [(await upload(real, jpeg("kite", size))).json()["url"] for size in ((640, 640), (800, 400))]
        metadata = {"resolution": "480p", "content": [item("last_frame", wide), item("first_frame", square)]}
        end = await done(real, prompt="a kite", seconds="4", metadata=metadata)
        with av.open(io.BytesIO((await real.http.get(end["url"])).content)) as container:
            [film] = container.streams.video
            assert (film.width, film.height) == (480, 480)


@pytest.mark.parametrize(
    ("dialect", "task_id", "words", "url"),
    [
        ("openai", lambda a: a["id"], ["queued", "in_progress", "completed"], lambda a: a["metadata"]["url"]),
        (
            "newapi",
            lambda a: a["data"]["task_id"],
            ["SUBMITTED", "IN_PROGRESS", "SUCCESS"],
            lambda a: a["data"]["result_url"],
        ),
    ],
)
@pytest.mark.parametrize("by_marker", [False, True])
async def test_the_other_dialects_can_be_asked_for(
    http: httpx.AsyncClient, dialect: Any, task_id: Any, words: list[str], url: Any, by_marker: bool
) -> None:
    config = QUICK if by_marker else replace(QUICK, relaydance_dialect=dialect)
    async with running_sandbox(config) as address:
        sandbox = Sandbox(address, http)
        receipt = (await submit(sandbox, f"@image1 [dialect={dialect}]" if by_marker else "@image1")).json()
        assert receipt.get("data", receipt)["status"] == words[0]

        async def read() -> dict[str, Any]:
            answer: dict[str, Any] = (await task(sandbox, task_id(receipt))).json()
            assert answer.get("data", answer)["status"] in words
            return answer

        end = await eventually(read, lambda answer: answer.get("data", answer)["status"] == words[2])
        assert (await http.get(url(end))).status_code == 200


async def test_a_link_dies_and_the_next_read_gives_a_fresh_one(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, relaydance_result_seconds=0.2)) as url:
        sandbox = Sandbox(url, http)
        end = await done(sandbox)

        async def status() -> int:
            return (await http.get(end["url"])).status_code

        assert await eventually(status, lambda code: code != 200) == 403
        fresh = (await task(sandbox, end["task_id"])).json()["url"]
        assert fresh != end["url"]
        assert (await http.get(fresh)).status_code == 200


async def test_a_link_that_lives_stays_the_same(sandbox: Sandbox) -> None:
    end = await done(sandbox)
    assert (await task(sandbox, end["task_id"])).json() == end


async def test_a_new_task_may_be_unknown_for_a_moment(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, relaydance_lag_seconds=1)) as url:
        sandbox = Sandbox(url, http)
        task_id = (await submit(sandbox)).json()["task_id"]
        assert (await task(sandbox, task_id)).status_code == 404

        async def status() -> int:
            return (await task(sandbox, task_id)).status_code

        assert await eventually(status, lambda code: code != 404) == 200


@pytest.mark.parametrize("marker", ["[moderate]", "[moderate-output]"])
async def test_a_marked_prompt_fails_and_costs_nothing(sandbox: Sandbox, marker: str) -> None:
    end = await done(sandbox, prompt=f"@image1 {marker}")
    assert (end["status"], end["error"]["code"]) == ("failed", "content_policy")
    assert "url" not in end
    assert [row["charged"] for row in await sandbox.jobs()] == [0]


async def test_faults_of_jobs_are_worded(sandbox: Sandbox) -> None:
    await sandbox.put_faults(
        {"kind": "moderated"},
        {"kind": "failed"},
        {"kind": "failed", "word": "error"},
        {"kind": "failed", "word": "expired"},
        {"kind": "unknown_status"},
    )
    ends = [await done(sandbox) for _ in range(5)]
    assert [end["status"] for end in ends] == ["failed", "failed", "error", "expired", "simmering"]
    assert [end.get("error", {}).get("code") for end in ends] == [
        "content_policy",
        "upstream_error",
        "upstream_error",
        "task_timeout",
        None,
    ]


async def test_a_task_can_be_forgotten_after_its_success_was_read(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "gone_after_success"})
    end = await done(sandbox)
    assert (await task(sandbox, end["task_id"])).status_code == 404


async def test_a_status_can_go_back(sandbox: Sandbox) -> None:
    end = await done(sandbox)
    await sandbox.put_faults({"kind": "status_back", "operation": "status"})
    words = [(await task(sandbox, end["task_id"])).json()["status"] for _ in range(2)]
    assert words == ["running", "succeeded"]


async def test_the_end_alone_is_called_back_unsigned_and_is_what_a_read_gives(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    metadata = {"content": [item()], "callback_url": f"{receiver.url}/hooks/pY4"}
    end = await done(sandbox, metadata=metadata)
    delivery = await receiver.next()
    assert delivery.path == "/hooks/pY4"
    assert delivery.json() == end
    assert "callback_url" not in end["metadata"]
    assert not any("signature" in name or "secret" in name for name in delivery.headers)
    assert len(receiver.calls) == 1


async def test_a_callback_at_the_top_level_calls_nobody(sandbox: Sandbox, receiver: Receiver) -> None:
    end = await done(sandbox, callback_url=f"{receiver.url}/hooks/pY4")
    later = {"content": [item()], "callback_url": f"{receiver.url}/later"}
    await done(sandbox, metadata=later)
    assert (await receiver.next()).path == "/later"
    assert end["status"] == "succeeded"
    assert len(receiver.calls) == 1
    assert [row["callback_url"] for row in await sandbox.jobs()] == [None, f"{receiver.url}/later"]


async def test_a_callback_that_nobody_takes_is_sent_again(http: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.status = 500
    async with running_sandbox(replace(QUICK, webhook_retry_seconds=(0.01, 0.01))) as url:
        end = await done(Sandbox(url, http), metadata={"content": [item()], "callback_url": receiver.url})
        bodies = [(await receiver.next()).json() for _ in range(3)]
    assert bodies == [end] * 3


@pytest.mark.parametrize(("fault", "words"), [("early", ["succeeded"]), ("forge", ["failed", "succeeded"])])
async def test_a_callback_can_come_early_or_from_a_stranger(
    sandbox: Sandbox, receiver: Receiver, fault: str, words: list[str]
) -> None:
    await sandbox.put_faults({"kind": fault})
    await done(sandbox, metadata={"content": [item()], "callback_url": receiver.url})
    said = [(await receiver.next()).json() for _ in words]
    assert sorted(body["status"] for body in said) == words
    assert fault != "early" or "url" not in said[0]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "double"}, ["succeeded", "succeeded"]),
        ({"kind": "reorder"}, ["succeeded", "running"]),
        ({"kind": "replay", "delay": 0.01}, ["succeeded", "succeeded"]),
        ({"kind": "bad_signature"}, ["succeeded"]),
    ],
)
async def test_callbacks_go_wrong_as_told(
    sandbox: Sandbox, receiver: Receiver, rule: dict[str, Any], words: list[str]
) -> None:
    await sandbox.put_faults(rule)
    await submit(sandbox, metadata={"content": [item()], "callback_url": receiver.url})
    assert [(await receiver.next()).json()["status"] for _ in words] == words


async def test_a_dropped_callback_never_comes(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "drop"})
    metadata = {"content": [item()], "callback_url": receiver.url}
    await done(sandbox, metadata=metadata)
    second = await done(sandbox, metadata=metadata)
    assert (await receiver.next()).json()["task_id"] == second["task_id"]
