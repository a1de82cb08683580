"""Bach's bearer tokens: minted, kept, and minted anew when one is refused."""

import base64
import hashlib
import hmac
import json
import time

import httpx
import pytest

from domain.errors import BadCredentials, Refused
from domain.provider import Job, Provider, Succeeded
from providers import bach
from providers.bach.bearer import Bearers, mint
from sandbox.providers.bach.tokens import SECRET_KEY
from tests.contract.adapters import Control, adapter, ended, start
from tests.contract.bach_orders import ORDER, TASK


def test_a_token_is_minted_as_bach_documents_it() -> None:
    header, claims, signature = mint("access", "secret", 1_000).split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
    assert decoded == [{"alg": "HS256", "typ": "JWT"}, {"iss": "access", "nbf": 995, "exp": 2_800}]
    expected = hmac.digest(b"secret", f"{header}.{claims}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64decode(signature + "=") == expected


def test_a_minted_token_is_kept_until_a_minute_before_its_end() -> None:
    now = [1_000.0]
    bearers = Bearers("access", "secret", clock=lambda: now[0])
    first = bearers.current()
    now[0] += 1_740
    assert bearers.current() is first
    now[0] += 1
    second = bearers.current()
    assert second.token != first.token
    assert second.redact(f"bad token {second.token}!") == "bad token [redacted]!"


def test_of_several_calls_that_were_refused_the_first_mints_and_the_others_take_its_token() -> None:
    now = [1_000.0]
    bearers = Bearers("access", "secret", clock=lambda: now[0])
    refused = bearers.current()
    now[0] += 5
    fresh = bearers.in_place_of(refused)
    now[0] += 5
    assert fresh is not None and fresh.token != refused.token
    assert bearers.in_place_of(refused) is fresh
    assert bearers.current() is fresh


def test_a_ready_token_is_used_as_it_is() -> None:
    ready = Bearers("a-ready-token", None)
    assert ready.current().token == "a-ready-token"
    assert ready.in_place_of(ready.current()) is None


async def test_a_token_minted_from_the_pair_of_keys_opens_the_api(sandbox: Control, http: httpx.AsyncClient) -> None:
    minting = adapter(bach, sandbox.url, http, BACH_API_KEY="sandbox-access-key", BACH_SECRET_KEY=SECRET_KEY)
    assert isinstance(await ended(minting, await start(minting, ORDER)), Succeeded)
    wrong = adapter(bach, sandbox.url, http, BACH_API_KEY="access-key-of-nobody", BACH_SECRET_KEY=SECRET_KEY)
    with pytest.raises(BadCredentials):
        await wrong.submit(ORDER, "key", None)


def minting(url: str, http: httpx.AsyncClient, ahead: list[float]) -> Provider:
    """By a clock that is so many seconds ahead: Bach takes no token that is not valid yet."""
    bearers = Bearers("sandbox-access-key", SECRET_KEY, clock=lambda: time.time() + ahead[0])
    return bach.Bach(http, bearers, base=f"{url}/bach")


async def test_a_token_that_is_refused_is_minted_anew_once_and_the_task_started_once(sandbox: Control) -> None:
    ahead = [0.0]

    async def set_the_clock_right(answer: httpx.Response) -> None:
        if answer.status_code == 401:
            ahead[0] = 0.0

    async with httpx.AsyncClient(trust_env=False, event_hooks={"response": [set_the_clock_right]}) as http:
        ahead[0] = 600.0
        job = await start(minting(sandbox.url, http, ahead), ORDER)
        assert len(await sandbox.submits()) == 2
        assert await sandbox.paid_starts() == 1
        ahead[0] = 600.0
        assert isinstance(await ended(minting(sandbox.url, http, ahead), job), Succeeded)


async def test_a_fresh_token_that_is_refused_too_is_the_keys_fault(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = minting(sandbox.url, http, [600.0])
    with pytest.raises(BadCredentials):
        await provider.submit(ORDER, "key", None)
    assert len(await sandbox.submits()) == 2
    with pytest.raises(Refused) as raised:
        await provider.status(Job(TASK))
    assert raised.value.reason == "provider_unauthorized"


async def test_a_ready_token_that_is_refused_is_not_sent_again(sandbox: Control, http: httpx.AsyncClient) -> None:
    with pytest.raises(BadCredentials):
        await adapter(bach, sandbox.url, http, BACH_API_KEY="wrong-key-123").submit(ORDER, "key", None)
    assert len(await sandbox.submits()) == 1
