"""Bach: what it answers, and what that means."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import ValidationError

from api.requests import read_envelope
from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobExpired,
    JobFailed,
    ModelUnavailable,
    Moderated,
    Refused,
    RequestError,
    SetupError,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.fitting import Picture, fits
from domain.media import InputFile, InputForm, MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import (
    Accepted,
    CancelOutcome,
    Failed,
    Job,
    JobRequest,
    JobState,
    Notice,
    Output,
    Pending,
    Provider,
    SafetyClass,
    Succeeded,
    Unsure,
    Window,
)
from domain.tokens import AttemptToken
from net.webhook_addresses import WebhookAddresses
from providers import bach
from providers._answers import Redactor
from providers.bach import MODELS
from providers.bach.bearer import Bearers, mint
from providers.bach.wire import build_body, read_error, read_notice, read_state, read_task
from sandbox.providers.bach.tokens import SECRET_KEY
from tests.contract.adapters import SECRET, TOKEN, Control, adapter, ended, key_of, request, start
from tests.support.pictures import jpeg
from tests.support.webhook_receiver import Receiver
from tests.unit.domain.test_planning import plan, refused

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=UTC)
MODEL = MODELS["bach/bach-1.0-preview"]
PROMPT = {"prompt": "slow push-in on the lighthouse"}
ADDRESS = InputFile(url="https://example.com/a.png")
TASK = "b7d0f3a2-5a51-4a7e-9c9f-0f5f8f6c1d10"
hide_nothing = Redactor("no-such-key-anywhere")


def shown(value: object) -> str:
    return "-".join(map(str, value.values())) if isinstance(value, dict) else str(value)


# ---- the model ----------------------------------------------------------------------------------------------------


def test_the_card_says_what_the_page_says() -> None:
    assert list(MODELS) == ["bach/bach-1.0-preview"]
    assert MODEL.raw_id == "bach-1.0-preview"
    assert MODEL.endpoint == "https://api-gen-na.bach.art/api/vdr/videos/image2video"
    assert (MODEL.inputs.minimum, MODEL.inputs.maximum) == (1, 1)
    hints = " ".join(MODEL.hints)
    for advice in ("720p or more", "clear subject", "camera", "jerky motion", "1-2", "3-4", "5-6"):
        assert advice in hints


def test_a_lost_create_is_found_by_its_callback_alone() -> None:
    assert MODEL.safety(webhooks_reach_us=True) is SafetyClass.B
    assert MODEL.safety(webhooks_reach_us=False) is SafetyClass.C


@pytest.mark.parametrize(
    "params",
    [
        {"resolution": "720P"},
        {"resolution": "480p"},
        {"duration": 0},
        {"duration": 7},
        {"duration": 2.5},
        {"duration": "5"},
        {"fps": 25},
        {"cfg_scale": 0.9},
        {"cfg_scale": 15.1},
        {"audio_prompt": "x" * 201},
        {"seed": -1},
        {"seed": 10_000_001},
        {"enhance_prompt": "true"},
        {"generate_audio": 1},
        {"enable_moderation": None},
        {"prompt": "x" * 10_001},
        {"prompt": " "},
        {"negative_prompt": "x" * 10_001},
    ],
    ids=lambda params: shown(params)[:20],
)
def test_what_bach_does_not_take_is_refused_with_its_path(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        MODEL.params.model_validate(PROMPT | params)
    assert {error["loc"][0] for error in raised.value.errors()} == set(params)


@pytest.mark.parametrize(
    "params",
    [
        {"duration": 1},
        {"duration": 5, "fps": 24},
        {"cfg_scale": 1, "seed": 0},
        {"cfg_scale": 15.0, "seed": 10_000_000},
        {"prompt": "x" * 10_000, "negative_prompt": "灯" * 10_000},
        {"generate_audio": True, "audio_prompt": "x" * 200},
        {"resolution": "1080p", "enhance_prompt": False, "enable_moderation": False},
    ],
    ids=lambda params: shown(params)[:20],
)
def test_what_is_documented_passes_without_a_word(params: dict[str, Any]) -> None:
    MODEL.params.model_validate(PROMPT | params)
    assert MODEL.check(PROMPT | params) == []
    assert MODEL.warn(PROMPT | params) == []


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "prompt: optional"),
        (PROMPT | {"duration": 6}, "1 to 5 seconds"),
        (PROMPT | {"audio_prompt": "surf"}, "without generate_audio"),
        (PROMPT | {"audio_prompt": "surf", "generate_audio": False}, "without generate_audio"),
    ],
)
def test_what_bachs_page_is_at_odds_about_is_accepted_with_a_warning(params: dict[str, Any], words: str) -> None:
    MODEL.params.model_validate(params)
    (warning,) = MODEL.warn(params)
    assert words in warning.message


@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
def test_bachs_own_limit_on_texts_goes_before_the_general_one_in_every_script(name: str) -> None:
    """Ten thousand characters are thirty thousand bytes here, and other models' texts end at 8,192."""

    def asked(length: int, model: str = MODEL.id) -> dict[str, Any]:
        said = {"prompt": "waves"} | {name: "灯" * length}
        body = {"chain_models": {"image_to_video_model": model}, "text_to_image_prompt": "a boat"}
        return read_envelope({"input": body | {"image_to_video_params": said}}).input

    assert plan("chain1", asked(10_000)).steps[1].candidates[0].params[name] == "灯" * 10_000
    _, faults = refused("chain1", asked(10_001))
    assert "10000" in faults[f"image_to_video_params.{name}"]
    _, faults = refused("chain1", asked(10_000, "bailian/wan2.6-i2v"))
    assert "at most 8192" in faults[f"image_to_video_params.{name}"]


def test_the_card_gives_bachs_defaults() -> None:
    fields = MODEL.params.model_json_schema()["properties"]
    documented = {
        "fps": 30,
        "cfg_scale": 5.0,
        "enhance_prompt": True,
        "generate_audio": False,
        "enable_moderation": True,
    }
    assert {name: fields[name]["default"] for name in documented} == documented


def test_bach_is_asked_as_often_as_its_own_samples_ask() -> None:
    assert MODEL.looks.pause == 10


@pytest.mark.parametrize(
    ("change", "fit"),
    [
        ({}, True),
        ({"bytes": 10_000_000}, True),
        ({"bytes": 10_000_001}, False),
        ({"width": 300, "height": 300}, True),
        ({"width": 299}, False),
        ({"height": 299}, False),
        ({"type": "image/tiff"}, True),
        ({"type": "image/avif"}, False),
    ],
    ids=shown,
)
def test_pictures_are_judged_by_bachs_limits_to_the_byte_and_the_pixel(change: dict[str, Any], fit: bool) -> None:
    assert fits(replace(Picture(1280, 720, "image/jpeg", 200_000), **change), MODEL.pictures) is fit


def test_our_callback_address_is_short_enough_behind_the_longest_public_one() -> None:
    public = "https://" + "x" * (bach._LONGEST_PUBLIC_URL - len("https://"))
    token = AttemptToken(str(uuid4()), "image_to_video", 99)
    assert len(WebhookAddresses(SECRET, public).url("bach", token)) <= 500


def test_the_price_is_said_to_be_unknown() -> None:
    assert MODEL.price(PROMPT, 1) == Cost.unknown()


def test_a_callers_own_picture_is_read_out_of_the_parameters() -> None:
    assert MODEL.read_inputs(PROMPT | {"image_url": "https://a"}) == (("https://a",), PROMPT)
    assert MODEL.read_inputs({"image_url": 5}) == ((), {"image_url": 5})


def test_a_wish_is_told_as_far_as_bach_can_be_told() -> None:
    wish = MediaRequest(
        MediaKind.VIDEO,
        prompt="waves roll",
        negative_prompt="morphing",
        ratio="16:9",
        resolution="1080P",
        seconds=10,
        seed=9,
        audio=True,
        enhance_prompt=False,
        output_format="mp4",
    )
    mapped = MODEL.from_neutral(wish)
    assert mapped.params == {
        "prompt": "waves roll",
        "negative_prompt": "morphing",
        "resolution": "1080p",
        "duration": 6,
        "seed": 9,
        "generate_audio": True,
        "enhance_prompt": False,
    }
    assert mapped.lost == ("ratio", "exact duration (it gets 6 seconds)")


# ---- the body -----------------------------------------------------------------------------------------------------


def test_a_body_names_what_bach_demands_and_leaves_its_defaults_to_it() -> None:
    assert build_body(MODEL, request(MODEL, PROMPT, ADDRESS), "https://us.example/hook") == {
        **PROMPT,
        "model_name": "bach-1.0-preview",
        "image_url": ADDRESS.url,
        "resolution": "720p",
        "duration": 5,
        "callback_url": "https://us.example/hook",
    }
    body = build_body(MODEL, request(MODEL, {"duration": 3.0, "resolution": "1080p"}, ADDRESS), None)
    assert json.dumps(body["duration"]) == "3"
    assert body["resolution"] == "1080p"
    assert "callback_url" not in body


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ((), "got none"),
        ((ADDRESS, ADDRESS), "at most 1"),
        ((InputFile(url="https://a", media_type="image/avif"),), "no picture of type image/avif"),
        ((InputFile(data=jpeg("a"), media_type="image/jpeg"),), "BABYCHAIN_PUBLIC_URL"),
        ((InputFile(data=b"\xff" * (10_000_001)),), "at most 10000000 bytes"),
    ],
)
def test_a_picture_that_bach_can_not_take_is_refused_before_anything_is_paid(
    pictures: tuple[InputFile, ...], words: str
) -> None:
    with pytest.raises(InputRejected, match=words):
        build_body(MODEL, request(MODEL, PROMPT, *pictures), None)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff"])
def test_every_documented_type_of_picture_passes(kind: str) -> None:
    picture = InputFile(url="https://a", media_type=f"image/{kind}")
    assert build_body(MODEL, request(MODEL, PROMPT, picture), None)["image_url"] == "https://a"


def test_pictures_travel_by_address_alone() -> None:
    assert bach.Bach.accepts == (InputForm.URL,)


# ---- answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [{"code": 200, "data": {"task_id": TASK}}, {"code": 0, "data": {"task_id": TASK}}])
def test_both_words_for_success_are_understood(answer: dict[str, Any]) -> None:
    assert read_task(answer, hide_nothing) == Job(TASK)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"code": 200},
        {"code": 200, "data": None},
        {"code": 200, "data": {}},
        {"code": 200, "data": {"task_id": [5]}},
        {"code": 1000, "message": "no", "data": {"task_id": TASK}},
        {"data": {"task_id": TASK}},
        {"code": 202, "message": "Accepted"},
        {"code": 500, "message": "it broke, who knows when"},
    ],
    ids=str,
)
def test_any_other_answer_leaves_the_start_unknown(answer: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_task(answer, hide_nothing)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, 1000, "Please provide a prompt.", InputRejected),
        (400, 1000, "Duration must be between 1 and 5 seconds.", InputRejected),
        (400, 4711, "an invented one", InputRejected),
        (400, 1001, "The input did not pass content moderation.", Moderated),
        (400, 1000, "Sensitive words in the prompt.", Moderated),
        (401, 401, "", BadCredentials),
        (402, 1, "", CreditExhausted),
        (403, 1302, "Insufficient credit package.", CreditExhausted),
        (403, 4711, "", BadCredentials),
        (404, 404, "", ModelUnavailable),
        (422, "1302", "", CreditExhausted),
    ],
)
def test_refusals(status: int, code: object, message: str, kind: type[StepError]) -> None:
    error = read_error(status, {"code": code, "message": message}, hide_nothing)
    assert type(error) is kind
    assert error.facts == {"status": status, "provider_code": str(code)}
    assert message in error.message


@pytest.mark.parametrize("payload", [None, {}, {"code": True, "message": 5, "data": []}])
def test_an_error_in_no_known_shape_still_counts_by_its_status(payload: dict[str, Any] | None) -> None:
    assert type(read_error(400, payload, hide_nothing)) is InputRejected


def state(status: object, **data: Any) -> JobState:
    return read_state({"code": 200, "message": "Success", "data": {"status": status, **data}}, hide_nothing)


@pytest.mark.parametrize("word", ["TASK_PENDING", "TASK_PROCESSING"])
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word) == Pending(word)


def test_a_finished_task_gives_its_video() -> None:
    assert state("TASK_SUCCEEDED", video_url="https://v") == Succeeded((Output("https://v"),))


@pytest.mark.parametrize(
    ("message", "kind"),
    [("Out of memory\n", JobFailed), ("The result did not pass content moderation.", Moderated), (None, JobFailed)],
)
def test_a_failed_task_says_why_in_one_clean_line(message: object, kind: type[StepError]) -> None:
    failed = state("TASK_FAILED", message=message)
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind
    assert failed.error.message.removeprefix("Bach's task failed") in {".", f": {str(message).strip()}"}


@pytest.mark.parametrize(
    ("payload", "word", "reads"),
    [
        ({"code": 200, "data": {"status": "TASK_SUCCEEDED"}}, "TASK_SUCCEEDED without a video", 5),
        ({"code": 200, "data": {"status": "TASK_SUCCEEDED", "video_url": 5}}, "TASK_SUCCEEDED without a video", 5),
        ({"code": 200, "data": {"status": "TASK_PAUSED"}}, "TASK_PAUSED", 10),
        ({"code": 200, "data": {"status": "task_pending"}}, "task_pending", 10),
        ({"code": 200, "data": {}}, "no status", 10),
        ({"code": 200, "data": None}, "no status", 10),
        ({"code": 1000, "data": {"status": "TASK_PENDING"}}, "code 1000", 10),
        ({}, "no code", 10),
    ],
)
def test_what_no_page_describes_is_looked_at_again_and_then_an_error(
    payload: dict[str, Any], word: str, reads: int
) -> None:
    unsure = read_state(payload, hide_nothing)
    assert isinstance(unsure, Unsure)
    assert (unsure.word, unsure.reads) == (word, reads)
    assert isinstance(unsure.error, UnexpectedResponse)


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        (
            {"task_id": TASK, "status": "TASK_SUCCEEDED", "video_url": "x"},
            Notice(TASK, "TASK_SUCCEEDED", ended=True),
        ),
        ({"task_id": TASK, "status": "TASK_FAILED"}, Notice(TASK, "TASK_FAILED", ended=True)),
        ({"task_id": TASK, "status": "TASK_PROCESSING"}, Notice(TASK, "TASK_PROCESSING", ended=False)),
        ({"task_id": [TASK]}, Notice(None, None, ended=True)),
    ],
)
def test_callbacks_are_read_leniently(body: dict[str, Any], notice: Notice) -> None:
    assert read_notice(json.dumps(body).encode()) == notice


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_callback_that_is_no_json_object_is_the_senders_fault(body: bytes) -> None:
    with pytest.raises(RequestError) as raised:
        read_notice(body)
    assert raised.value.reason == "invalid_json"


# ---- the bearer token ---------------------------------------------------------------------------------------------


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


# ---- over HTTP ----------------------------------------------------------------------------------------------------


def bach_at(url: str, http: httpx.AsyncClient, **env: str) -> Provider:
    return adapter(bach, url, http, **({"BACH_API_KEY": key_of("bach"), "BACH_API_BASE_URL": f"{url}/bach"} | env))


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return bach_at(sandbox.url, http)


ORDER = request(MODEL, PROMPT, ADDRESS)


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


async def test_a_token_minted_from_the_pair_of_keys_opens_the_api(sandbox: Control, http: httpx.AsyncClient) -> None:
    minting = bach_at(sandbox.url, http, BACH_API_KEY="sandbox-access-key", BACH_SECRET_KEY=SECRET_KEY)
    assert isinstance(await ended(minting, await start(minting, ORDER)), Succeeded)
    wrong = bach_at(sandbox.url, http, BACH_API_KEY="access-key-of-nobody", BACH_SECRET_KEY=SECRET_KEY)
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
        await bach_at(sandbox.url, http, BACH_API_KEY="wrong-key-123").submit(ORDER, "key", None)
    assert len(await sandbox.submits()) == 1


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
        {"kind": "html"},
        {"kind": "wrong_type"},
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


async def test_no_room_is_refused_with_the_time_to_wait(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}})
    with pytest.raises(Refused) as raised:
        await provider.submit(ORDER, "key", None)
    assert (raised.value.reason, raised.value.retry_after) == ("provider_rate_limited", 7)


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
        await bach_at(sandbox.url, http, BACH_API_KEY="wrong-key-123").submit(ORDER, "key", None)
    assert await sandbox.paid_starts() == 0


async def test_what_bach_would_refuse_for_its_content_passes_with_moderation_off(provider: Provider) -> None:
    marked = {"prompt": "a [moderate] scene", "enable_moderation": False}
    assert isinstance(await ended(provider, await start(provider, request(MODEL, marked, ADDRESS))), Succeeded)


async def test_a_key_that_bach_echoes_is_in_no_error(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "echo_key"})
    with pytest.raises(InputRejected) as raised:
        await provider.submit(ORDER, "key", None)
    assert "[redacted]" in raised.value.message
    assert key_of("bach") not in raised.value.message


@pytest.mark.parametrize(
    ("fault", "kind"),
    [({"kind": "moderated"}, Moderated), ({"kind": "failed"}, JobFailed)],
    ids=shown,
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
        ({"kind": "status", "status": 500}, "provider_unavailable"),
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
        ({"kind": "unknown_status", "word": "TASK_PAUSED"}, "TASK_PAUSED"),
        ({"kind": "gone_after_success"}, "not found"),
        ({"kind": "status", "status": 418}, "HTTP 418"),
        ({"kind": "error_in_200"}, "code 1000"),
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
