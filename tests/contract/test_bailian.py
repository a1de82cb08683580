"""Bailian, through the gateway and from DashScope itself: what both answer, and what that means."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from domain.errors import (
    AuthError,
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobExpired,
    JobFailed,
    ModelUnavailable,
    Moderated,
    Refused,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.media import InputFile, InputForm, MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import (
    Accepted,
    Canceled,
    CancelOutcome,
    Failed,
    Job,
    JobRequest,
    JobState,
    ModelCard,
    Output,
    Pending,
    Provider,
    SafetyClass,
    Succeeded,
    Unsure,
    Window,
)
from providers import bailian
from providers._answers import Redactor
from providers.bailian import MODELS
from providers.bailian.wire import build_body, error_of, read_error, read_failure, read_state, read_task
from tests.contract.adapters import TOKEN, Control, adapter, ended, key_of, request, start
from tests.support.pictures import jpeg
from tests.support.sandbox_server import QUICK, running_sandbox

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=UTC)
WAN = MODELS["bailian/wan2.6-i2v"]
FLASH = MODELS["bailian/wan2.6-i2v-flash"]
OLD = MODELS["bailian/wan2.5-i2v-preview"]
PROMPT: dict[str, Any] = {"input": {"prompt": "the kite climbs over the dunes"}}
ADDRESS = InputFile(url="https://example.com/a.png")
PICTURE = InputFile(data=jpeg("a", (512, 512)), media_type="image/jpeg")
TASK = "5d1f2c0e-7b9c-4b8e-8d57-3a9a1c4f9e22"
hide_nothing = Redactor("no-such-key-anywhere")


def shown(value: object) -> str:
    """In a test's name: a card would print its functions' addresses, which differ between processes."""
    if isinstance(value, ModelCard):
        return value.raw_id
    return "-".join(map(str, value.values()))[:40] if isinstance(value, dict) else str(value)


def told(**parameters: Any) -> dict[str, Any]:
    return PROMPT | {"parameters": parameters}


def given(**more: Any) -> dict[str, Any]:
    return {"input": PROMPT["input"] | more}


# ---- models -------------------------------------------------------------------------------------------------------


def test_the_models_are_those_of_the_page() -> None:
    assert [(name, card.raw_id) for name, card in MODELS.items()] == [
        ("bailian/wan2.6-i2v", "wan2.6-i2v"),
        ("bailian/wan2.6-i2v-flash", "wan2.6-i2v-flash"),
        ("bailian/wan2.5-i2v-preview", "wan2.5-i2v-preview"),
    ]
    for card in MODELS.values():
        assert card.endpoint == "https://api.gpt.ge/task/bailian/image2video"
        assert (card.inputs.minimum, card.inputs.maximum) == (1, 1)
        assert "as many pixels as the resolution" in " ".join(card.hints)


@pytest.mark.parametrize("reach", [True, False])
def test_a_lost_create_stays_lost(reach: bool) -> None:
    assert WAN.safety(webhooks_reach_us=reach) is SafetyClass.C


@pytest.mark.parametrize(
    ("card", "params", "path"),
    [
        (WAN, {}, ("input",)),
        (WAN, {"input": {}}, ("input", "prompt")),
        (WAN, given(prompt=" "), ("input", "prompt")),
        (WAN, {"input": "a kite"}, ("input",)),
        (WAN, given(audio_url="ftp://x/a.mp3"), ("input", "audio_url")),
        (WAN, given(video_url="https://x"), ("input", "video_url")),
        (WAN, PROMPT | {"seed": 5}, ("seed",)),
        (WAN, told(resolution="480P"), ("parameters", "resolution")),
        (FLASH, told(resolution="480P"), ("parameters", "resolution")),
        (WAN, told(resolution="720p"), ("parameters", "resolution")),
        (WAN, told(duration=1), ("parameters", "duration")),
        (WAN, told(duration=16), ("parameters", "duration")),
        (WAN, told(duration=5.5), ("parameters", "duration")),
        (WAN, told(duration="5"), ("parameters", "duration")),
        (OLD, told(duration=15), ("parameters", "duration")),
        (OLD, told(duration=6), ("parameters", "duration")),
        (WAN, told(audio=False), ("parameters", "audio")),
        (OLD, told(audio=True), ("parameters", "audio")),
        (FLASH, told(audio=1), ("parameters", "audio")),
        (OLD, told(shot_type="multi"), ("parameters", "shot_type")),
        (WAN, told(shot_type="many"), ("parameters", "shot_type")),
        (WAN, told(seed=-1), ("parameters", "seed")),
        (WAN, told(seed=2_147_483_648), ("parameters", "seed")),
        (WAN, told(prompt_extend="true"), ("parameters", "prompt_extend")),
    ],
    ids=shown,
)
def test_what_a_model_does_not_take_is_refused_with_its_path(
    card: ModelCard, params: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as raised:
        card.params.model_validate(params)
    assert path in [error["loc"] for error in raised.value.errors()]


@pytest.mark.parametrize(
    ("card", "params"),
    [
        (WAN, PROMPT),
        (WAN, told(resolution="720P", duration=15, seed=0, shot_type="multi")),
        (FLASH, told(resolution="1080P", duration=10.0, audio=False, prompt_extend=False, seed=2_147_483_647)),
        (OLD, told(resolution="480P", duration=10)),
        (WAN, given(negative_prompt="flicker", audio_url="https://x.example/a.mp3?sig=1")),
        (WAN, given(audio_url="https://x.example/sound")),
        (WAN, given(prompt="x" * 1500, negative_prompt="x" * 500)),
    ],
    ids=shown,
)
def test_what_is_documented_passes_without_a_word(card: ModelCard, params: dict[str, Any]) -> None:
    card.params.model_validate(params)
    assert card.check(params) == []
    assert card.warn(params) == []


@pytest.mark.parametrize(
    ("card", "params", "words"),
    [
        (WAN, told(duration=7), "older pages know 5, 10, 15 only"),
        (WAN, told(shot_type="multi", prompt_extend=False), "no effect without prompt_extend"),
        (WAN, told(watermark=True), "not by the gateway"),
        (WAN, given(template="flying"), "the prompt is ignored"),
        (WAN, given(prompt="x" * 1501), "first 1500 characters"),
        (WAN, given(negative_prompt="x" * 501), "first 500 characters"),
        (WAN, given(audio_url="https://x.example/a.ogg?b=.mp3"), "wav and mp3"),
        (FLASH, given(audio_url="https://x.example/a.wav") | {"parameters": {"audio": False}}, "with an audio_url"),
    ],
    ids=shown,
)
def test_what_is_uncertain_or_idle_is_accepted_with_a_warning(
    card: ModelCard, params: dict[str, Any], words: str
) -> None:
    card.params.model_validate(params)
    (warning,) = card.warn(params)
    assert words in warning.message


@pytest.mark.parametrize(
    ("params", "pictures", "rest"),
    [
        (given(img_url="https://a"), ("https://a",), PROMPT),
        (given(img_url="data:image/png;base64,AA=="), ("data:image/png;base64,AA==",), PROMPT),
        (given(img_url=5), (), given(img_url=5)),
        ({"input": "odd"}, (), {"input": "odd"}),
        (told(duration=5), (), told(duration=5)),
    ],
    ids=shown,
)
def test_a_callers_own_picture_is_read_out_of_the_input(
    params: dict[str, Any], pictures: tuple[str, ...], rest: dict[str, Any]
) -> None:
    assert WAN.read_inputs(params) == (pictures, rest)


@pytest.mark.parametrize(
    ("mapped", "native", "merged"),
    [
        (PROMPT, {"parameters": {"seed": 1}}, told(seed=1)),
        (told(duration=5, seed=2), {"parameters": {"seed": 1}}, told(duration=5, seed=1)),
        (PROMPT, given(prompt="mine", template="fly"), given(prompt="mine", template="fly")),
        (PROMPT, {"input": "odd"}, {"input": "odd"}),
        ({}, PROMPT, PROMPT),
    ],
    ids=shown,
)
def test_native_values_win_one_by_one(mapped: dict[str, Any], native: dict[str, Any], merged: dict[str, Any]) -> None:
    assert WAN.merge(mapped, native) == merged


# ---- prices -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "params", "cost"),
    [
        (WAN, PROMPT, 750_000),
        (WAN, told(resolution="720P", duration=10), 1_000_000),
        (FLASH, told(resolution="720P"), 250_000),
        (FLASH, told(resolution="720P", audio=False), 125_000),
        (FLASH, told(resolution="1080P", audio=False), 187_500),
        (
            FLASH,
            given(audio_url="https://x.example/a.wav") | {"parameters": {"resolution": "720P", "audio": False}},
            250_000,
        ),
        (OLD, told(resolution="480P"), 250_000),
        (OLD, told(resolution="720P", duration=10), 1_000_000),
    ],
    ids=shown,
)
def test_prices(card: ModelCard, params: dict[str, Any], cost: int) -> None:
    assert card.price(params, 1) == Cost.exactly(cost)


# ---- between providers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "parameters", "lost"),
    [
        (WAN, {"duration": 3, "seed": 9, "prompt_extend": True}, ("resolution", "silence (it always makes sound)")),
        (
            OLD,
            {"resolution": "480P", "duration": 5, "seed": 9, "prompt_extend": True},
            ("exact duration (it gets 5 seconds)", "silence (it always makes sound)"),
        ),
        (FLASH, {"duration": 3, "seed": 9, "prompt_extend": True, "audio": False}, ("resolution",)),
    ],
    ids=shown,
)
def test_a_wish_is_told_as_far_as_the_model_can_be_told(
    card: ModelCard, parameters: dict[str, Any], lost: tuple[str, ...]
) -> None:
    wish = MediaRequest(
        MediaKind.VIDEO,
        prompt="waves roll",
        negative_prompt="flicker",
        resolution="480p",
        seconds=3,
        seed=9,
        audio=False,
        enhance_prompt=True,
        output_format="mp4",
    )
    mapped = card.from_neutral(wish)
    assert mapped.params == {
        "input": {"prompt": "waves roll", "negative_prompt": "flicker"},
        "parameters": parameters,
    }
    assert mapped.lost == lost


def test_resolutions_are_small_letters_between_providers_and_capitals_here() -> None:
    assert WAN.from_neutral(MediaRequest(MediaKind.VIDEO, resolution="720p")).params == {
        "parameters": {"resolution": "720P"}
    }
    assert WAN.read_neutral(told(resolution="720P")).resolution == "720p"


# ---- the body -----------------------------------------------------------------------------------------------------


def test_a_body_holds_the_picture_and_what_the_gateway_demands() -> None:
    said = {"negative_prompt": "flicker", "template": "flying", "audio_url": "https://x.example/a.mp3"}
    params = given(**said) | {"parameters": {"duration": 10.0, "audio": False, "shot_type": "multi"}}
    body = build_body(FLASH, request(FLASH, params, ADDRESS))
    assert body == {
        "model": "wan2.6-i2v-flash",
        "input": {**PROMPT["input"], **said, "img_url": ADDRESS.url},
        "parameters": {"resolution": "1080P", "duration": 10, "audio": False, "shot_type": "multi"},
    }
    assert json.dumps(body["parameters"]["duration"]) == "10"


def test_a_picture_goes_by_address_or_as_base64() -> None:
    assert bailian.Bailian.accepts == (InputForm.URL, InputForm.INLINE)
    inline = build_body(WAN, request(WAN, PROMPT, PICTURE))["input"]["img_url"]
    assert inline.startswith("data:image/jpeg;base64,/9j/")


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (InputFile(url="https://a", media_type="image/gif"), "no picture of type image/gif"),
        (InputFile(data=b"\xff" * (10_000_001), media_type="image/png"), "at most 10000000 bytes"),
    ],
    ids=["type", "size"],
)
def test_a_picture_that_wan_does_not_take_is_refused_before_anything_is_paid(picture: InputFile, words: str) -> None:
    with pytest.raises(InputRejected, match=words):
        build_body(WAN, request(WAN, PROMPT, picture))
    build_body(WAN, request(WAN, PROMPT, InputFile(data=b"\xff" * (10_000_000), media_type="image/bmp")))


# ---- answers ------------------------------------------------------------------------------------------------------


def test_a_created_task_keeps_its_rate_and_its_request_id() -> None:
    answer = {"request_id": "r-1", "output": {"task_id": TASK, "task_status": "PENDING"}}
    job = read_task(answer, FLASH, told(resolution="720P", audio=False), hide_nothing)
    assert job == Job(TASK, {"rate": "25000", "request_id": "r-1"})


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"output": None}, {"output": {}}, {"output": {"task_id": [1]}}, {"code": "X", "message": "no"}],
    ids=str,
)
def test_an_answer_without_a_task_leaves_the_start_unknown(answer: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_task(answer, WAN, PROMPT, hide_nothing)


@pytest.mark.parametrize(
    "body",
    [
        {"request_id": "r", "code": "A.B", "message": "why"},
        {"error": {"message": "why", "type": "new", "param": "", "code": "A.B"}},
        {"error": {"message": "why", "type": "A.B", "code": None}},
        {"code": "A.B", "message": "why", "data": None},
    ],
)
def test_an_error_is_read_in_each_of_its_shapes(body: dict[str, Any]) -> None:
    assert error_of(body) == ("A.B", "why")


@pytest.mark.parametrize("body", [None, {}, {"error": "text"}, {"error": None}])
def test_an_error_in_no_known_shape_is_empty(body: dict[str, Any] | None) -> None:
    assert error_of(body) == ("", "")


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "InvalidParameter", "Field required: input.img_url", InputRejected),
        (400, "InvalidParameter.DataInspection", "", InputRejected),
        (400, "InvalidURL", "", InputRejected),
        (400, "DataInspectionFailed", "", Moderated),
        (400, "Arrearage", "", CreditExhausted),
        (403, "Arrearage", "", CreditExhausted),
        (403, "insufficient_user_quota", "", CreditExhausted),
        (403, "", "Insufficient balance.", CreditExhausted),
        (403, "pre_consume_token_quota_failed", "token quota is not enough, need quota: $0.75", CreditExhausted),
        (403, "new_api_error", "token quota is not enough", CreditExhausted),
        (401, "new_api_error", "该令牌额度已用尽", CreditExhausted),
        (403, "fail_to_fetch_task", '{"code":"Arrearage"}', CreditExhausted),
        (403, "new_api_error", "No available channel for model wan2.6-i2v under group vip", ModelUnavailable),
        (402, "", "", CreditExhausted),
        (401, "InvalidApiKey", "", BadCredentials),
        (403, "AccessDenied", "", BadCredentials),
        (404, "ModelNotFound", "", ModelUnavailable),
        (400, "model_not_found", "", ModelUnavailable),
        (422, "", "", InputRejected),
    ],
)
def test_refusals(status: int, code: str, message: str, kind: type[StepError]) -> None:
    error = read_error(status, {"request_id": "r-1", "code": code, "message": message}, hide_nothing)
    assert type(error) is kind
    assert (error.facts["status"], error.facts["request_id"]) == (status, "r-1")
    assert message in error.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DataInspectionFailed", Moderated),
        ("InvalidParameter", InputRejected),
        ("InvalidURL", InputRejected),
        ("InternalError.Timeout", JobFailed),
        ("", JobFailed),
    ],
)
def test_why_a_task_failed(code: str, kind: type[StepError]) -> None:
    error = read_failure({"code": code, "message": "why"}, hide_nothing)
    assert type(error) is kind
    assert error.facts.get("provider_code", "") == code


JOB = Job(TASK, {"rate": "50000"})
VIDEO = "https://results.example/5d1f.mp4?Expires=1795255297&Signature=x"


def state(status: object, usage: object = None, job: Job = JOB, **output: Any) -> JobState:
    return read_state({"output": {"task_id": TASK, "task_status": status, **output}, "usage": usage}, job, hide_nothing)


@pytest.mark.parametrize("word", ["PENDING", "RUNNING", "SUSPENDED"])
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word) == Pending(word)


def test_a_finished_task_gives_video_cost_and_expiry() -> None:
    assert state("SUCCEEDED", {"output_video_duration": 5, "input_video_duration": 0}, video_url=VIDEO) == Succeeded(
        (Output(VIDEO),), 250_000, {"output_expires_at": "2026-11-21T10:01:37.000Z"}
    )


@pytest.mark.parametrize("query", ["", "?Expires=", "?Expires=soon", "?Expires=99999999999999", "?Expires=%C2%B2"])
def test_an_address_without_a_moment_has_no_known_expiry(query: str) -> None:
    assert state("SUCCEEDED", video_url="https://v" + query) == Succeeded((Output("https://v" + query),))


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"video_duration": 5, "video_ratio": "832*480", "video_count": 1}, 250_000),
        ({"duration": 10, "output_video_duration": 5}, 250_000),
        ({"video_duration": 0, "duration": "5.0"}, 250_000),
        ({"duration": 5.04}, 252_000),
        ({"duration": True}, None),
        ({"duration": "long"}, None),
        ({"duration": float("inf")}, None),
        ({"duration": 10**400}, None),
        ({"duration": -5}, None),
        ({}, None),
        (None, None),
    ],
    ids=str,
)
def test_seconds_are_read_under_the_names_of_every_generation(usage: object, cost: int | None) -> None:
    done = state("SUCCEEDED", usage, video_url="https://v")
    assert isinstance(done, Succeeded)
    assert done.cost == cost


def test_without_a_rate_the_cost_is_unknown() -> None:
    done = state("SUCCEEDED", {"duration": 5}, Job(TASK), video_url="https://v")
    assert isinstance(done, Succeeded)
    assert done.cost is None


def test_failed_canceled_and_forgotten_tasks() -> None:
    failed = state("FAILED", code="InternalError.Timeout", message="The task timed out.")
    assert isinstance(failed, Failed)
    assert type(failed.error) is JobFailed
    assert failed.error.message == "Bailian's task failed: The task timed out."
    assert state("CANCELED") == Canceled()
    forgotten = state("UNKNOWN")
    assert isinstance(forgotten, Unsure)
    assert (forgotten.seconds, forgotten.reads, type(forgotten.error)) == (30, 3, JobExpired)


@pytest.mark.parametrize(
    ("payload", "word", "reads"),
    [
        ({"output": {"task_status": "SUCCEEDED"}}, "SUCCEEDED without a video", 5),
        ({"output": {"task_status": "SUCCEEDED", "video_url": ["x"]}}, "SUCCEEDED without a video", 5),
        ({"output": {"task_status": "HIBERNATING"}}, "HIBERNATING", 10),
        ({"output": {"task_status": None}}, "no status", 10),
        ({"output": "of another vendor"}, "no status", 10),
        ({"status": "SUCCESS", "data": {}}, "no status", 10),
    ],
)
def test_what_no_page_describes_is_looked_at_again_and_then_an_error(
    payload: dict[str, Any], word: str, reads: int
) -> None:
    unsure = read_state(payload, JOB, hide_nothing)
    assert isinstance(unsure, Unsure)
    assert (unsure.word, unsure.reads) == (word, reads)
    assert isinstance(unsure.error, UnexpectedResponse)


# ---- over HTTP ----------------------------------------------------------------------------------------------------

GATEWAY, DASHSCOPE = "/bailian", "/bailian/api/v1"
ORDER = request(WAN, PROMPT, PICTURE)


def bailian_at(url: str, http: httpx.AsyncClient, way: str = GATEWAY, **env: str) -> Provider:
    given = {"BAILIAN_API_KEY": key_of("bailian"), "BAILIAN_API_BASE_URL": url + way} | env
    return adapter(bailian, url, http, **given)


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
    "fault",
    [
        {"kind": "reset"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 409},
        {"kind": "truncated"},
        {"kind": "truncated", "declared": "whole"},
        {"kind": "garbage"},
        {"kind": "html", "status": 502},
        {"kind": "wrong_type"},
        {"kind": "error_in_200"},
        {"kind": "no_job_id"},
    ],
    ids=shown,
)
async def test_a_lost_answer_leaves_the_start_unknown(
    provider: Provider, sandbox: Control, fault: dict[str, Any]
) -> None:
    await sandbox.put_faults(fault | {"when": "after"})
    with pytest.raises(StartUnknown):
        await provider.submit(ORDER, "key", None)
    assert await sandbox.paid_starts() == 1


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


async def test_a_key_that_is_echoed_is_in_no_error(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "echo_key"})
    with pytest.raises(InputRejected) as raised:
        await provider.submit(ORDER, "key", None)
    assert "[redacted]" in raised.value.message
    assert key_of("bailian") not in raised.value.message


@pytest.mark.parametrize(
    ("fault", "kind"), [({"kind": "moderated"}, Moderated), ({"kind": "failed"}, JobFailed)], ids=shown
)
async def test_how_a_task_failed(
    provider: Provider, sandbox: Control, fault: dict[str, Any], kind: type[StepError]
) -> None:
    await sandbox.put_faults(fault)
    failed = await ended(provider, await start(provider, ORDER))
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 429}, "provider_rate_limited"),
        ({"kind": "status", "status": 503}, "provider_unavailable"),
        ({"kind": "html", "status": 502}, "provider_unavailable"),
        ({"kind": "status", "status": 401}, "provider_unauthorized"),
        ({"kind": "reset"}, "provider_network_error"),
        ({"kind": "truncated"}, "provider_unexpected_response"),
    ],
    ids=shown,
)
async def test_a_bad_read_never_loses_a_paid_task(
    provider: Provider, sandbox: Control, fault: dict[str, Any], code: str
) -> None:
    job = await start(provider, ORDER)
    await sandbox.put_faults(fault | {"operation": "status"})
    with pytest.raises(Refused) as raised:
        await provider.status(job)
    assert raised.value.reason == code
    assert isinstance(await ended(provider, job), Succeeded)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"kind": "unknown_status"}, "HIBERNATING"),
        ({"kind": "gone_after_success"}, "UNKNOWN"),
        ({"kind": "status", "status": 404}, "UNKNOWN"),
        ({"kind": "status", "status": 418}, "HTTP 418"),
        ({"kind": "error_in_200"}, "no status"),
        ({"kind": "redirect", "location": "https://example.com/"}, "HTTP 307"),
    ],
    ids=shown,
)
async def test_a_strange_read_is_unsure_and_may_mend(
    provider: Provider, sandbox: Control, fault: dict[str, Any], word: str
) -> None:
    job = await start(provider, ORDER)
    await sandbox.put_faults(fault | {"operation": "status"})
    unsure = await provider.status(job)
    assert isinstance(unsure, Unsure)
    assert unsure.word == word
    assert isinstance(await ended(provider, job), Succeeded)


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
