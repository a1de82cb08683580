"""RelayDance's gateway as a client meets it."""

import io
import re
from dataclasses import replace
from typing import Any

import av
import httpx
import pytest

from tests.support.pictures import jpeg
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually
from tests.support.webhook_receiver import Receiver

BASE = "/relaydance/v1"
TASKS = BASE + "/video/generations"
SILENT, SINGING = "seedance-1-5-pro-no-audio", "seedance-1-5-pro-with-audio"
FUSION, HORSE = "doubao-seedance-2-0-1080p", "happyhorse-1.0-i2v"
MODELS = [SINGING, SILENT, FUSION, HORSE]
KEY = {"authorization": "Bearer sandbox-relaydance"}
KITE = "https://x.test/kite.png"


def item(role: str = "reference_image", url: str = KITE, kind: str = "image_url") -> dict[str, Any]:
    return {"type": kind, kind: {"url": url}, "role": role}


VIDEO = item("reference_video", "https://x.test/a.mp4", "video_url")
SOUND = item("reference_audio", "https://x.test/a.mp3", "audio_url")


async def submit(
    sandbox: Sandbox, prompt: str = "@image1 lifts off", *, model: str = SILENT, key: str = "sandbox-rd", **more: Any
) -> httpx.Response:
    body = {"model": model, "prompt": prompt, "seconds": "5", "metadata": {"content": [item()]}} | more
    headers = {"authorization": f"Bearer {key}"}
    return await sandbox.http.post(sandbox.url + TASKS, json=body, headers=headers)


async def task(sandbox: Sandbox, task_id: str, *, key: str = "sandbox-rd") -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    return await sandbox.http.get(f"{sandbox.url}{TASKS}/{task_id}", headers=headers)


async def ended(sandbox: Sandbox, task_id: str) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        payload: dict[str, Any] = (await task(sandbox, task_id)).json()
        return payload

    return await eventually(read, lambda payload: payload["status"] not in ("submitted", "running"))


async def done(sandbox: Sandbox, **body: Any) -> dict[str, Any]:
    return await ended(sandbox, (await submit(sandbox, **body)).json()["task_id"])


async def upload(sandbox: Sandbox, data: bytes, media_type: str = "image/jpeg", field: str = "file") -> httpx.Response:
    files = {field: ("kite.jpg", data, media_type)}
    return await sandbox.http.post(sandbox.url + BASE + "/files", files=files, headers=KEY)


# ---- a task's life ------------------------------------------------------------------------------------------------


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


# ---- callbacks ----------------------------------------------------------------------------------------------------


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
    assert len(receiver.received) == 1


async def test_a_callback_at_the_top_level_calls_nobody(sandbox: Sandbox, receiver: Receiver) -> None:
    end = await done(sandbox, callback_url=f"{receiver.url}/hooks/pY4")
    later = {"content": [item()], "callback_url": f"{receiver.url}/later"}
    await done(sandbox, metadata=later)
    assert (await receiver.next()).path == "/later"
    assert end["status"] == "succeeded"
    assert len(receiver.received) == 1
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


# ---- uploads ------------------------------------------------------------------------------------------------------


async def test_an_upload_is_hosted_and_is_no_paid_start(sandbox: Sandbox) -> None:
    picture = jpeg("kite")
    answer = await upload(sandbox, picture)
    assert set(answer.json()) == {"id", "url"}
    hosted = await sandbox.http.get(answer.json()["url"])
    assert (hosted.content, hosted.headers["content-type"]) == (picture, "image/jpeg")
    [row] = await sandbox.jobs()
    assert (row["operation"], row["job_id"], row["charged"]) == ("upload", None, 0)
    assert row["body"] == {"file": {"filename": "kite.jpg", "content_type": "image/jpeg", "bytes": len(picture)}}
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize(
    ("data", "media_type", "field", "status"),
    [
        (b"x", "image/png", "picture", 400),
        (b"x", "text/html", "file", 415),
        (b"", "image/png", "file", 415),
        (b"x" * (20 * 1024 * 1024 + 1), "image/png", "file", 413),
        (b"x", "video/mp4", "file", 200),
    ],
    ids=["wrong field", "web page", "empty", "too large", "video"],
)
async def test_what_is_taken_as_an_upload(
    sandbox: Sandbox, data: bytes, media_type: str, field: str, status: int
) -> None:
    answer = await upload(sandbox, data, media_type, field)
    assert answer.status_code == status
    assert ("url" in answer.json()) is (status == 200)


@pytest.mark.parametrize(
    "headers", [{"content-type": "application/json"}, {"content-type": "multipart/form-data"}, {}], ids=str
)
async def test_an_upload_that_is_no_form_lacks_its_file(sandbox: Sandbox, headers: dict[str, str]) -> None:
    answer = await sandbox.http.post(f"{sandbox.url}{BASE}/files", content=b"{}", headers=KEY | headers)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "file: Field required")


async def test_a_file_that_was_never_uploaded_is_not_hosted(sandbox: Sandbox) -> None:
    assert (await sandbox.http.get(f"{sandbox.url}/relaydance/u/none.png")).status_code == 404


async def test_an_upload_can_fail_too(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "no_job_id", "operation": "upload", "when": "after"})
    assert (await upload(sandbox, jpeg("kite"))).json() == {}
    await sandbox.put_faults({"kind": "status", "status": 503, "operation": "upload"})
    assert (await upload(sandbox, jpeg("kite"))).status_code == 503


async def test_an_answer_can_lack_its_task_in_every_dialect(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "no_job_id", "when": "after", "count": 2})
    answers = [(await submit(sandbox, f"@image1 [dialect={name}]")).json() for name in ("documented", "newapi")]
    assert answers[0] == {"status": "submitted"}
    assert answers[1]["data"] == {"status": "SUBMITTED", "fail_reason": ""}
    assert await sandbox.paid_starts() == 2


# ---- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/files", "/video/generations", "/video/generations/task_1", "/models"])
async def test_without_a_right_key_nothing_is_answered(sandbox: Sandbox, path: str) -> None:
    method = "GET" if path.endswith(("task_1", "models")) else "POST"
    for headers in ({}, {"authorization": "Bearer wrong"}, {"x-key": "sandbox-relaydance"}):
        answer = await sandbox.http.request(method, sandbox.url + BASE + path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "authentication_error"


async def test_the_models_of_the_key_are_listed(sandbox: Sandbox) -> None:
    listed = await sandbox.http.get(f"{sandbox.url}{BASE}/models", headers=KEY)
    assert [row["id"] for row in listed.json()["data"]] == MODELS


async def test_a_task_is_unknown_to_another_account(sandbox: Sandbox) -> None:
    task_id = (await submit(sandbox)).json()["task_id"]
    assert (await task(sandbox, task_id, key="sandbox-another")).status_code == 404
    assert (await task(sandbox, "task_never_was")).json()["error"]["type"] == "not_found_error"
    assert (await sandbox.http.get(f"{sandbox.url}{BASE}/videos", headers=KEY)).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"model": "seedance-9"}, 404, "seedance-9"),
        ({"model": SILENT.upper()}, 404, "does not exist"),
        ({"prompt": ""}, 400, "prompt"),
        ({"seconds": 5}, 400, "seconds"),
        ({"seconds": "five"}, 400, "seconds"),
        ({"seconds": "3"}, 400, "between 4 and 12"),
        ({"seconds": "9" * 5000}, 400, "between 4 and 12"),
        ({"metadata": "16:9"}, 400, "metadata"),
        ({"metadata": {"ratio": "2:1"}}, 400, "ratio"),
        ({"metadata": {"resolution": "4k"}}, 400, "resolution"),
        ({"metadata": {"generate_audio": True}}, 400, "generate_audio"),
        ({"metadata": {"callback_url": "nowhere"}}, 400, "callback_url"),
        ({"metadata": {"content": [{"type": "image_url", "image_url": {"url": KITE}}]}}, 400, "role"),
        ({"metadata": {"content": [{"type": "image_url", "role": "reference_image"}]}}, 400, "image_url"),
        ({"metadata": {"content": [item("reference_video")]}}, 400, "role"),
        ({"metadata": {"content": [item(url="data:image/png;base64,AA==")]}}, 400, "url"),
        ({"metadata": {"content": [item(), item("last_frame")]}}, 400, "exclude each other"),
        ({"metadata": {"content": [item("first_frame"), item("first_frame")]}}, 400, "one first_frame"),
        ({"metadata": {"content": [item()] * 10}}, 400, "at most 9"),
        ({"metadata": {"content": [item(), *[VIDEO] * 4]}}, 400, "at most 3"),
        ({"metadata": {"content": [item(), *[SOUND] * 4]}}, 400, "at most 3"),
        ({"prompt": "@image2"}, 400, "@image2"),
        ({"prompt": "@image0"}, 400, "@image0"),
        ({"metadata": {}}, 400, "@image1 is not among the 0 images"),
        ({"model": FUSION, "metadata": {"resolution": "720p", "content": [item()]}}, 400, "1080p"),
        ({"model": HORSE, "prompt": "a kite", "metadata": {}}, 400, "needs an image"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_is_wrong_is_named_and_starts_nothing(
    sandbox: Sandbox, body: dict[str, Any], status: int, words: str
) -> None:
    answer = await submit(sandbox, **body)
    assert (answer.status_code, words in answer.json()["error"]["message"]) == (status, True)
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"text"', b"{}"])
async def test_a_body_that_is_no_order_is_refused(sandbox: Sandbox, raw: bytes) -> None:
    answer = await sandbox.http.post(sandbox.url + TASKS, content=raw, headers=KEY)
    assert answer.status_code == 400


async def test_an_account_without_credit_starts_nothing(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "no_credit"})
    answer = await submit(sandbox)
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "insufficient_quota")
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize(
    ("model", "prompt", "content"),
    [
        (FUSION, "@image9 to @image1", [item(url=f"https://x.test/{n}.png") for n in range(9)]),
        (SILENT, "a kite", [item("first_frame"), item("last_frame")]),
        (SILENT, "a kite", []),
        (FUSION, "@image1", [item(), *[VIDEO] * 3, *[SOUND] * 3]),
        (SILENT, "a kite", [item(url="asset://kite")]),
        *[(model, "@image1", [item()]) for model in MODELS],
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_documented_is_taken(sandbox: Sandbox, model: str, prompt: str, content: list[Any]) -> None:
    end = await done(sandbox, model=model, prompt=prompt, metadata={"content": content})
    assert end["status"] == "succeeded"


async def test_the_key_is_not_in_the_ledger(sandbox: Sandbox) -> None:
    await submit(sandbox, key="sandbox-canary")
    await upload(sandbox, jpeg("kite"))
    rows = await sandbox.jobs()
    assert len(rows) == 2
    assert not re.search("canary|sandbox-relaydance", str(rows))
