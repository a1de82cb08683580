"""Every way in which one answer can go wrong, seen through a real HTTP client."""

import asyncio
import json
import time

import httpx
import pytest

from tests.support.sandbox_client import Sandbox


async def test_a_status_is_answered_as_told_before_any_job(sandbox: Sandbox) -> None:
    await sandbox.put_faults(
        {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}, "body": {"detail": "slow"}}
    )
    answer = await sandbox.bfl()
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (429, "7", {"detail": "slow"})
    assert await sandbox.paid_starts() == 0


async def test_a_status_without_a_body_has_the_providers_shape(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "status", "status": 500, "count": 2})
    assert isinstance((await sandbox.bfl()).json()["detail"], str)
    assert (await sandbox.seedance()).json()["error"]["code"] == "InternalServiceError"


async def test_a_500_after_the_job_was_made_leaves_a_paid_start(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "status", "status": 500, "when": "after"})
    assert (await sandbox.bfl()).status_code == 500
    assert await sandbox.paid_starts() == 1


@pytest.mark.parametrize(("when", "paid"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("kind", ["reset", "refuse", "bad_tls"])
async def test_a_submit_is_cut_without_an_answer(sandbox: Sandbox, kind: str, when: str, paid: int) -> None:
    await sandbox.put_faults({"kind": kind, "when": when})
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await sandbox.bfl()
    assert await sandbox.paid_starts() == paid
    assert (await sandbox.bfl()).status_code == 200


async def test_a_reset_is_a_real_tcp_reset(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "reset"})
    url = httpx.URL(sandbox.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /bfl/v1/flux-2-pro HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_a_hanging_call_answers_nothing_until_the_client_gives_up(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "hang", "when": "after"})
    with pytest.raises(httpx.ReadTimeout):
        await sandbox.http.post(
            f"{sandbox.url}/bfl/v1/flux-2-pro", json={"prompt": "x"}, headers={"x-key": "sandbox"}, timeout=0.2
        )
    assert await sandbox.paid_starts() == 1


async def test_a_hanging_call_ends_in_a_reset_when_its_time_is_up(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "hang", "seconds": 0.05})
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await sandbox.bfl()


async def test_a_slow_answer_drips_and_is_true(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "slow", "seconds": 0.3})
    started = time.monotonic()
    answer = await sandbox.bfl()
    assert time.monotonic() - started >= 0.29
    assert (await sandbox.bfl_end(answer.json()["id"]))["status"] == "Ready"


@pytest.mark.parametrize(("when", "paid"), [("before", 0), ("after", 1)])
async def test_a_truncated_answer_is_broken_json(sandbox: Sandbox, when: str, paid: int) -> None:
    await sandbox.put_faults({"kind": "truncated", "when": when})
    answer = await sandbox.bfl()
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert await sandbox.paid_starts() == paid


async def test_a_truncated_answer_can_claim_more_than_it_sends(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "truncated", "declared": "whole", "when": "after"})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await sandbox.bfl()
    assert await sandbox.paid_starts() == 1


async def test_garbage_claims_to_be_json(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "garbage"})
    answer = await sandbox.bfl()
    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(ValueError, match=r"."):
        answer.json()


async def test_html_comes_with_the_status_it_is_told(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "html"}, {"kind": "html", "status": 502})
    for status in (200, 502):
        answer = await sandbox.bfl()
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")


async def test_a_wrong_type_is_json_of_the_wrong_shape(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "wrong_type", "when": "after"})
    receipt = (await sandbox.bfl()).json()
    assert isinstance(receipt["id"], list)
    assert isinstance(receipt["cost"], str)


async def test_a_huge_answer_goes_on_until_the_client_leaves(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "huge"})
    received = 0
    async with sandbox.http.stream(
        "POST", f"{sandbox.url}/bfl/v1/flux-2-pro", json={"prompt": "x"}, headers={"x-key": "sandbox"}
    ) as answer:
        async for chunk in answer.aiter_bytes():
            received += len(chunk)
            if received > 8 << 20:
                break
    assert (await sandbox.http.get(f"{sandbox.url}/_sandbox/health")).status_code == 200


async def test_a_redirect_leads_where_it_is_told(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "redirect", "location": "http://elsewhere.test/x", "operation": "status"})
    task_id = (await sandbox.bfl()).json()["id"]
    answer = await sandbox.poll(task_id)
    assert (answer.status_code, answer.headers["location"]) == (307, "http://elsewhere.test/x")


async def test_an_error_can_come_as_200(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "error_in_200", "count": 2})
    flux, seedance = await sandbox.bfl(), await sandbox.seedance()
    assert (flux.status_code, set(flux.json())) == (200, {"detail"})
    assert (seedance.status_code, set(seedance.json())) == (200, {"error"})


async def test_a_job_can_be_made_without_saying_which(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "no_job_id", "when": "after"})
    receipt = (await sandbox.bfl()).json()
    assert not {"id", "polling_url"} & set(receipt)
    assert await sandbox.paid_starts() == 1


async def test_an_error_can_repeat_the_callers_key(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "echo_key", "count": 2})
    assert "sandbox-my-key" in (await sandbox.bfl(key="sandbox-my-key")).text
    assert "sandbox-my-key" in (await sandbox.seedream(key="sandbox-my-key")).json()["error"]["message"]
    assert "sandbox-my-key" not in str(await sandbox.jobs())


@pytest.mark.parametrize("kind", ["reset", "truncated", "garbage", "wrong_type"])
async def test_a_status_read_can_fail_and_the_next_one_is_right(sandbox: Sandbox, kind: str) -> None:
    await sandbox.put_faults({"kind": kind, "operation": "status"})
    task_id = (await sandbox.seedance()).json()["id"]
    try:
        answer = await sandbox.task(task_id)
        assert kind != "reset"
        assert kind != "wrong_type" or isinstance(answer.json()["status"], list)
    except httpx.TransportError:
        assert kind == "reset"
    assert (await sandbox.task_in(task_id, "succeeded"))["error"] is None


@pytest.mark.parametrize(("when", "status"), [("before", 200), ("after", 404)])
async def test_a_lost_answer_to_a_cancel_may_hide_that_it_worked(sandbox: Sandbox, when: str, status: int) -> None:
    task_id = (await sandbox.seedance()).json()["id"]
    await sandbox.task_in(task_id, "succeeded")
    await sandbox.put_faults({"kind": "reset", "operation": "cancel", "when": when})
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await sandbox.task(task_id, method="DELETE")
    assert (await sandbox.task(task_id)).status_code == status


async def test_an_unreachable_polling_url_refuses_the_connection(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "refuse", "operation": "status"})
    receipt = (await sandbox.bfl()).json()
    with pytest.raises(httpx.ConnectError):
        await sandbox.http.get(receipt["polling_url"])
    assert (await sandbox.bfl_end(receipt["id"]))["status"] == "Ready"


async def test_a_polling_url_with_broken_tls_fails_the_handshake(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "bad_tls", "operation": "status"})
    address = (await sandbox.bfl()).json()["polling_url"]
    assert address.startswith("https://")
    with pytest.raises(httpx.ConnectError, match="SSL"):
        await sandbox.http.get(address)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await sandbox.http.get(address.replace("https://", "http://"))
    await sandbox.put_faults()
    with pytest.raises(httpx.ConnectError):
        await sandbox.http.get(address)


async def test_the_answer_to_a_synchronous_picture_can_be_lost_after_it_was_paid(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "reset", "when": "after"})
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await sandbox.seedream()
    assert [row["charged"] for row in await sandbox.jobs()] == [1]


async def test_a_streamed_answer_can_be_cut_too(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "truncated", "when": "after"})
    assert "[DONE]" not in (await sandbox.seedream(stream=True)).text
