"""Bach: making videos over HTTP."""

import httpx
import pytest

from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobExpired,
    ModelUnavailable,
    Moderated,
    Refused,
    SetupError,
    StepError,
)
from domain.provider import Accepted, CancelOutcome, Job, JobRequest, Notice, Provider, Succeeded, Unsure, Window
from providers import bach
from tests.contract.adapters import NOW, TOKEN, Control, adapter, ended, request, start
from tests.contract.bach_orders import ADDRESS, MODEL, ORDER, PROMPT, TASK
from tests.support.receiver import Receiver


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return adapter(bach, sandbox.url, http)


async def test_a_video_is_made(provider: Provider, sandbox: Control) -> None:
    params = PROMPT | {
        "negative_prompt": "morphing",
        "fps": 24,
        "cfg_scale": 7.5,
        "enhance_prompt": False,
        "generate_audio": True,
        "audio_prompt": "surf",
        "seed": 4711,
        "enable_moderation": False,
    }
    job = await start(provider, request(MODEL, params, ADDRESS))
    done = await ended(provider, job)
    assert isinstance(done, Succeeded)
    assert done.cost is None
    assert (await sandbox.http.get(done.outputs[0].url)).headers["content-type"] == "video/mp4"
    (row,) = await sandbox.submits()
    assert row["body"] == params | {
        "model_name": MODEL.raw_id,
        "image_url": ADDRESS.url,
        "resolution": "720p",
        "duration": 5,
    }
    assert row["headers"]["content-type"] == "application/json"


async def test_a_callback_names_the_task(provider: Provider, receiver: Receiver) -> None:
    job = await start(provider, ORDER, callback_url=f"{receiver.url}/hook/token")
    delivery = await receiver.next()
    assert provider.notice(delivery.headers, delivery.body, NOW) == Notice(job.id, "TASK_SUCCEEDED", ended=True)


@pytest.mark.parametrize(
    ("code", "data", "kind"),
    [
        (1302, {}, CreditExhausted),
        (1000, None, InputRejected),
        ("1000", {"task_id": ""}, InputRejected),
        (4711, {}, InputRejected),
        (401, {}, BadCredentials),
        (403, {}, BadCredentials),
        (404, {}, ModelUnavailable),
        (429, {}, Refused),
    ],
)
async def test_an_error_code_under_http_200_is_a_refusal_that_started_nothing(
    provider: Provider, sandbox: Control, code: object, data: object, kind: type[StepError]
) -> None:
    body = {"code": code, "message": "Not this time.", "data": data}
    await sandbox.put_faults({"kind": "status", "status": 200, "body": body})
    with pytest.raises(kind, match="Not this time") as raised:
        await provider.submit(ORDER, "key", None)
    assert type(raised.value) is kind
    assert raised.value.facts == {"status": 200, "provider_code": str(code)}
    assert await sandbox.paid_starts() == 0


async def test_what_bach_itself_refuses(sandbox: Control, http: httpx.AsyncClient, provider: Provider) -> None:
    with pytest.raises(InputRejected, match="resolution"):
        await provider.submit(request(MODEL, PROMPT | {"resolution": "720P"}, ADDRESS), "key", None)
    with pytest.raises(InputRejected, match="Duration must be between 1 and 6 seconds"):
        await provider.submit(request(MODEL, PROMPT | {"duration": 7}, ADDRESS), "key", None)
    with pytest.raises(Moderated):
        await provider.submit(request(MODEL, {"prompt": "a [moderate] scene"}, ADDRESS), "key", None)
    await sandbox.put_faults({"kind": "no_credit"})
    with pytest.raises(CreditExhausted, match="Insufficient credit package"):
        await provider.submit(ORDER, "key", None)
    with pytest.raises(BadCredentials):
        await adapter(bach, sandbox.url, http, BACH_API_KEY="wrong-key-123").submit(ORDER, "key", None)
    assert await sandbox.paid_starts() == 0


async def test_what_bach_would_refuse_for_its_content_passes_with_moderation_off(provider: Provider) -> None:
    marked = {"prompt": "a [moderate] scene", "enable_moderation": False}
    assert isinstance(await ended(provider, await start(provider, request(MODEL, marked, ADDRESS))), Succeeded)


async def test_a_task_that_bach_never_knew_is_lost_after_a_few_looks(provider: Provider) -> None:
    unsure = await provider.status(Job(TASK))
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (30, 3)
    assert type(unsure.error) is JobExpired
    assert unsure.error.reason == "provider_task_not_found"


async def test_nothing_can_be_canceled_or_looked_up(provider: Provider) -> None:
    assert await provider.cancel(Job(TASK)) is CancelOutcome.NOT_STOPPED
    assert await provider.find(JobRequest(MODEL.raw_id, {}, (), TOKEN), Window(NOW, NOW)) is None


async def test_a_public_address_that_makes_callbacks_too_long_stops_the_start(http: httpx.AsyncClient) -> None:
    env = {"BACH_API_KEY": "key-123456", "BABYCHAIN_PUBLIC_URL": "https://example.com/" + "x" * 400}
    with pytest.raises(SetupError, match="BABYCHAIN_PUBLIC_URL"):
        bach.create(env, http)


async def test_by_default_bach_itself_is_asked_with_the_token_as_bearer() -> None:
    asked: list[httpx.Request] = []

    async def answer(call: httpx.Request) -> httpx.Response:
        asked.append(call)
        return httpx.Response(200, json={"code": 200, "message": "Success", "data": {"task_id": TASK, "create_at": 1}})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        provider = bach.create({"BACH_API_KEY": "key-123456"}, http)
        assert provider is not None
        assert await provider.submit(ORDER, "key", None) == Accepted(Job(TASK))
    assert [(call.method, str(call.url), call.headers["authorization"]) for call in asked] == [
        ("POST", MODEL.endpoint, "Bearer key-123456")
    ]
