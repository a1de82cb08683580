"""BytePlus's synchronous picture call as a client meets it."""

import asyncio
import base64
import io
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually


async def test_one_call_answers_with_a_picture_on_another_host(sandbox: Sandbox) -> None:
    answer = await sandbox.seedream(size="2K")
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    body = answer.json()
    assert body["model"] == "seedream-4-0-250828"
    assert body["data"][0]["size"] == "2048x2048"
    assert body["usage"] == {"generated_images": 1, "output_tokens": 16384, "total_tokens": 16384}
    url = body["data"][0]["url"]
    assert httpx.URL(url).host == "localhost"
    file = await sandbox.http.get(url)
    assert Image.open(io.BytesIO(file.content)).format == "JPEG"
    assert "access-control-allow-origin" not in file.headers


async def test_pictures_can_come_inside_the_answer(sandbox: Sandbox) -> None:
    item = (await sandbox.seedream(response_format="b64_json")).json()["data"][0]
    assert set(item) == {"b64_json", "size"}
    assert Image.open(io.BytesIO(base64.b64decode(item["b64_json"]))).format == "JPEG"


async def test_a_picture_is_a_paid_start_charged_once(sandbox: Sandbox) -> None:
    await sandbox.seedream()
    [row] = await sandbox.jobs()
    assert row["job_id"] is not None
    assert (row["state"], row["charged"]) == ("succeeded", 1)


async def test_a_series_has_as_many_items_as_asked_within_fifteen_with_references(sandbox: Sandbox) -> None:
    reference = "http://127.0.0.1:9/reference.png"
    for references, asked, given in ((1, 3, 3), (13, 15, 2)):
        answer = await sandbox.seedream(
            image=[reference] * references,
            sequential_image_generation="auto",
            sequential_image_generation_options={"max_images": asked},
        )
        assert len(answer.json()["data"]) == given
        assert answer.json()["usage"]["generated_images"] == given


@pytest.mark.parametrize(("kind", "words"), [("moderated", "ubu"), ("failed", "ub")])
async def test_one_failed_picture_stops_the_rest_only_when_the_service_failed(
    sandbox: Sandbox, kind: str, words: str
) -> None:
    await sandbox.put_faults({"kind": kind, "item": 1})
    answer = await sandbox.seedream(
        sequential_image_generation="auto", sequential_image_generation_options={"max_images": 3}
    )
    items = answer.json()["data"]
    assert "".join("b" if "error" in item else "u" for item in items) == words
    assert answer.json()["usage"]["generated_images"] == words.count("u")


async def test_the_stream_ends_with_a_done_line(sandbox: Sandbox) -> None:
    answer = await sandbox.seedream(
        stream=True, sequential_image_generation="auto", sequential_image_generation_options={"max_images": 2}
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    events = [json.loads(line) for line in lines[:-1]]
    partial, completed = "image_generation.partial_succeeded", "image_generation.completed"
    assert [event["type"] for event in events] == [partial, partial, completed]
    assert [event["image_index"] for event in events[:2]] == [0, 1]
    assert events[-1]["usage"]["generated_images"] == 2


@pytest.mark.parametrize(
    ("marker", "code"),
    [("[moderate]", "InputTextSensitiveContentDetected"), ("[moderate-output]", "OutputImageSensitiveContentDetected")],
)
async def test_a_marked_prompt_is_refused_and_not_charged(sandbox: Sandbox, marker: str, code: str) -> None:
    answer = await sandbox.seedream(prompt=f"a {marker} picture")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert [row["charged"] for row in await sandbox.jobs()] == [0]


@pytest.mark.parametrize(
    ("model", "body", "param"),
    [
        ("seedream-4-0-250828", {"size": "3K"}, "size"),
        ("seedream-4-0-250828", {"size": "800x800"}, "size"),
        ("seedream-4-0-250828", {"size": "16384x1000"}, "size"),
        ("seedream-4-0-250828", {"size": "large"}, "size"),
        ("seedream-4-5-251128", {"size": "1K"}, "size"),
        ("seedream-4-5-251128", {"size": "1024x1024"}, "size"),
        ("seedream-5-0-lite-260128", {"size": "1K"}, "size"),
        ("seedream-4-0-250828", {"seed": 1}, "seed"),
        ("seedream-4-0-250828", {"guidance_scale": 5}, "guidance_scale"),
        ("seedream-4-0-250828", {"output_format": "png"}, "output_format"),
        ("seedream-4-0-250828", {"watermark": "no"}, "watermark"),
        ("seedream-4-5-251128", {"optimize_prompt_options": {"mode": "fast"}}, "optimize_prompt_options.mode"),
        ("seedream-4-0-250828", {"image": ["https://x.test/a.png"] * 15}, "image"),
        ("seedream-4-0-250828", {"prompt": ""}, "prompt"),
    ],
)
async def test_a_field_outside_its_model_is_named(
    sandbox: Sandbox, model: str, body: dict[str, Any], param: str
) -> None:
    answer = await sandbox.seedream(model=model, **body)
    problem = answer.json()["error"]
    assert (answer.status_code, problem["param"], problem["type"]) == (400, param, "BadRequest")
    assert answer.headers["x-request-id"] in problem["message"]
    assert await sandbox.paid_starts() == 0


async def test_seedream_5_makes_png(sandbox: Sandbox) -> None:
    answer = await sandbox.seedream(model="seedream-5-0-lite-260128", output_format="png")
    file = await sandbox.http.get(answer.json()["data"][0]["url"])
    assert file.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("image", "code"),
    [("", "InvalidImageURL.EmptyURL"), ("data:image/png;base64,AAAA", "InvalidImageURL.InvalidFormat")],
)
async def test_an_input_that_is_no_picture_is_refused(sandbox: Sandbox, image: str, code: str) -> None:
    answer = await sandbox.seedream(image=image)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("key", ["wrong", "Bearer sandbox"])
async def test_a_wrong_key_is_an_authentication_error(sandbox: Sandbox, key: str) -> None:
    answer = await sandbox.seedream(key=key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationError")


async def test_an_unknown_model_and_a_closed_one_are_not_found(sandbox: Sandbox) -> None:
    unknown = await sandbox.seedream(model="seedream-9")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "InvalidEndpointOrModel.NotFound")
    config = replace(QUICK, byteplus_unopened=frozenset({"seedream-4-0-250828"}))
    async with running_sandbox(config) as url:
        closed = await Sandbox(url, sandbox.http).seedream()
    assert (closed.status_code, closed.json()["error"]["code"]) == (404, "ModelNotOpen")


async def test_a_missing_model_is_a_missing_parameter(sandbox: Sandbox) -> None:
    answer = await sandbox.http.post(
        f"{sandbox.url}/byteplus/api/v3/images/generations", json={}, headers={"authorization": "Bearer sandbox"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "MissingParameter")


async def test_what_ark_does_not_have_is_not_found_in_its_own_words(sandbox: Sandbox) -> None:
    answer = await sandbox.http.get(f"{sandbox.url}/byteplus/api/v3/nothing")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "NotFound")


async def test_a_client_that_gives_up_has_still_paid(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, picture_seconds=60)) as url:
        slow = Sandbox(url, sandbox.http)
        calling = asyncio.create_task(slow.seedream())
        [row] = await eventually(slow.jobs, lambda rows: any(row["job_id"] for row in rows))
        calling.cancel()
        assert row["state"] in {"queued", "running"}
        assert await slow.paid_starts() == 1
