"""Bach's tasks as a client meets them."""

import base64
import hashlib
import hmac
import io
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.providers.bach.tokens import SECRET_KEY
from tests.support.receiver import Receiver, receiving
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.serving import serving
from tests.support.waiting import eventually

PATH = "/bach/videos/image2video"
BODY: dict[str, Any] = {
    "model_name": "bach-1.0-preview",
    "image_url": "https://media.example.net/step-1.jpeg",
    "prompt": "slow push-in",
    "resolution": "720p",
    "duration": 5,
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def create(sandbox: Sandbox, *, key: str = "sandbox-bach", without: str = "", **more: Any) -> httpx.Response:
    body = {name: value for name, value in {**BODY, **more}.items() if name != without}
    return await sandbox.http.post(sandbox.url + PATH, json=body, headers={"authorization": f"Bearer {key}"})


async def query(sandbox: Sandbox, task_id: str, *, key: str = "sandbox-bach") -> httpx.Response:
    return await sandbox.http.get(f"{sandbox.url}{PATH}/{task_id}", headers={"authorization": f"Bearer {key}"})


async def made(sandbox: Sandbox, **more: Any) -> str:
    answer = await create(sandbox, **more)
    assert answer.status_code == 200, answer.text
    task_id: str = answer.json()["data"]["task_id"]
    return task_id


async def end_of(sandbox: Sandbox, task_id: str) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        data: dict[str, Any] = (await query(sandbox, task_id)).json()["data"]
        return data

    return await eventually(read, lambda data: data["status"] in ("TASK_SUCCEEDED", "TASK_FAILED"))


def picture(format: str, size: tuple[int, int] = (320, 320)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 120, 60)).save(file, format)
    return file.getvalue()


def jwt(issuer: str, secret: str, *, valid_from: float = -5, valid_to: float = 1800) -> str:
    claims = {"iss": issuer, "nbf": int(time.time() + valid_from), "exp": int(time.time() + valid_to)}
    head, body = (unpadded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{head}.{body}.{unpadded(hmac.digest(secret.encode(), f'{head}.{body}'.encode(), hashlib.sha256))}"


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@asynccontextmanager
async def hosting(data: bytes) -> AsyncIterator[str]:
    """The address of a file on another server."""

    async def send(_: Request) -> Response:
        return Response(data)

    async with serving(Starlette(routes=[Route("/file", send)])) as url:
        yield f"{url}/file"


async def test_a_task_is_created_queried_and_charged_by_the_second(sandbox: Sandbox) -> None:
    answer = (await create(sandbox)).json()
    assert (answer["code"], answer["message"], set(answer["data"])) == (200, "Success", {"task_id", "create_at"})
    assert UUID.fullmatch(answer["data"]["task_id"])
    assert abs(answer["data"]["create_at"] - time.time()) < 60
    end = await end_of(sandbox, answer["data"]["task_id"])
    assert set(end) == {"task_id", "status", "message", "video_url"}
    assert (await sandbox.http.get(end["video_url"])).headers["content-type"] == "video/mp4"
    [row] = await sandbox.jobs()
    assert (row["charged"], row["state"]) == (5, "succeeded")


async def test_a_task_is_pending_then_processing_and_has_no_video_yet(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, video_seconds=600)) as url:
        slow = Sandbox(url, sandbox.http)
        data = (await query(slow, await made(slow))).json()["data"]
        assert (data["status"], "video_url" in data) == ("TASK_PENDING", False)
    await sandbox.put_faults({"kind": "never_ends"})
    task_id = await made(sandbox)

    async def status() -> str:
        word: str = (await query(sandbox, task_id)).json()["data"]["status"]
        return word

    await eventually(status, lambda word: word == "TASK_PROCESSING")


@pytest.mark.parametrize(
    "more",
    [
        {"without": "model_name"},
        {"model_name": "bach-2.0"},
        {"without": "image_url"},
        {"image_url": "data:image/png;base64,AA=="},
        {"without": "resolution"},
        {"resolution": "720P"},
        {"without": "duration"},
        {"duration": 0},
        {"duration": 7},
        {"duration": 2.5},
        {"duration": "5"},
        {"prompt": "x" * 10_001},
        {"negative_prompt": "x" * 10_001},
        {"fps": 25},
        {"cfg_scale": 0.9},
        {"cfg_scale": 15.1},
        {"enhance_prompt": "yes"},
        {"audio_prompt": "x" * 201},
        {"callback_url": "https://x.test/" + "x" * 500},
        {"seed": -1},
        {"seed": 10_000_001},
    ],
    ids=lambda more: "-".join(map(str, more.values()))[:24],
)
async def test_a_bad_field_is_refused_with_code_1000_and_makes_no_task(sandbox: Sandbox, more: dict[str, Any]) -> None:
    answer = await create(sandbox, **more)
    assert (answer.status_code, answer.json()["code"]) == (400, 1000)
    assert answer.json()["message"]
    assert await sandbox.paid_starts() == 0


async def test_the_documented_complaints_are_worded_as_documented(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, bach_longest_video=5, bach_needs_prompt=True)) as url:
        strict = Sandbox(url, sandbox.http)
        assert (await create(strict, without="prompt")).json() == {"code": 1000, "message": "Please provide a prompt."}
        complaint = {"code": 1000, "message": "Duration must be between 1 and 5 seconds."}
        assert (await create(strict, duration=6)).json() == complaint
    assert (await create(sandbox, without="prompt", duration=6)).status_code == 200


async def test_without_credit_no_task_is_made(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "no_credit"})
    answer = await create(sandbox)
    assert (answer.status_code, answer.json()) == (403, {"code": 1302, "message": "Insufficient credit package."})
    assert await sandbox.paid_starts() == 0


async def test_a_balance_runs_out_and_can_be_filled_again(sandbox: Sandbox) -> None:
    key = "sandbox-bach-with-a-balance"

    async def fill(credits: int) -> None:
        bearer = {"authorization": f"Bearer {key}"}
        page = f"{sandbox.url}/bach/dashboard/credits"
        assert (await sandbox.http.put(page, json={"credits": credits}, headers=bearer)).status_code == 200

    await fill(8)
    assert (await create(sandbox, key=key, duration=5)).status_code == 200
    answer = await create(sandbox, key=key, duration=5)
    assert (answer.status_code, answer.json()) == (403, {"code": 1302, "message": "Insufficient credit package."})
    assert (await create(sandbox, key=key, duration=3)).status_code == 200
    assert (await create(sandbox, key=key, duration=1)).status_code == 403
    assert await sandbox.paid_starts() == 2
    assert (await create(sandbox, duration=5)).status_code == 200, "another account's credits are its own"
    await fill(5)
    assert (await create(sandbox, key=key, duration=5)).status_code == 200


async def test_a_task_that_fails_costs_no_credits(sandbox: Sandbox) -> None:
    key = "sandbox-bach-with-another-balance"
    bearer = {"authorization": f"Bearer {key}"}
    await sandbox.http.put(f"{sandbox.url}/bach/dashboard/credits", json={"credits": 5}, headers=bearer)
    await sandbox.put_faults({"kind": "failed"})
    task_id = (await create(sandbox, key=key)).json()["data"]["task_id"]

    async def status() -> str:
        word: str = (await query(sandbox, task_id, key=key)).json()["data"]["status"]
        return word

    await eventually(status, lambda word: word == "TASK_FAILED")
    assert (await create(sandbox, key=key)).status_code == 200


@pytest.mark.parametrize("key", ["wrong", "not.a.token", "....", "eyJhbGciOiJub25lIn0.e30."])
async def test_a_wrong_token_is_401(sandbox: Sandbox, key: str) -> None:
    for answer in (await create(sandbox, key=key), await query(sandbox, "x", key=key)):
        assert (answer.status_code, answer.json()["code"]) == (401, 401)


async def test_a_jwt_is_checked_for_its_signature_and_its_times(sandbox: Sandbox) -> None:
    for key, status in (
        (jwt("sandbox-access", SECRET_KEY), 200),
        (jwt("sandbox-access", "another secret"), 401),
        (jwt("somebody", SECRET_KEY), 401),
        (jwt("sandbox-access", SECRET_KEY, valid_to=-1), 401),
        (jwt("sandbox-access", SECRET_KEY, valid_from=60), 401),
    ):
        assert (await create(sandbox, key=key)).status_code == status


async def test_scheme_and_token_are_one_blank_apart(sandbox: Sandbox) -> None:
    for header in ("Bearer  sandbox-bach", "bearer sandbox-bach", "sandbox-bach"):
        answer = await sandbox.http.post(sandbox.url + PATH, json=BODY, headers={"authorization": header})
        assert answer.status_code == 401


async def test_a_task_is_unknown_to_another_account(sandbox: Sandbox) -> None:
    task_id = await made(sandbox)
    assert (await query(sandbox, task_id, key="sandbox-another")).status_code == 404
    assert (await query(sandbox, "b7d0f3a2-5a51-4a7e-9c9f-0f5f8f6c1d10")).status_code == 404


@pytest.mark.parametrize("field", ["prompt", "negative_prompt", "audio_prompt"])
async def test_marked_texts_are_refused_unless_moderation_is_off(sandbox: Sandbox, field: str) -> None:
    refused = await create(sandbox, **{field: "a [moderate] text"})
    assert (refused.status_code, "moderation" in refused.json()["message"]) == (400, True)
    assert await sandbox.paid_starts() == 0
    assert (await create(sandbox, **{field: "a [moderate] text"}, enable_moderation=False)).status_code == 200


async def test_a_marked_output_fails_the_task_with_a_reason(sandbox: Sandbox) -> None:
    end = await end_of(sandbox, await made(sandbox, prompt="a [moderate-output] scene"))
    assert (end["status"], "moderation" in end["message"], "video_url" in end) == ("TASK_FAILED", True, False)
    [row] = await sandbox.jobs()
    assert row["charged"] == 0


# ---- callbacks ----------------------------------------------------------------------------------------------------


async def test_the_end_is_called_back_flat_and_unsigned(sandbox: Sandbox, receiver: Receiver) -> None:
    task_id = await made(sandbox, callback_url=f"{receiver.url}/hooks/Zk3")
    delivery = await receiver.next()
    told = delivery.json()
    assert set(told) == {"task_id", "status", "video_url", "created_at", "completed_at"}
    assert (delivery.path, told["task_id"], told["status"]) == ("/hooks/Zk3", task_id, "TASK_SUCCEEDED")
    assert not any("signature" in name or "secret" in name for name in delivery.headers)
    assert (await end_of(sandbox, task_id))["video_url"] == told["video_url"]


async def test_a_failed_task_is_called_back_without_a_video(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "failed"})
    await made(sandbox, callback_url=f"{receiver.url}/hook")
    told = (await receiver.next()).json()
    assert (told["status"], "video_url" in told) == ("TASK_FAILED", False)


@pytest.mark.parametrize("status", [202, 500])
async def test_anything_but_200_is_called_back_three_times_more(sandbox: Sandbox, status: int) -> None:
    async with (
        running_sandbox(replace(QUICK, webhook_retry_seconds=(0.01, 0.02, 0.04))) as url,
        receiving() as receiver,
    ):
        receiver.status = status
        await made(Sandbox(url, sandbox.http), callback_url=f"{receiver.url}/hook")
        bodies = [(await receiver.next()).body for _ in range(4)]
    assert len(set(bodies)) == 1


async def test_a_callback_can_come_early_or_be_forged_and_the_task_tells_the_truth(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    await sandbox.put_faults({"kind": "early"})
    task_id = await made(sandbox, callback_url=f"{receiver.url}/hook")
    early = await receiver.next()
    assert (early.json()["task_id"], early.json()["status"]) == (task_id, "TASK_SUCCEEDED")
    await sandbox.put_faults({"kind": "forge"})
    task_id = await made(sandbox, callback_url=f"{receiver.url}/hook")
    words = [(await receiver.next()).json()["status"] for _ in range(2)]
    assert sorted(words) == ["TASK_FAILED", "TASK_SUCCEEDED"]
    assert (await end_of(sandbox, task_id))["status"] == "TASK_SUCCEEDED"


async def test_an_earlier_state_can_come_after_the_last(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "reorder"})
    await made(sandbox, callback_url=f"{receiver.url}/hook")
    words = [(await receiver.next()).json()["status"] for _ in range(2)]
    assert words == ["TASK_SUCCEEDED", "TASK_PROCESSING"]


# ---- faults -------------------------------------------------------------------------------------------------------


async def test_faults_have_bachs_shape(sandbox: Sandbox) -> None:
    await sandbox.put_faults(
        {"kind": "error_in_200"}, {"kind": "no_job_id", "when": "after"}, {"kind": "status", "status": 500}
    )
    assert set((await create(sandbox)).json()) == {"code", "message"}
    nameless = await create(sandbox)
    assert (nameless.status_code, set(nameless.json()["data"])) == (200, {"create_at"})
    assert (await create(sandbox)).json()["code"] == 500
    assert await sandbox.paid_starts() == 1


async def test_a_task_can_be_strange_or_vanish(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "gone_after_success"})
    task_id = await made(sandbox)
    await end_of(sandbox, task_id)
    assert (await query(sandbox, task_id)).status_code == 404
    await sandbox.put_faults({"kind": "unknown_status", "operation": "status"})
    assert (await query(sandbox, await made(sandbox))).json()["data"]["status"] == "TASK_REVIEWING"


async def test_a_video_url_dies_after_its_time(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, bach_result_seconds=1)) as url:
        short = Sandbox(url, sandbox.http)
        address = (await end_of(short, await made(short)))["video_url"]

        async def status() -> int:
            return (await sandbox.http.get(address)).status_code

        assert await eventually(status, lambda code: code != 200) == 403


# ---- with real media ----------------------------------------------------------------------------------------------

REAL = replace(QUICK, media="real")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF"])
async def test_every_documented_format_of_picture_is_taken(sandbox: Sandbox, format: str) -> None:
    async with running_sandbox(REAL) as url, hosting(picture(format, (300, 300))) as image:
        assert (await create(Sandbox(url, sandbox.http), image_url=image, duration=1)).status_code == 200


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (picture("JPEG", (299, 400)), "300x300"),
        (picture("PPM"), "Unsupported image format PPM"),
        (picture("JPEG") + bytes(10 * 1024 * 1024), "10 MB"),
        (b"no picture", "not a picture"),
    ],
    ids=["small", "format", "large", "odd"],
)
async def test_a_bad_picture_is_refused_or_ends_the_task(sandbox: Sandbox, data: bytes, words: str) -> None:
    async with hosting(data) as image:
        async with running_sandbox(REAL) as url:
            answer = await create(Sandbox(url, sandbox.http), image_url=image)
            assert (answer.status_code, answer.json()["code"]) == (400, 1000)
            assert words in answer.json()["message"]
        async with running_sandbox(replace(REAL, bach_judges_pictures_late=True)) as url:
            late = Sandbox(url, sandbox.http)
            end = await end_of(late, await made(late, image_url=image, duration=1))
            assert end["status"] == "TASK_FAILED"
            assert words in end["message"]


@pytest.mark.parametrize(("fps", "sound"), [(24, True), (30, False)])
async def test_a_real_video_has_the_pictures_shape_the_frame_rate_and_sound_on_demand(
    sandbox: Sandbox, fps: int, sound: bool
) -> None:
    async with running_sandbox(REAL) as url, hosting(picture("PNG", (400, 300))) as image:
        real = Sandbox(url, sandbox.http)
        task_id = await made(real, image_url=image, duration=1, fps=fps, generate_audio=sound)
        end = await end_of(real, task_id)
        film = (await sandbox.http.get(end["video_url"])).content
    with av.open(io.BytesIO(film), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (960, 720)
        assert stream.average_rate == Fraction(fps)
        assert stream.frames == fps
        assert bool(container.streams.audio) is sound
