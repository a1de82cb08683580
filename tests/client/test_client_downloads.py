"""Files on their way to a folder: whole under their own name, or not there."""

import hashlib
from pathlib import Path

import httpx
import pytest

from babychain_client import AsyncBabyChain, DownloadFailed, RunState
from tests.support.scripted import answer, run_data, scripted

PICTURE = b"a picture of a boat"


def state(*outputs: str) -> RunState:
    step = {"step_key": "../text to image", "step_kind": "image", "model_identifier": "m", "status": "succeeded"}
    return RunState.read(run_data("succeeded", steps=[step | {"generation_output_file": list(outputs)}]))


def picture(body: bytes = PICTURE, *, cut: bool = False) -> bytes:
    tag = f'"{hashlib.sha256(PICTURE).hexdigest()}"'
    return answer(200, body, kind="image/png", cut=cut, etag=tag)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def client() -> AsyncBabyChain:
    return AsyncBabyChain("http://127.0.0.1:1", "a key", tries=2, http=httpx.AsyncClient(trust_env=False))


async def test_a_file_that_breaks_off_is_fetched_again_and_no_key_goes_along(tmp_path: Path) -> None:
    async with scripted(picture(cut=True), picture()) as server:
        [file] = await client().download(state(server.url), tmp_path)
    assert file.read_bytes() == PICTURE
    assert names(tmp_path) == ["___text_to_image.png"]
    assert all("authorization" not in request.headers for request in server.requests)


async def test_a_file_that_never_comes_whole_is_a_failed_download_and_leaves_nothing(tmp_path: Path) -> None:
    async with scripted(picture(cut=True), picture(cut=True)) as server:
        with pytest.raises(DownloadFailed, match="did not come whole"):
            await client().download(state(server.url), tmp_path)
    assert names(tmp_path) == []


async def test_several_files_of_a_step_are_numbered(tmp_path: Path) -> None:
    async with scripted(picture(), picture()) as server:
        files = await client().download(state(server.url, server.url), tmp_path)
    assert [file.stem[-2:] for file in files] == ["-1", "-2"]


async def test_bytes_that_the_api_has_not_stored_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    async with scripted(picture(b"another picture.")) as server:
        with pytest.raises(DownloadFailed):
            await client().download(state(server.url), tmp_path)
    assert names(tmp_path) == []


async def test_an_expired_link_says_what_helps(tmp_path: Path) -> None:
    async with scripted(answer(403, {"error": {"code": "link_expired", "message": "Expired."}})) as server:
        with pytest.raises(DownloadFailed, match="read the run again"):
            await client().download(state(server.url), tmp_path)


async def test_a_store_that_is_busy_is_asked_again_and_a_failure_names_the_run(tmp_path: Path) -> None:
    busy = answer(503, "busy", kind="text/plain")
    async with scripted(busy, picture()) as server:
        [file] = await client().download(state(server.url), tmp_path / "in the end")
    assert file.read_bytes() == PICTURE
    async with scripted(busy, busy) as server:
        with pytest.raises(DownloadFailed, match="later") as failed:
            await client().download(state(server.url), tmp_path / "never")
    assert failed.value.run_id == run_data("succeeded")["id"]
