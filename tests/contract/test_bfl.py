"""Black Forest Labs over HTTP."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from domain.errors import BadCredentials, CreditExhausted, InputRejected, Refused, SetupError, UnexpectedResponse
from domain.media import InputFile
from domain.provider import Accepted, CancelOutcome, JobRequest, Pending, Provider, Succeeded, Unsure, Window
from providers import bfl
from providers.bfl.models import MODELS
from tests.contract.adapters import NOW, Control, adapter, ended, request, start
from tests.contract.bfl_orders import BYTES, JOB, PRO, PROMPT
from tests.support.receiver import Receiver
from tests.support.sandbox_server import QUICK, running_sandbox


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return adapter(bfl, sandbox.url, http)


async def test_a_picture_is_made(provider: Provider, sandbox: Control) -> None:
    job = await start(provider, request(PRO, PROMPT | {"seed": 7}))
    assert job.cost == 30_000
    assert httpx.URL(job.facts["poll_url"]).host == "localhost"  # another host than the submit's, as with the real BFL
    done = await ended(provider, job)
    assert isinstance(done, Succeeded)
    assert done.cost == 30_000
    assert len(done.outputs) == 1
    expires = datetime.fromisoformat(done.metadata["output_expires_at"])
    assert timedelta(minutes=9) < expires - datetime.now(UTC) <= timedelta(minutes=10)
    (row,) = await sandbox.submits()
    assert row["body"] == PROMPT | {"seed": 7}
    assert row["headers"]["x-idempotency-key"] == "babychain:run:step:1"


async def test_only_the_address_that_bfl_named_knows_the_task(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, bfl_strict_polling=True)) as url:
        provider = adapter(bfl, url, http)
        job = await start(provider, request(PRO, PROMPT))
        assert isinstance(await ended(provider, job), Succeeded)
        assert isinstance(await ended(provider, replace(job, facts={})), Unsure)


@pytest.mark.parametrize("model", sorted(MODELS))
async def test_every_model_takes_a_picture_as_bytes(provider: Provider, model: str) -> None:
    png = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    job = await start(provider, request(MODELS[model], PROMPT, InputFile(data=png, media_type="image/png")))
    assert isinstance(await ended(provider, job), Succeeded)


async def test_what_bfl_itself_refuses(provider: Provider, sandbox: Control, http: httpx.AsyncClient) -> None:
    with pytest.raises(InputRejected, match="width"):
        await provider.submit(request(PRO, PROMPT | {"width": 1000}), "key", None)
    with pytest.raises(InputRejected, match="Could not read the input image"):
        await provider.submit(request(PRO, PROMPT, BYTES), "key", None)
    await sandbox.put_faults({"kind": "no_credit"})
    with pytest.raises(CreditExhausted, match="Insufficient credits"):
        await provider.submit(request(PRO, PROMPT), "key", None)
    with pytest.raises(BadCredentials, match="Not authenticated"):
        await adapter(bfl, sandbox.url, http, BFL_API_KEY="wrong-key-123").submit(request(PRO, PROMPT), "key", None)
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "provider_unauthorized"),
        (403, "provider_unauthorized"),
        (408, "provider_unavailable"),
        (429, "provider_rate_limited"),
        (500, "provider_unavailable"),
        (502, "provider_unavailable"),
    ],
)
async def test_only_under_422_and_503_a_failure_may_be_the_tasks_own(
    provider: Provider, sandbox: Control, status: int, code: str
) -> None:
    """Under any other number it is about our asking: the task runs on, and nobody else may be paid beside it."""
    job = await start(provider, request(PRO, PROMPT))
    body = {"status": "Error", "error": "Try again."}
    await sandbox.put_faults({"kind": "status", "status": status, "body": body, "operation": "status"})
    with pytest.raises(Refused) as raised:
        await provider.status(job)
    assert raised.value.reason == code
    assert isinstance(await ended(provider, job), Succeeded)


async def test_a_task_that_is_not_known_yet_is_unsure(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, bfl_replication_seconds=60)) as url:
        provider = adapter(bfl, url, http)
        unsure = await provider.status(await start(provider, request(PRO, PROMPT)))
    assert isinstance(unsure, Unsure)
    assert unsure.error.reason == "provider_task_not_found"


async def test_the_key_is_never_sent_to_a_foreign_poll_address(
    provider: Provider, sandbox: Control, receiver: Receiver
) -> None:
    job = await start(provider, request(PRO, PROMPT))
    with pytest.raises(UnexpectedResponse) as raised:
        await provider.status(replace(job, facts={"poll_url": f"{receiver.url}/v1/get_result?id=secret"}))
    assert raised.value.reason == "provider_request_blocked"
    assert "secret" not in raised.value.message
    await sandbox.put_faults({"kind": "redirect", "location": f"{receiver.url}/elsewhere", "operation": "status"})
    strange = await provider.status(job)
    assert isinstance(strange, Unsure)
    assert strange.word == "HTTP 307"
    assert isinstance(await ended(provider, job), Succeeded)
    assert receiver.calls == []


async def test_a_redirect_within_bfl_is_followed(provider: Provider, sandbox: Control) -> None:
    job = await start(provider, request(PRO, PROMPT))
    there = f"{sandbox.url}/bfl/v1/get_result?id={job.id}"
    await sandbox.put_faults({"kind": "redirect", "location": there, "operation": "status"})
    assert isinstance(await provider.status(job), Pending | Succeeded)


async def test_bfl_cannot_cancel_and_cannot_search(provider: Provider) -> None:
    assert await provider.cancel(JOB) is CancelOutcome.NOT_STOPPED
    assert await provider.find(JobRequest(PRO.raw_id, {}, (), "token"), Window(NOW, NOW)) is None


@pytest.mark.parametrize(
    ("region", "host"), [("", "api.bfl.ai"), ("global", "api.bfl.ai"), ("EU", "api.eu.bfl.ai"), ("us", "api.us.bfl.ai")]
)
async def test_the_region_chooses_the_host(region: str, host: str) -> None:
    asked: list[httpx.URL] = []

    async def answer(call: httpx.Request) -> httpx.Response:
        asked.append(call.url)
        return httpx.Response(200, json={"id": "a"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        provider = bfl.create({"BFL_API_KEY": "key-123456", "BFL_REGION": region}, http)
        assert provider is not None
        assert isinstance(await provider.submit(request(PRO, PROMPT), "key", None), Accepted)
    assert asked == [httpx.URL(f"https://{host}/v1/flux-2-pro")]


async def test_an_unknown_region_stops_the_start(http: httpx.AsyncClient) -> None:
    with pytest.raises(SetupError, match="BFL_REGION"):
        bfl.create({"BFL_API_KEY": "key-123456", "BFL_REGION": "moon"}, http)
