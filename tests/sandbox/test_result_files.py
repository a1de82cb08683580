"""Result files: their address, its death, and downloads that go wrong."""

from dataclasses import replace

import httpx
import pytest

from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually


async def test_an_address_dies_after_its_time(sandbox: Sandbox) -> None:
    async with running_sandbox(replace(QUICK, bfl_result_seconds=1.5)) as url:
        address = await Sandbox(url, sandbox.http).sample()
        assert (await sandbox.http.get(address)).status_code == 200

        async def status() -> int:
            return (await sandbox.http.get(address)).status_code

        assert await eventually(status, lambda code: code != 200) == 403


async def test_an_altered_signature_is_denied(sandbox: Sandbox) -> None:
    address = httpx.URL(await sandbox.sample())
    assert (await sandbox.http.get(address.copy_merge_params({"sig": "0" * 32}))).status_code == 403
    assert (await sandbox.http.get(address.copy_with(query=b""))).status_code == 403
    assert (await sandbox.http.get(address.copy_with(path="/_results/other.jpg"))).status_code == 403


async def test_a_hundred_downloads_are_all_byteplus_gives(sandbox: Sandbox) -> None:
    address = (await sandbox.seedream()).json()["data"][0]["url"]
    codes = [(await sandbox.http.get(address)).status_code for _ in range(101)]
    assert codes == [200] * 100 + [403]


async def test_a_key_sent_to_a_result_address_is_noted(sandbox: Sandbox) -> None:
    address = await sandbox.sample()
    await sandbox.http.get(address)
    assert [(row["downloads"], row["key_on_download"]) for row in await sandbox.jobs()] == [(1, False)]
    await sandbox.http.get(address, headers={"x-key": "sandbox-bfl"})
    assert [(row["downloads"], row["key_on_download"]) for row in await sandbox.jobs()] == [(2, True)]


@pytest.mark.parametrize(
    ("rule", "status", "kind", "is_empty"),
    [
        ({"kind": "expired"}, 403, "application/xml", False),
        ({"kind": "empty"}, 200, "image/jpeg", True),
        ({"kind": "html", "operation": "result"}, 200, "text/html; charset=utf-8", False),
        ({"kind": "status", "operation": "result", "status": 503}, 503, None, True),
        ({"kind": "wrong_type", "operation": "result"}, 200, "text/plain; charset=utf-8", False),
    ],
)
async def test_a_download_can_go_wrong_once(
    sandbox: Sandbox,
    rule: dict[str, object],
    status: int,
    kind: str | None,
    is_empty: bool,
) -> None:
    address = await sandbox.sample()
    await sandbox.put_faults(rule)
    answer = await sandbox.http.get(address)
    assert (answer.status_code, answer.headers.get("content-type"), answer.content == b"") == (status, kind, is_empty)
    assert (await sandbox.http.get(address)).headers["content-type"] == "image/jpeg"


async def test_a_download_can_be_cut_short(sandbox: Sandbox) -> None:
    address = await sandbox.sample()
    await sandbox.put_faults({"kind": "truncated", "operation": "result", "declared": "whole"})
    with pytest.raises(httpx.RemoteProtocolError):
        await sandbox.http.get(address)


async def test_a_result_can_be_where_nobody_listens(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "refuse", "operation": "result"})
    with pytest.raises(httpx.ConnectError):
        await sandbox.http.get(await sandbox.sample())


async def test_a_result_can_be_behind_broken_tls(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "bad_tls", "operation": "result"})
    task_id = (await sandbox.seedance()).json()["id"]
    address = (await sandbox.task_in(task_id, "succeeded"))["content"]["video_url"]
    with pytest.raises(httpx.ConnectError, match="SSL"):
        await sandbox.http.get(address)
