"""What RelayDance's gateway takes: uploads, keys, and the bodies that it refuses."""

import re
from typing import Any

import pytest

from tests.sandbox.relaydance_calls import (
    BASE,
    FUSION,
    HORSE,
    KEY,
    KITE,
    SILENT,
    SINGING,
    TASKS,
    done,
    item,
    submit,
    task,
    upload,
)
from tests.support.pictures import jpeg
from tests.support.sandbox_client import Sandbox

MODELS = [SINGING, SILENT, FUSION, HORSE]
VIDEO = item("reference_video", "https://x.test/a.mp4", "video_url")
SOUND = item("reference_audio", "https://x.test/a.mp3", "audio_url")


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
