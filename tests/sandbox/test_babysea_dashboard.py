"""BabySea's webhooks, and the dashboard where they are ordered."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from tests.sandbox.babysea_calls import call, made
from tests.support.receiver import Call, Receiver
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import running_sandbox
from tests.support.waiting import eventually

SECRET = "whsec_of_the_dashboard"


@pytest.fixture
async def own(http: httpx.AsyncClient) -> AsyncIterator[Sandbox]:
    """The account's webhooks tell of everybody's generations, so each of these tests has a sandbox to itself."""
    async with running_sandbox() as url:
        yield Sandbox(url, http)


async def dashboard(sandbox: Sandbox, *urls: str) -> None:
    hooks = [{"url": url, "secret": SECRET} for url in urls]
    answer = await sandbox.http.put(f"{sandbox.url}/babysea/dashboard/webhooks", json=hooks)
    assert answer.status_code == 200


def is_signed(delivery: Call, secret: str = SECRET) -> bool:
    moment, signature = (part.partition("=")[2] for part in delivery.headers["x-babysea-signature"].split(","))
    wanted = hmac.new(secret.encode(), moment.encode() + b"." + delivery.body, hashlib.sha256).hexdigest()
    return signature == wanted and abs(time.time() - int(moment)) < 60


async def test_a_generation_is_announced_at_its_start_and_at_its_end(own: Sandbox, receiver: Receiver) -> None:
    await dashboard(own, receiver.url)
    name = await made(own)
    found = {(delivery := await receiver.next()).json()["webhook_event"]: delivery for _ in range(2)}
    assert found.keys() == {"generation.started", "generation.completed"}
    for delivery in found.values():
        assert is_signed(delivery)
        told = delivery.json()
        assert told["webhook_data"]["generation_id"] == name
        assert delivery.headers["x-babysea-event"] == told["webhook_event"]
        assert delivery.headers["x-babysea-delivery-id"] == told["webhook_delivery_id"]
    done = found["generation.completed"].json()["webhook_data"]
    assert (done["generation_status"], done["generation_provider_used"]) == ("succeeded", "bfl")


@pytest.mark.parametrize(
    ("prompt", "event"), [("[moderate-output]", "generation.failed"), ("stop", "generation.canceled")]
)
async def test_a_bad_end_has_an_event_of_its_own(own: Sandbox, receiver: Receiver, prompt: str, event: str) -> None:
    await dashboard(own, receiver.url)
    if prompt == "stop":
        await own.put_faults({"kind": "never_ends", "provider": "babysea"})
    name = await made(own, generation_prompt=prompt)
    if prompt == "stop":
        await call(own, "POST", f"content/generation/cancel/{name}")
    while (told := (await receiver.next()).json())["webhook_event"] == "generation.started":
        pass
    assert told["webhook_event"] == event
    assert told["webhook_data"]["credits_refunded"] is True


@pytest.mark.parametrize("kind", ["double", "replay", "reorder", "bad_signature", "late"])
async def test_a_delivery_goes_wrong_on_request(own: Sandbox, receiver: Receiver, kind: str) -> None:
    await dashboard(own, receiver.url)
    more = {"delay": 0} if kind in ("late", "replay") else {}
    # The first delivery tells of the start; the rule is about the second.
    await own.put_faults({"kind": kind, "provider": "babysea", "skip": 0 if kind == "reorder" else 1} | more)
    await made(own)
    ends: list[Call] = []
    while len(ends) < (2 if kind in ("double", "replay") else 1):
        delivery = await receiver.next()
        if delivery.json()["webhook_event"] == "generation.completed":
            ends.append(delivery)
    assert is_signed(ends[0]) is (kind != "bad_signature")
    if kind in ("double", "replay"):
        assert ends[0].json()["webhook_delivery_id"] == ends[1].json()["webhook_delivery_id"]
    if kind == "reorder":
        while (stale := await receiver.next()).json()["webhook_event"] != "generation.started":
            pass
        assert is_signed(stale)


async def test_a_forgery_is_not_signed_with_the_accounts_secret(own: Sandbox, receiver: Receiver) -> None:
    await dashboard(own, receiver.url)
    await own.put_faults({"kind": "forge", "provider": "babysea"})
    await made(own)
    signed = [is_signed(await receiver.next()) for _ in range(3)]
    assert sorted(signed) == [False, True, True]


async def test_an_early_notice_comes_before_the_submits_answer(own: Sandbox, receiver: Receiver) -> None:
    await dashboard(own, receiver.url)
    await own.put_faults({"kind": "early", "provider": "babysea"})
    name = await made(own)
    assert (
        receiver.calls[0].json()["webhook_data"] | {"generation_id": name} == (receiver.calls[0].json()["webhook_data"])
    )


async def test_an_endpoint_that_never_answers_well_is_disabled_and_its_events_kept(
    own: Sandbox, receiver: Receiver
) -> None:
    receiver.status = 500
    await dashboard(own, receiver.url)
    for _ in range(8):
        await made(own)
    await eventually(_count(receiver), lambda count: count >= 15)
    before = len(receiver.calls)
    await own.http.post(f"{own.url}/babysea/dashboard/webhooks/test")
    receiver.status = 200
    await own.http.post(f"{own.url}/babysea/dashboard/webhooks/release")

    async def tests() -> list[Call]:
        return [one for one in receiver.calls[before:] if one.json()["webhook_event"] == "webhook.test"]

    [kept] = await eventually(tests, lambda found: len(found) == 1)
    assert is_signed(kept)


def _count(receiver: Receiver) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return len(receiver.calls)

    return count
