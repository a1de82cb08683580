"""Files over HTTP: taken in, described, handed out in whole and in part, and only to whom they were meant for."""

import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from storage.links import AssetLinks
from tests.support.answers import refusal
from tests.support.bodies import drawn, restyled
from tests.support.pictures import jpeg
from tests.support.service import Json, Service, path_of, running_service

ASSETS = "/api/v1/assets"


async def upload(client: httpx.AsyncClient, data: bytes) -> httpx.Response:
    return await client.post(ASSETS, files={"file": ("name-of-mine.bin", data, "application/octet-stream")})


async def uploaded(service: Service, data: bytes) -> Json:
    answer = await upload(service.api, data)
    assert answer.status_code == 201, answer.text
    asset: Json = answer.json()
    return asset


async def test_an_upload_is_measured_named_by_its_bytes_and_can_be_fetched(service: Service) -> None:
    data = jpeg("mine", (48, 32))
    asset = await uploaded(service, data)
    sha256 = hashlib.sha256(data).hexdigest()
    facts = {"sha256": sha256, "bytes": len(data), "type": "image/jpeg", "width": 48, "height": 32}
    assert asset == {
        "id": f"{sha256}.jpg",
        "object": "asset",
        "url": asset["url"],
        "poster_url": asset["poster_url"],
        **facts,
    }
    assert await uploaded(service, data) == asset
    again = await service.api.get(f"{ASSETS}/{asset['id']}")
    assert again.json() == asset
    assert again.headers["cache-control"] == "no-store"
    answer = await service.anyone.get(path_of(asset["url"]))
    assert answer.content == data
    assert answer.headers["content-length"] == str(len(data))


async def test_files_are_sent_with_headers_that_keep_browsers_careful(service: Service) -> None:
    asset = await uploaded(service, jpeg("careful"))
    headers = (await service.anyone.get(path_of(asset["url"]))).headers
    assert headers["content-type"] == "image/jpeg"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "sandbox" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["content-disposition"] == f'inline; filename="{asset["id"]}"'
    assert headers["accept-ranges"] == "bytes"
    assert headers["etag"] == f'"{asset["sha256"]}"'


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=5-", 5, None),
        ("bytes=-7", -7, None),
        ("bytes=10-99999999", 10, None),
        ("bytes=-99999999", 0, None),
    ],
)
async def test_a_part_of_a_file_is_sent_as_asked(service: Service, asked: str, first: int, last: int | None) -> None:
    data = jpeg("in parts")
    path = path_of((await uploaded(service, data))["url"])
    answer = await service.anyone.get(path, headers={"range": asked})
    expected = data[first:] if last is None else data[first : last + 1]
    assert answer.status_code == 206
    assert answer.content == expected
    start = len(data) - len(expected) if last is None else first
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(data)}"
    assert answer.headers["content-length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "nonsense", "bytes=" + "9" * 5_000 + "-"])
async def test_a_range_we_do_not_speak_gets_the_whole_file(service: Service, asked: str) -> None:
    data = jpeg("whole")
    path = path_of((await uploaded(service, data))["url"])
    answer = await service.anyone.get(path, headers={"range": asked})
    assert answer.status_code == 200
    assert answer.content == data


@pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0", "bytes=9-3"])
async def test_a_range_outside_the_file_is_refused_with_its_size(service: Service, asked: str) -> None:
    asset = await uploaded(service, jpeg("outside"))
    answer = await service.anyone.get(path_of(asset["url"]), headers={"range": asked})
    refusal(answer, 416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{asset['bytes']}"


async def test_a_part_of_another_version_is_not_asked_of_this_one(service: Service) -> None:
    data = jpeg("versions")
    asset = await uploaded(service, data)
    for tag, status in ((f'"{asset["sha256"]}"', 206), ('"another"', 200)):
        headers = {"range": "bytes=0-4", "if-range": tag}
        assert (await service.anyone.get(path_of(asset["url"]), headers=headers)).status_code == status


async def test_head_tells_what_get_would_send(service: Service) -> None:
    asset = await uploaded(service, jpeg("head"))
    got, head = [await service.anyone.request(method, path_of(asset["url"])) for method in ("GET", "HEAD")]
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-length", "content-type", "etag", "accept-ranges", "content-security-policy"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
async def test_a_file_that_is_known_is_not_sent_again(service: Service, form: str) -> None:
    asset = await uploaded(service, jpeg("known"))
    headers = {"if-none-match": form.format(asset["sha256"])}
    answer = await service.anyone.get(path_of(asset["url"]), headers=headers)
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == f'"{asset["sha256"]}"'
    other = await service.anyone.get(path_of(asset["url"]), headers={"if-none-match": '"other"'})
    assert other.status_code == 200


async def test_an_expired_link_says_what_to_do(service: Service) -> None:
    asset = await uploaded(service, jpeg("expired"))
    links = AssetLinks(service.settings.secret.get_secret_value().encode(), str(service.api.base_url))
    old = links.url(asset["id"], datetime.now(UTC) - timedelta(days=30))
    error = refusal(await service.anyone.get(path_of(old)), 403, "link_expired")
    assert "read the run again" in error["message"]
    # Its owner still may: a fresh link is one call away.
    fresh = (await service.api.get(f"{ASSETS}/{asset['id']}")).json()["url"]
    assert (await service.anyone.get(path_of(fresh))).status_code == 200


async def test_a_link_that_is_not_ours_opens_nothing(service: Service) -> None:
    asset = await uploaded(service, jpeg("forged"))
    good = path_of(asset["url"])
    forged = [
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        re.sub(r"expires=\d+", "expires=99999999999", good),
        re.sub(r"expires=\d+", "expires=" + "9" * 300, good),
        re.sub(r"signature=.*", "signature=", good),
        re.sub(r"signature=.*", "signature=%F0%9F%9B%B6", good),
        good.replace(asset["id"], "f" * 64 + ".jpg"),
        good.replace(f"{asset['id']}?", f"{asset['id']}/poster?"),
        path_of(asset["poster_url"]).replace("/poster", ""),
    ]
    for path in forged:
        refusal(await service.anyone.get(path), 403, "link_invalid")


@pytest.mark.parametrize(
    "query", ["", "?expires=1", "?signature=x", "?expires=soon&signature=x", "?expires=-1&signature=x"]
)
async def test_a_link_without_its_parts_is_refused_in_our_words(service: Service, query: str) -> None:
    asset = await uploaded(service, jpeg("parts"))
    error = refusal(await service.anyone.get(f"/assets/{asset['id']}{query}"), 400, "invalid_request")
    assert {fault["path"][-1] for fault in error["errors"]} <= {"expires", "signature"}


async def test_another_callers_file_and_one_that_never_was_look_the_same(service: Service) -> None:
    asset = await uploaded(service, jpeg("private"))
    absent = "f" * 64 + ".jpg"
    answers = [
        await service.other.get(f"{ASSETS}/{name}", headers={"x-request-id": "same"})
        for name in (asset["id"], absent, "no-id")
    ]
    for answer in answers:
        refusal(answer, 404, "asset_not_found")
    assert len({answer.content for answer in answers}) == 1
    body = restyled("stolen", source_image_url=asset["id"])
    stolen = await service.other.post("/api/v1/chains/chain2/runs", json=body)
    missing = await service.other.post("/api/v1/chains/chain2/runs", json=restyled("stolen", source_image_url=absent))
    refusal(stolen, 400, "invalid_chain_input")
    assert stolen.json()["error"]["errors"] == missing.json()["error"]["errors"]
    by_link = await service.other.post("/api/v1/chains/chain2/runs", json=restyled("x", source_image_url=asset["url"]))
    refusal(by_link, 400, "invalid_chain_input")


async def test_the_same_bytes_may_belong_to_two_callers(service: Service) -> None:
    data = jpeg("shared")
    mine = await uploaded(service, data)
    assert (await upload(service.other, data)).status_code == 201
    assert (await service.other.get(f"{ASSETS}/{mine['id']}")).status_code == 200


async def test_an_output_belongs_to_the_runs_caller_and_a_video_is_no_start_picture(
    temporal: Client, tmp_path: Path
) -> None:
    # The sandbox's tiny pictures are all the same: in a shared store the other caller may own one too.
    async with running_service(temporal, tmp_path) as service:
        run = await service.succeeded((await service.create("chain1", drawn("whose output")))["id"])
        names = [path_of(step["generation_output_file"][0]).split("/")[2].partition("?")[0] for step in run["steps"]]
        for name, kind in zip(names, ("image/jpeg", "video/mp4"), strict=True):
            facts = (await service.api.get(f"{ASSETS}/{name}")).json()
            assert facts["type"] == kind
            assert facts["width"] > 0
            assert (await service.other.get(f"{ASSETS}/{name}")).status_code == 404
        assert facts["seconds"] > 0
        body = restyled("from a video", source_image_url=names[1])
        refusal(await service.api.post("/api/v1/chains/chain2/runs", json=body), 400, "invalid_chain_input")


async def test_a_poster_is_a_small_picture(service: Service) -> None:
    asset = await uploaded(service, jpeg("poster", (1600, 1200)))
    answer = await service.anyone.get(path_of(asset["poster_url"]))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert answer.content[8:12] == b"WEBP"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "data",
    [
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"GIF89a<script>",
        b"",
        b"\xff\xd8\xff",
    ],
)
async def test_what_is_no_picture_is_refused_and_not_kept(service: Service, data: bytes) -> None:
    refusal(await upload(service.api, data), 400, "invalid_asset")
    assert (await service.api.get(f"{ASSETS}/{hashlib.sha256(data).hexdigest()}.jpg")).status_code == 404


async def test_a_video_is_no_upload(service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("not to upload")))["id"])
    video = await service.anyone.get(path_of(run["steps"][1]["generation_output_file"][0]))
    refusal(await upload(service.api, video.content), 400, "invalid_asset")


async def test_an_upload_that_is_none_is_refused(service: Service) -> None:
    for answer in (
        await service.api.post(ASSETS, json={"file": "x"}),
        await service.api.post(ASSETS, data={"file": "text, not a file"}),
        await service.api.post(ASSETS, files={"picture": ("a.jpg", jpeg("a"))}),
        await service.api.post(ASSETS, files=[("file", ("a.jpg", jpeg("a"))), ("file", ("b.jpg", jpeg("b")))]),
        await service.api.post(
            ASSETS, content=b"--x\r\ngarbage", headers={"content-type": "multipart/form-data; boundary=x"}
        ),
        await service.api.post(ASSETS, content=b"", headers={"content-type": "multipart/form-data"}),
    ):
        refusal(answer, 400, "invalid_request")


async def test_an_upload_too_large_is_refused(service: Service) -> None:
    refusal(await upload(service.api, b"\0" * (33 * 1024 * 1024)), 413, "payload_too_large")


async def test_an_upload_that_grows_too_large_is_refused(service: Service) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        for _ in range(33):
            yield b"\0" * 1024 * 1024

    headers = {"content-type": "multipart/form-data; boundary=x"}
    refusal(await service.api.post(ASSETS, content=body(), headers=headers), 413, "payload_too_large")
