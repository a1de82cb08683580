"""Bailian's tasks as a client of the gateway meets them."""

import base64
import io
import re
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import av
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.sandbox.bailian_calls import ASYNC, MODELS, NATIVE, create, end_of, made, order, query
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.serving import serving
from tests.support.waiting import eventually

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}")


def picture(format: str = "PNG", size: tuple[int, int] = (400, 400), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, format)
    return file.getvalue()


def data_url(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def sound(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(2 * round(8000 * seconds)))
    return file.getvalue()


@asynccontextmanager
async def hosting(data: bytes) -> AsyncIterator[str]:
    """The address of a file on another server."""

    async def send(_: Request) -> Response:
        return Response(data)

    async with serving(Starlette(routes=[Route("/file", send)])) as url:
        yield f"{url}/file"


@pytest.mark.parametrize("model", MODELS)
async def test_a_task_is_created_read_and_charged_by_the_second(sandbox: Sandbox, model: str) -> None:
    created = (await create(sandbox, order(model, duration=10))).json()
    assert set(created) == {"request_id", "output"}
    assert created["output"]["task_status"] == "PENDING"
    assert UUID.fullmatch(created["output"]["task_id"])
    end = await end_of(sandbox, created["output"]["task_id"])
    output = end["output"]
    assert output["task_status"] == "SUCCEEDED"
    assert all(MOMENT.fullmatch(output[name]) for name in ("submit_time", "scheduled_time", "end_time"))
    assert (await sandbox.http.get(output["video_url"])).headers["content-type"] == "video/mp4"
    [expires] = parse_qs(urlsplit(output["video_url"]).query)["Expires"]
    assert expires.isdecimal()
    usage = end["usage"]
    if model.startswith("wan2.5"):
        assert (usage["video_duration"], usage["video_ratio"], usage["video_count"]) == (10, "1280*720", 1)
    else:
        assert (usage["output_video_duration"], usage["size"], usage["SR"]) == (10, "1280*720", 720)
    [row] = await sandbox.jobs()
    assert (row["charged"], row["state"], row["model"]) == (10, "succeeded", model)


@pytest.mark.parametrize("extended", [True, False])
async def test_an_extended_prompt_is_shown_beside_the_callers(sandbox: Sandbox, extended: bool) -> None:
    output = (await end_of(sandbox, await made(sandbox, order(prompt_extend=extended))))["output"]
    assert output["orig_prompt"] == "the kite climbs"
    assert ("actual_prompt" in output) is extended
    assert output.get("actual_prompt") != output["orig_prompt"]


@pytest.mark.parametrize(
    ("body", "has_sound"),
    [
        (order("wan2.5-i2v-preview"), True),
        (order("wan2.6-i2v"), True),
        (order("wan2.6-i2v-flash"), True),
        (order("wan2.6-i2v-flash", audio=False), False),
        (order("wan2.6-i2v-flash", audio=False, input={"audio_url": "https://x.example/a.wav"}), True),
    ],
    ids=["2.5", "2.6", "flash", "flash silent", "flash with a sound"],
)
async def test_only_flash_can_be_silent_and_a_given_sound_beats_the_switch(
    sandbox: Sandbox, body: dict[str, Any], has_sound: bool
) -> None:
    address = (await end_of(sandbox, await made(sandbox, body)))["output"]["video_url"]
    with av.open(io.BytesIO((await sandbox.http.get(address)).content), "r") as container:
        assert bool(container.streams.audio) is has_sound


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (order(without="prompt"), "Field required: input.prompt"),
        (order(input={"prompt": " "}), "Field required: input.prompt"),
        (order(without="img_url"), "Field required: input.img_url"),
        (order(without="resolution"), "Field required: parameters.resolution"),
        (order(without="duration"), "Field required: parameters.duration"),
        (order(resolution="480P"), "parameters.resolution"),
        (order("wan2.6-i2v-flash", resolution="480P"), "parameters.resolution"),
        (order(resolution="720p"), "parameters.resolution"),
        (order(duration=1), "parameters.duration"),
        (order(duration=16), "parameters.duration"),
        (order(duration="5"), "parameters.duration"),
        (order("wan2.5-i2v-preview", duration=6), "parameters.duration"),
        (order(audio=False), "parameters.audio"),
        (order("wan2.5-i2v-preview", audio=True), "parameters.audio"),
        (order("wan2.5-i2v-preview", shot_type="multi"), "parameters.shot_type"),
        (order(shot_type="many"), "parameters.shot_type"),
        (order(seed=-1), "parameters.seed"),
        (order(seed=2_147_483_648), "parameters.seed"),
        (order(prompt_extend="yes"), "parameters.prompt_extend"),
        (order(input={"img_url": data_url(picture(size=(359, 400)))}), "360 to 2000"),
        (order(input={"img_url": data_url(picture(size=(2001, 400)))}), "360 to 2000"),
        (order(input={"img_url": data_url(picture(mode="RGBA"))}), "format"),
        (order(input={"img_url": data_url(picture("GIF"))}), "format"),
        (order(input={"img_url": data_url(picture() + bytes(10 * 1024 * 1024))}), "10 MB"),
        ([], "not a JSON object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_bad_field_is_refused_and_makes_no_task(sandbox: Sandbox, body: Any, words: str) -> None:
    answer = await create(sandbox, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
    assert words in answer.json()["message"]
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize(
    "body",
    [
        order(duration=2, shot_type="multi", seed=0),
        order(duration=15, resolution="1080P", watermark=True),
        order("wan2.6-i2v-flash", audio=False, seed=2_147_483_647),
        order("wan2.5-i2v-preview", duration=10, resolution="480P"),
        order(input={"img_url": data_url(picture(size=(360, 2000)))}),
        order(input={"img_url": data_url(picture("BMP"))}),
        order(input={"template": "flying", "negative_prompt": "flicker"}),
    ],
    ids=str,
)
async def test_what_the_tables_allow_passes(sandbox: Sandbox, body: dict[str, Any]) -> None:
    assert (await create(sandbox, body)).status_code == 200


@pytest.mark.parametrize(
    ("shape", "code", "keys"),
    [
        ("native", "code", {"request_id", "code", "message"}),
        ("openai", "error", {"error"}),
        ("task", "code", {"code", "message", "data"}),
    ],
)
async def test_the_gateways_errors_have_one_of_three_shapes(
    sandbox: Sandbox, shape: Any, code: str, keys: set[str]
) -> None:
    async with running_sandbox(replace(QUICK, bailian_errors=shape)) as url:
        answer = await create(Sandbox(url, sandbox.http), order("wan9-i2v"))
        assert (answer.status_code, set(answer.json())) == (404, keys)
        found = answer.json()[code]
        assert (found["code"] if isinstance(found, dict) else found) == "ModelNotFound"
        native = await create(Sandbox(url, sandbox.http), order("wan9-i2v"), NATIVE, **ASYNC)
        assert native.json()["code"] == "ModelNotFound"


async def test_a_wrong_key_an_empty_account_and_a_marked_prompt_make_no_task(sandbox: Sandbox) -> None:
    answers = [await create(sandbox, order(), key="wrong")]
    answers.append(await create(sandbox, order(input={"prompt": "a [moderate] kite"})))
    await sandbox.put_faults({"kind": "no_credit"})
    answers.append(await create(sandbox, order()))
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (401, "InvalidApiKey"),
        (400, "DataInspectionFailed"),
        (400, "Arrearage"),
    ]
    assert await sandbox.paid_starts() == 0


async def test_a_task_fails_under_http_200_with_a_code(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "failed"})
    for body, code in (
        (order(), "InternalError.Timeout"),
        (order(input={"prompt": "a [moderate-output] kite"}), "DataInspectionFailed"),
    ):
        end = await end_of(sandbox, await made(sandbox, body))
        assert (end["output"]["task_status"], end["output"]["code"]) == ("FAILED", code)
        assert "usage" not in end
    assert {row["charged"] for row in await sandbox.jobs()} == {0}


async def test_foreign_and_forgotten_tasks_are_unknown_under_http_200(sandbox: Sandbox) -> None:
    task_id = await made(sandbox, order())
    await end_of(sandbox, task_id)
    for answer in (await query(sandbox, task_id, key="sandbox-another"), await query(sandbox, "never-was")):
        assert (answer.status_code, answer.json()["output"]["task_status"]) == (200, "UNKNOWN")
    async with running_sandbox(replace(QUICK, bailian_retention_seconds=0.1)) as url:
        forgetful = Sandbox(url, sandbox.http)
        old = await made(forgetful, order())

        async def status() -> str:
            word: str = (await query(forgetful, old)).json()["output"]["task_status"]
            return word

        await eventually(status, lambda word: word == "UNKNOWN")


async def test_a_task_can_be_strange_or_vanish_or_come_without_an_id(sandbox: Sandbox) -> None:
    await sandbox.put_faults(
        {"kind": "no_job_id", "when": "after"},
        {"kind": "gone_after_success"},
        {"kind": "unknown_status", "operation": "status"},
    )
    assert (await create(sandbox, order())).json()["output"] == {"task_status": "PENDING"}
    task_id = await made(sandbox, order())
    assert (await query(sandbox, task_id)).json()["output"]["task_status"] == "HIBERNATING"
    assert (await end_of(sandbox, task_id))["output"]["task_status"] == "SUCCEEDED"
    assert (await query(sandbox, task_id)).json()["output"]["task_status"] == "UNKNOWN"


async def test_a_video_url_dies_after_its_time(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, bailian_result_seconds=1)) as url:
        short = Sandbox(url, sandbox.http)
        address = (await end_of(short, await made(short, order())))["output"]["video_url"]

        async def status() -> int:
            return (await sandbox.http.get(address)).status_code

        assert await eventually(status, lambda code: code != 200) == 403


REAL = replace(QUICK, media="real")


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (sound(2.9), "InvalidParameter", "3 to 30 seconds"),
        (sound(30.1), "InvalidParameter", "3 to 30 seconds"),
        (sound(3) + bytes(15 * 1024 * 1024), "InvalidParameter", "15 MB"),
        (b"no sound at all", "InvalidParameter.DataInspection", "not a sound"),
        (picture("GIF"), "InvalidParameter", "not wav or mp3"),
    ],
    ids=["short", "long", "large", "odd", "gif"],
)
async def test_a_bad_sound_is_refused(sandbox: Sandbox, data: bytes, code: str, words: str) -> None:
    async with running_sandbox(REAL) as url, hosting(data) as address:
        body = order(input={"img_url": data_url(picture()), "audio_url": address})
        answer = await create(Sandbox(url, sandbox.http), body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert words in answer.json()["message"]


async def test_larger_pictures_pass_where_the_newer_pages_hold(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, bailian_sides=(240, 8000))) as url:
        body = order(input={"img_url": data_url(picture(size=(2048, 2048)))})
        assert (await create(Sandbox(url, sandbox.http), body)).status_code == 200


async def test_a_picture_that_can_not_be_fetched_is_refused(sandbox: Sandbox) -> None:
    async with running_sandbox(REAL) as url, hosting(b"no picture") as address:
        for image in (address, "http://127.0.0.1:9/gone.png"):
            answer = await create(Sandbox(url, sandbox.http), order(input={"img_url": image}))
            assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter.DataInspection")


async def test_a_real_video_keeps_the_pictures_shape_and_fills_the_resolution(sandbox: Sandbox) -> None:
    async with running_sandbox(REAL) as url:
        real = Sandbox(url, sandbox.http)
        asked = order("wan2.6-i2v-flash", input={"img_url": data_url(picture())}, duration=2, audio=False)
        end = await end_of(real, await made(real, asked))
        film = (await sandbox.http.get(end["output"]["video_url"])).content
    with av.open(io.BytesIO(film), "r") as container:
        stream = container.streams.video[0]
        assert stream.width == stream.height == 960
        assert stream.frames == 30 * 2
        assert not container.streams.audio
