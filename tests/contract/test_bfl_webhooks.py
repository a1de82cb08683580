"""Black Forest Labs' webhooks: asked for with a secret of ours, and verified by it."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from domain.errors import AuthError
from domain.provider import Notice, Provider, Succeeded
from providers import bfl
from providers._signatures import derived_secret
from providers.bfl.wire import read_notice, verify
from tests.contract.adapters import NOW, SECRET, Control, adapter, request, start
from tests.contract.bfl_orders import PRO, PROMPT
from tests.support.receiver import Receiver
from tests.support.sandbox_server import QUICK, running_sandbox

HOOK_SECRET = "bfl_hook_secret"
HOOK_BODY = b'{"id":"5f0f0c1e-6a55-4f0a-9a5e-3f5b2a8f7d10","status":"Ready"}'
SIGNATURE = "sha256=8416a494ae8039967f02ff3c7bc40b9b58acf52bdc3e0259ec4e112fdfad1fe9"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Webhook-Secret": HOOK_SECRET},
        {"x-bfl-signature": SIGNATURE},
        {"X-WEBHOOK-SECRET": HOOK_SECRET, "X-BFL-Signature": SIGNATURE},
    ],
)
def test_both_documented_schemes_are_taken(headers: dict[str, str]) -> None:
    verify(headers, HOOK_BODY, HOOK_SECRET)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "missing_webhook_signature"),
        ({"authorization": HOOK_SECRET}, "missing_webhook_signature"),
        ({"x-webhook-secret": ""}, "invalid_webhook_signature"),
        ({"x-webhook-secret": HOOK_SECRET + " "}, "invalid_webhook_signature"),
        ({"x-webhook-secret": "größe"}, "invalid_webhook_signature"),
        ({"x-bfl-signature": SIGNATURE.upper()}, "invalid_webhook_signature"),
        ({"x-bfl-signature": SIGNATURE.removeprefix("sha256=")}, "invalid_webhook_signature"),
        ({"x-webhook-secret": HOOK_SECRET, "x-bfl-signature": "sha256=00"}, "invalid_webhook_signature"),
        ({"x-webhook-secret": "wrong", "x-bfl-signature": SIGNATURE}, "invalid_webhook_signature"),
    ],
)
def test_a_missing_or_wrong_signature_is_refused(headers: dict[str, str], code: str) -> None:
    with pytest.raises(AuthError) as raised:
        verify(headers, HOOK_BODY, HOOK_SECRET)
    assert raised.value.reason == code
    assert HOOK_SECRET not in raised.value.message


def test_one_changed_byte_breaks_the_signature() -> None:
    with pytest.raises(AuthError):
        verify({"x-bfl-signature": SIGNATURE}, HOOK_BODY.replace(b"Ready", b"Error"), HOOK_SECRET)


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        ({"id": "a", "status": "Ready"}, Notice("a", "Ready", ended=True)),
        ({"task_id": "a", "status": "Error"}, Notice("a", "Error", ended=True)),
        ({"id": "a", "status": "Pending"}, Notice("a", "Pending", ended=False)),
        ({"id": "a", "status": "Task not found"}, Notice("a", "Task not found", ended=True)),
        ({"id": 5, "status": ["Ready"]}, Notice(None, None, ended=True)),
        ({"id": "x" * 300}, Notice(None, None, ended=True)),
        ({}, Notice(None, None, ended=True)),
    ],
)
def test_notices_are_read_leniently(body: dict[str, Any], notice: Notice) -> None:
    assert read_notice(json.dumps(body).encode()) == notice


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return adapter(bfl, sandbox.url, http)


@pytest.fixture(params=["secret", "hmac"])
async def signing_sandbox(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async with running_sandbox(replace(QUICK, bfl_webhook=request.param)) as url:
        yield url


async def test_a_webhook_is_verified_and_says_where_to_look(
    signing_sandbox: str, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    provider = adapter(bfl, signing_sandbox, http)
    job = await start(provider, request(PRO, PROMPT), callback_url=f"{receiver.url}/hook/token")
    assert job.facts == {}  # BFL names no address then, and the poll goes to the host of the submit
    delivery = await receiver.next()
    notice = provider.notice(delivery.headers, delivery.body, NOW)
    assert notice == Notice(job.id, "Ready", ended=True)
    assert isinstance(await provider.status(job), Succeeded)
    with pytest.raises(AuthError):
        provider.notice({}, delivery.body, NOW)
    stranger = adapter(bfl, signing_sandbox, http, BABYCHAIN_SECRET="another secret")
    with pytest.raises(AuthError):
        stranger.notice(delivery.headers, delivery.body, NOW)


async def test_the_webhook_secret_is_derived_and_never_the_servers_own(
    provider: Provider, sandbox: Control, receiver: Receiver
) -> None:
    await start(provider, request(PRO, PROMPT), callback_url=f"{receiver.url}/hook/token")
    (row,) = await sandbox.submits()
    sent = row["body"]["webhook_secret"]
    assert (
        sent
        == derived_secret(SECRET, "bfl webhook")
        == hmac.new(SECRET.encode(), b"bfl webhook", hashlib.sha256).hexdigest()
    )
    assert SECRET not in json.dumps(row)


async def test_without_a_secret_of_ours_bfl_is_asked_for_no_webhook(
    sandbox: Control, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    provider = adapter(bfl, sandbox.url, http, BABYCHAIN_SECRET="")
    job = await start(provider, request(PRO, PROMPT), callback_url=f"{receiver.url}/hook/token")
    assert "poll_url" in job.facts
    with pytest.raises(AuthError):
        provider.notice({"x-webhook-secret": ""}, HOOK_BODY, NOW)
