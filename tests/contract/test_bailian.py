"""Bailian over HTTP, through the gateway and from DashScope itself."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from domain.errors import (
    AuthError,
    BadCredentials,
    CreditExhausted,
    InputRejected,
    ModelUnavailable,
    Moderated,
    Refused,
    StartUnknown,
    StepError,
)
from domain.media import InputFile
from domain.provider import (
    Accepted,
    Canceled,
    CancelOutcome,
    JobRequest,
    ModelCard,
    Pending,
    Provider,
    Succeeded,
    Window,
)
from providers import bailian
from providers.bailian import MODELS
from tests.contract.adapters import NOW, TOKEN, Control, adapter, ended, request, shown, start
from tests.contract.bailian_orders import PICTURE, PROMPT, TASK, WAN, given, told
from tests.support.pictures import jpeg
from tests.support.sandbox_server import QUICK, running_sandbox

GATEWAY, DASHSCOPE = "/bailian", "/bailian/api/v1"
ORDER = request(WAN, PROMPT, PICTURE)


def bailian_at(url: str, http: httpx.AsyncClient, way: str = GATEWAY, **env: str) -> Provider:
    return adapter(bailian, url, http, **{"BAILIAN_API_BASE_URL": url + way} | env)


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return bailian_at(sandbox.url, http)


@pytest.mark.parametrize("way", [GATEWAY, DASHSCOPE])
@pytest.mark.parametrize("card", MODELS.values(), ids=shown)
async def test_every_model_makes_a_video_through_either_way_in(
    sandbox: Control, http: httpx.AsyncClient, card: ModelCard, way: str
) -> None:
    async with running_sandbox(replace(QUICK, limits=False)) as url:
        provider = bailian_at(url, http, way)
        params = told(resolution="720P", duration=10)
        job = await start(provider, request(card, params, PICTURE))
        done = await ended(provider, job)
        assert isinstance(done, Succeeded)
        assert done.cost == card.price(params, 1).low
        assert set(done.metadata) == {"output_expires_at"}
        assert (await http.get(done.outputs[0].url)).headers["content-type"] == "video/mp4"
        (row,) = await Control(url, http).submits()
        assert row["body"]["model"] == card.raw_id
        assert row["headers"]["content-type"] == "application/json"
        assert row["headers"].get("x-dashscope-async") == (None if way == GATEWAY else "enable")


@pytest.mark.parametrize(
    ("code", "header", "seconds"),
    [
        ("Throttling.RateQuota", None, None),
        ("Throttling.RateQuota", "7", 7),
        ("Throttling.AllocationQuota", None, 60),
        ("Throttling.AllocationQuota", "7", 7),
    ],
)
async def test_a_used_up_allocation_is_waited_for_longer(
    provider: Provider, sandbox: Control, code: str, header: str | None, seconds: float | None
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    body = {"request_id": "r-1", "code": code, "message": "Too many."}
    await sandbox.put_faults({"kind": "status", "status": 429, "headers": headers, "body": body})
    with pytest.raises(Refused) as raised:
        await provider.submit(ORDER, "key", None)
    assert (raised.value.reason, raised.value.retry_after) == ("provider_rate_limited", seconds)


def in_shape(shape: str, code: str | None, message: str) -> dict[str, Any]:
    """An error as the gateway's task routes word it, or as its others do, which may name a type alone."""
    if shape == "task":
        return {"code": code or "", "message": message, "data": None}
    return {"error": {"message": message, "type": "new_api_error", "param": "", "code": code}}


CHANNEL = "No available channel for model wan2.6-i2v under group default (distributor)"


@pytest.mark.parametrize("shape", ["openai", "task"])
@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (503, "model_not_found", CHANNEL, ModelUnavailable),
        (503, None, CHANNEL, ModelUnavailable),
        (503, None, "当前分组 default 下对于模型 wan2.6-i2v 无可用渠道", ModelUnavailable),
        (500, "insufficient_user_quota", "user quota is not enough", CreditExhausted),
        (503, "Arrearage", "Access denied, please make sure your account is in good standing.", CreditExhausted),
        (429, "insufficient_quota", "You have insufficient quota.", CreditExhausted),
        (429, None, "用户额度不足", CreditExhausted),
        (403, None, "token quota is not enough, token remain quota: $0.01", CreditExhausted),
    ],
)
async def test_what_the_gateway_refuses_before_it_passes_anything_on_has_started_nothing(
    provider: Provider, sandbox: Control, shape: str, status: int, code: str | None, message: str, kind: type[StepError]
) -> None:
    body = in_shape(shape, code, message)
    await sandbox.put_faults({"kind": "status", "status": status, "body": body})
    with pytest.raises(kind) as raised:
        await provider.submit(ORDER, "key", None)
    assert type(raised.value) is kind
    assert raised.value.facts["status"] == status
    assert message in raised.value.message


@pytest.mark.parametrize("shape", ["openai", "task"])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("get_channel_failed", "分组 default 下模型 wan2.6-i2v 的可用渠道不存在（retry）"),
        ("get_channel_failed", CHANNEL),
        (None, "no available channel for retry (group=default, model=wan2.6-i2v)"),
        (None, "The server is overloaded."),
    ],
)
async def test_a_gateway_that_fails_at_its_second_try_may_have_started_a_task_at_its_first(
    provider: Provider, sandbox: Control, shape: str, code: str | None, message: str
) -> None:
    await sandbox.put_faults({"kind": "status", "status": 500, "body": in_shape(shape, code, message)})
    with pytest.raises(StartUnknown):
        await provider.submit(ORDER, "key", None)


@pytest.mark.parametrize("code", ["Throttling", "Throttling.RateQuota", "Throttling.AllocationQuota"])
async def test_a_quota_that_comes_back_is_waited_for(provider: Provider, sandbox: Control, code: str) -> None:
    body = {"request_id": "r-1", "code": code, "message": "Requests rate limit exceeded: insufficient quota."}
    await sandbox.put_faults({"kind": "status", "status": 429, "body": body})
    with pytest.raises(Refused):
        await provider.submit(ORDER, "key", None)


@pytest.mark.parametrize("shape", ["native", "openai", "task"])
async def test_what_bailian_itself_refuses_in_each_shape_of_error(http: httpx.AsyncClient, shape: Any) -> None:
    async with running_sandbox(replace(QUICK, bailian_errors=shape)) as url:
        provider, control = bailian_at(url, http), Control(url, http)
        with pytest.raises(InputRejected, match="resolution"):
            await provider.submit(request(WAN, told(resolution="480P"), PICTURE), "key", None)
        small = InputFile(data=jpeg("a", (359, 512)), media_type="image/jpeg")
        with pytest.raises(InputRejected, match="sides"):
            await provider.submit(request(WAN, PROMPT, small), "key", None)
        with pytest.raises(Moderated):
            await provider.submit(request(WAN, given(prompt="a [moderate] kite"), PICTURE), "key", None)
        await control.put_faults({"kind": "no_credit"})
        with pytest.raises(CreditExhausted):
            await provider.submit(ORDER, "key", None)
        with pytest.raises(BadCredentials):
            await bailian_at(url, http, BAILIAN_API_KEY="wrong-key-123").submit(ORDER, "key", None)
        assert await control.paid_starts() == 0


async def test_dashscope_stops_a_queued_task_and_the_gateway_stops_none(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, video_seconds=600)) as url:
        native, gateway = bailian_at(url, http, DASHSCOPE), bailian_at(url, http)
        job = await start(native, ORDER)
        assert await gateway.cancel(job) is CancelOutcome.NOT_STOPPED
        assert await gateway.status(job) == Pending("PENDING")
        assert await native.cancel(job) is CancelOutcome.STOPPED
        assert await native.status(job) == Canceled()
        assert await native.cancel(job) is CancelOutcome.STOPPED  # a repeat, as after a lost answer


async def test_a_task_that_has_ended_is_not_stopped(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, limits=False)) as url:
        native = bailian_at(url, http, DASHSCOPE)
        job = await start(native, ORDER)
        assert isinstance(await ended(native, job), Succeeded)
        assert await native.cancel(job) is CancelOutcome.NOT_STOPPED
        await Control(url, http).put_faults({"kind": "status", "status": 500, "operation": "cancel"})
        with pytest.raises(Refused):
            await native.cancel(job)


@pytest.mark.parametrize("fault", [{"kind": "error_in_200"}, {"kind": "html"}, {"kind": "garbage"}], ids=shown)
async def test_a_task_is_stopped_only_when_dashscope_says_so(http: httpx.AsyncClient, fault: dict[str, Any]) -> None:
    async with running_sandbox(replace(QUICK, video_seconds=600)) as url:
        native = bailian_at(url, http, DASHSCOPE)
        job = await start(native, ORDER)
        await Control(url, http).put_faults(fault | {"operation": "cancel"})
        assert await native.cancel(job) is CancelOutcome.NOT_STOPPED
        assert await native.status(job) == Pending("PENDING")


async def test_nothing_is_looked_up_and_nobody_may_call_back(provider: Provider) -> None:
    assert await provider.find(JobRequest(WAN.raw_id, {}, (), TOKEN), Window(NOW, NOW)) is None
    with pytest.raises(AuthError):
        provider.notice({}, b'{"output": {}}', NOW)


@pytest.mark.parametrize(
    ("base", "created", "read"),
    [
        (None, "https://api.gpt.ge/task/bailian/image2video", f"https://api.gpt.ge/task/{TASK}"),
        *(
            (
                base,
                f"https://{host}.aliyuncs.com/api/v1/services/aigc/video-generation/video-synthesis",
                f"https://{host}.aliyuncs.com/api/v1/tasks/{TASK}",
            )
            for host in ("dashscope", "dashscope-intl", "dashscope-us")
            for base in (f"https://{host}.aliyuncs.com", f"https://{host}.aliyuncs.com/api/v1/")
        ),
    ],
)
async def test_the_base_url_tells_which_way_in_is_meant(base: str | None, created: str, read: str) -> None:
    asked: list[tuple[str, str | None]] = []

    async def answer(call: httpx.Request) -> httpx.Response:
        asked.append((str(call.url), call.headers.get("x-dashscope-async")))
        assert call.headers["authorization"] == "Bearer key-123456"
        return httpx.Response(200, json={"request_id": "r", "output": {"task_id": TASK, "task_status": "PENDING"}})

    env = {"BAILIAN_API_KEY": "key-123456"} | ({} if base is None else {"BAILIAN_API_BASE_URL": base})
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        provider = bailian.create(env, http)
        assert provider is not None
        accepted = await provider.submit(ORDER, "key", None)
        assert isinstance(accepted, Accepted)
        assert await provider.status(accepted.job) == Pending("PENDING")
    assert asked == [(created, None if base is None else "enable"), (read, None)]
