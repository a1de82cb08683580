"""Webhooks: signatures, retries, and every way in which they get lost, doubled, late or forged."""

import hashlib
import hmac
from dataclasses import replace

import httpx
import pytest

from tests.support.receiver import Call, Receiver
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually

SECRET = "bfl_hook_secret"


def has_right_secret(delivery: Call) -> bool:
    return delivery.headers.get("x-webhook-secret") == SECRET


async def submit(sandbox: Sandbox, receiver: Receiver) -> str:
    answer = await sandbox.bfl(webhook_url=f"{receiver.url}/hook", webhook_secret=SECRET)
    task_id: str = answer.json()["id"]
    return task_id


async def test_the_guides_form_signs_the_body(sandbox: Sandbox, receiver: Receiver) -> None:
    async with running_sandbox(replace(QUICK, bfl_webhook="hmac")) as url:
        await submit(Sandbox(url, sandbox.http), receiver)
        delivery = await receiver.next()
    expected = hmac.new(SECRET.encode(), delivery.body, hashlib.sha256).hexdigest()
    assert delivery.headers["x-bfl-signature"] == f"sha256={expected}"
    assert set(delivery.json()) == {"id", "status", "result", "timestamp"}
    assert set(delivery.json()["result"]) == {"sample", "prompt", "seed"}


async def test_the_guides_form_tells_a_failure(sandbox: Sandbox, receiver: Receiver) -> None:
    async with running_sandbox(replace(QUICK, bfl_webhook="hmac")) as url:
        await Sandbox(url, sandbox.http).put_faults({"kind": "moderated"})
        await submit(Sandbox(url, sandbox.http), receiver)
        told = (await receiver.next()).json()
    assert (told["status"], told["error"]) == ("Error", "Content Moderated")


async def test_without_a_secret_nothing_is_signed(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.bfl(webhook_url=f"{receiver.url}/hook")
    delivery = await receiver.next()
    assert not {"x-webhook-secret", "x-bfl-signature"} & set(delivery.headers)


async def test_a_webhook_is_sent_again_until_it_is_acknowledged(sandbox: Sandbox, receiver: Receiver) -> None:
    async with running_sandbox(replace(QUICK, webhook_retry_seconds=(0.01, 0.01, 0.01))) as url:
        receiver.status = 500
        await submit(Sandbox(url, sandbox.http), receiver)
        first, second = await receiver.next(), await receiver.next()
        receiver.status = 200
        third = await receiver.next()
        assert first.body == second.body == third.body


async def test_only_the_last_words_of_a_seedance_task_are_repeated(sandbox: Sandbox, receiver: Receiver) -> None:
    async with running_sandbox(replace(QUICK, webhook_retry_seconds=(0.01, 0.01, 0.01))) as url:
        receiver.status = 500
        await Sandbox(url, sandbox.http).seedance(callback_url=f"{receiver.url}/hook")
        words = [(await receiver.next()).json()["status"] for _ in range(6)]
    assert sorted(words) == ["queued", "running", *["succeeded"] * 4]


async def test_a_pending_retry_does_not_hold_up_the_stop(sandbox: Sandbox, receiver: Receiver) -> None:
    async with running_sandbox(replace(QUICK, webhook_retry_seconds=(600,))) as url:
        receiver.status = 500
        await submit(Sandbox(url, sandbox.http), receiver)
        await receiver.next()


async def test_a_dropped_webhook_never_comes(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "drop"})
    lost = await submit(sandbox, receiver)
    assert (await sandbox.bfl_end(lost))["status"] == "Ready"
    second = await submit(sandbox, receiver)
    assert (await receiver.next()).json()["id"] == second
    assert len(receiver.calls) == 1


async def test_a_doubled_webhook_comes_as_often_as_told(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "double", "times": 3})
    await submit(sandbox, receiver)
    bodies = {(await receiver.next()).body for _ in range(3)}
    assert len(bodies) == 1


async def test_a_late_webhook_comes_after_the_poller_has_seen_the_end(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "late", "delay": 1})
    task_id = await submit(sandbox, receiver)
    assert (await sandbox.bfl_end(task_id))["status"] == "Ready"
    assert receiver.calls == []
    assert (await receiver.next()).json()["status"] == "Ready"


async def test_an_early_webhook_comes_before_the_submit_is_answered(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "early"})
    task_id = await submit(sandbox, receiver)
    assert [delivery.json()["id"] for delivery in receiver.calls] == [task_id]
    assert receiver.calls[0].json()["status"] == "Ready"
    assert has_right_secret(receiver.calls[0])
    assert (await sandbox.bfl_end(task_id))["status"] == "Ready"


async def test_an_early_callback_claims_the_end_of_a_task_that_is_queued(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "early"})
    await sandbox.seedance(callback_url=f"{receiver.url}/hook")
    words = [(await receiver.next()).json()["status"] for _ in range(3)]
    assert sorted(words) == ["queued", "running", "succeeded"]


async def test_a_forged_webhook_has_no_right_secret_and_the_true_one_follows(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    await sandbox.put_faults({"kind": "forge"})
    task_id = await submit(sandbox, receiver)
    forged, true = await receiver.next(), await receiver.next()
    assert not has_right_secret(forged)
    assert forged.json()["result"]["sample"] != true.json()["result"]["sample"]
    assert has_right_secret(true)
    assert true.json() == (await sandbox.poll(task_id)).json()


async def test_a_forged_callback_tells_a_lie(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "forge"})
    task_id = (await sandbox.seedance(callback_url=f"{receiver.url}/hook")).json()["id"]
    words = [(await receiver.next()).json()["status"] for _ in range(4)]
    assert sorted(words) == ["failed", "queued", "running", "succeeded"]
    assert (await sandbox.task_in(task_id, "succeeded"))["id"] == task_id


@pytest.mark.parametrize("provider", ["bfl", "byteplus"])
async def test_an_earlier_state_can_come_after_the_last(sandbox: Sandbox, receiver: Receiver, provider: str) -> None:
    await sandbox.put_faults({"kind": "reorder", "provider": provider})
    if provider == "bfl":
        await submit(sandbox, receiver)
        expected = ["Ready", "Pending"]
    else:
        await sandbox.seedance(callback_url=f"{receiver.url}/hook")
        expected = ["succeeded", "running"]
    await eventually(lambda: _words(receiver), lambda words: words[-2:] == expected)


async def _words(receiver: Receiver) -> list[str]:
    return [delivery.json()["status"] for delivery in receiver.calls]


@pytest.mark.parametrize("mode", ["secret", "hmac"])
async def test_a_signature_can_be_wrong(sandbox: Sandbox, receiver: Receiver, mode: str) -> None:
    config = replace(QUICK, bfl_webhook="hmac" if mode == "hmac" else "secret")
    async with running_sandbox(config) as url:
        await Sandbox(url, sandbox.http).put_faults({"kind": "bad_signature"})
        await submit(Sandbox(url, sandbox.http), receiver)
        delivery = await receiver.next()
    right = "sha256=" + hmac.new(SECRET.encode(), delivery.body, hashlib.sha256).hexdigest()
    sent = delivery.headers.get("x-bfl-signature") or delivery.headers["x-webhook-secret"]
    assert sent not in {SECRET, right}


async def test_a_replayed_webhook_is_the_same_to_the_byte(sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "replay", "delay": 0.05})
    await submit(sandbox, receiver)
    first, second = await receiver.next(), await receiver.next()
    assert (first.body, first.headers) == (second.body, second.headers)


async def test_a_receiver_that_is_down_changes_nothing_for_the_job(sandbox: Sandbox, http: httpx.AsyncClient) -> None:
    receipt = await sandbox.bfl(webhook_url="http://127.0.0.1:9/hook")
    assert (await sandbox.bfl_end(receipt.json()["id"]))["status"] == "Ready"
