"""Black Forest Labs: what it answers, and what that means."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
    RequestError,
    SetupError,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.media import InputFile, MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import (
    Accepted,
    CancelOutcome,
    Failed,
    Job,
    JobRequest,
    JobState,
    Notice,
    Pending,
    Provider,
    Succeeded,
    Unsure,
    Window,
)
from providers import bfl
from providers._answers import Redactor
from providers._signatures import derived_secret
from providers.bfl.models import MODELS, megapixels
from providers.bfl.wire import build_body, complaint, read_credits, read_error, read_notice, read_state, verify
from tests.contract.adapters import SECRET, Control, adapter, ended, key_of, request, start
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.webhook_receiver import Receiver

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=UTC)
PRO = MODELS["bfl/flux-2-pro"]
PROMPT = {"prompt": "a paper boat"}
ADDRESS = InputFile(url="https://example.com/a.png")
BYTES = InputFile(data=b"\x89PNG", media_type="image/png")
BYTES_TEXT = base64.b64encode(b"\x89PNG").decode()
hide_nothing = Redactor("no-such-key-anywhere")


# ---- models -----------------------------------------------------------------------------------------------------


def test_the_models_are_those_of_the_contract() -> None:
    assert {name: card.raw_id for name, card in MODELS.items()} == {
        "bfl/flux-1.1-pro": "flux-pro-1.1",
        "bfl/flux-1.1-pro-ultra": "flux-pro-1.1-ultra",
        "bfl/flux-2-klein-4b": "flux-2-klein-4b",
        "bfl/flux-2-klein-9b": "flux-2-klein-9b",
        "bfl/flux-2-flex": "flux-2-flex",
        "bfl/flux-2-pro": "flux-2-pro",
        "bfl/flux-2-max": "flux-2-max",
    }
    assert MODELS["bfl/flux-1.1-pro"].aliases == ("bfl/flux-pro-1.1", "black-forest-labs/flux-pro-1.1")
    assert PRO.aliases == ("black-forest-labs/flux-2-pro",)
    assert PRO.endpoint == "https://api.bfl.ai/v1/flux-2-pro"
    assert {card.vendor for card in MODELS.values()} == {"black-forest-labs"}


@pytest.mark.parametrize(
    ("model", "params", "path"),
    [
        ("bfl/flux-2-pro", {"prompt": ""}, ("prompt",)),
        ("bfl/flux-2-pro", {"prompt": " \n "}, ("prompt",)),
        ("bfl/flux-2-pro", {}, ("prompt",)),
        ("bfl/flux-2-pro", PROMPT | {"safety_tolerance": 6}, ("safety_tolerance",)),
        ("bfl/flux-2-pro", PROMPT | {"steps": 10}, ("steps",)),
        ("bfl/flux-2-pro", PROMPT | {"output_format": "gif"}, ("output_format",)),
        ("bfl/flux-2-klein-4b", PROMPT | {"prompt_upsampling": True}, ("prompt_upsampling",)),
        ("bfl/flux-2-flex", PROMPT | {"guidance": 1.4}, ("guidance",)),
        ("bfl/flux-2-flex", PROMPT | {"guidance": float("nan")}, ("guidance",)),
        ("bfl/flux-2-flex", PROMPT | {"steps": 51}, ("steps",)),
        ("bfl/flux-1.1-pro", PROMPT | {"width": 1000}, ("width",)),
        ("bfl/flux-1.1-pro", PROMPT | {"height": 1472}, ("height",)),
        ("bfl/flux-1.1-pro", PROMPT | {"output_format": "webp"}, ("output_format",)),
        ("bfl/flux-1.1-pro-ultra", PROMPT | {"image_prompt_strength": 1.1}, ("image_prompt_strength",)),
        ("bfl/flux-1.1-pro-ultra", PROMPT | {"raw": 1}, ("raw",)),
    ],
)
def test_what_no_model_takes_is_refused_with_its_path(
    model: str, params: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as raised:
        MODELS[model].params.model_validate(params)
    assert [error["loc"] for error in raised.value.errors()] == [path]


@pytest.mark.parametrize(
    ("model", "params", "path"),
    [
        ("bfl/flux-2-pro", {"width": 63}, ("width",)),
        ("bfl/flux-2-pro", {"height": 1}, ("height",)),
        ("bfl/flux-2-pro", {"width": 2064, "height": 2048}, ("width",)),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "22:9"}, ("aspect_ratio",)),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "9:22"}, ("aspect_ratio",)),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "wide"}, ("aspect_ratio",)),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "1:0"}, ("aspect_ratio",)),
    ],
)
def test_certain_rules_over_several_values_are_faults(model: str, params: dict[str, Any], path: tuple[str]) -> None:
    MODELS[model].params.model_validate(PROMPT | params)
    assert [fault.path for fault in MODELS[model].check(PROMPT | params)] == [path]


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("bfl/flux-2-pro", {"width": 0, "height": 0}),
        ("bfl/flux-2-pro", {"width": 64, "height": 64}),
        ("bfl/flux-2-pro", {"width": 2048, "height": 2048, "output_format": "jpg", "seed": -12}),
        ("bfl/flux-1.1-pro-ultra", {"aspect_ratio": "21:9"}),
        ("bfl/flux-2-flex", {"guidance": 5, "steps": 50.0, "input_image_blob_path": "a/b"}),
    ],
)
def test_what_is_documented_passes_without_a_word(model: str, params: dict[str, Any]) -> None:
    card = MODELS[model]
    card.params.model_validate(PROMPT | params)
    assert card.check(params) == []
    assert card.warn(params) == []


@pytest.mark.parametrize(
    ("model", "params", "word"),
    [
        ("bfl/flux-2-pro", {"width": 1000, "height": 1024}, "multiples of 16"),
        ("bfl/flux-2-pro", {"prompt_upsampling": True}, "prompt_upsampling"),
        ("bfl/flux-2-max", {"transparent_bg": True, "output_format": "png"}, "transparent_bg"),
        ("bfl/flux-2-flex", {"transparent_bg": True}, "png or webp"),
    ],
)
def test_what_is_uncertain_is_accepted_with_a_warning(model: str, params: dict[str, Any], word: str) -> None:
    card = MODELS[model]
    card.params.model_validate(PROMPT | params)
    assert card.check(params) == []
    (warning,) = card.warn(params)
    assert word in warning.message


def test_input_pictures_are_read_in_the_order_of_their_numbers() -> None:
    params = PROMPT | {"input_image_3": "c", "input_image": "a", "input_image_2": "b", "input_image_9": "x"}
    assert PRO.read_inputs(params) == (("a", "b", "c"), PROMPT | {"input_image_9": "x"})
    assert MODELS["bfl/flux-1.1-pro"].read_inputs(PROMPT | {"image_prompt": "a"}) == (("a",), PROMPT)


# ---- prices -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "params", "pictures", "cost"),
    [
        ("bfl/flux-2-pro", {}, 0, Cost.exactly(30_000)),
        ("bfl/flux-2-pro", {"width": 1024, "height": 1024}, 0, Cost.exactly(30_000)),
        (
            "bfl/flux-2-pro",
            {"width": 1440, "height": 1440},
            0,
            Cost.exactly(45_000),
        ),  # answered: 4.5 credits
        ("bfl/flux-2-pro", {"width": 2048, "height": 2048}, 0, Cost.exactly(75_000)),
        ("bfl/flux-2-pro", {"width": 2048}, 0, Cost(30_000, 75_000)),
        ("bfl/flux-2-pro", {"width": 1024, "height": 1024}, 1, Cost(45_000, None)),
        ("bfl/flux-2-max", {"width": 1024, "height": 1024}, 1, Cost(100_000, None)),
        ("bfl/flux-2-flex", {"width": 1024, "height": 1024}, 1, Cost(100_000, None)),
        ("bfl/flux-2-klein-4b", {"width": 2048, "height": 1024}, 0, Cost.exactly(15_000)),
        ("bfl/flux-2-klein-9b", {"width": 2048, "height": 1024}, 0, Cost.exactly(17_000)),
        ("bfl/flux-1.1-pro", {}, 1, Cost.exactly(40_000)),
        ("bfl/flux-1.1-pro-ultra", {}, 0, Cost.exactly(60_000)),
    ],
)
def test_prices(model: str, params: dict[str, Any], pictures: int, cost: Cost) -> None:
    assert MODELS[model].price(PROMPT | params, pictures) == cost


@pytest.mark.parametrize(
    ("credits", "micros"),
    [
        (3.0, 30_000),
        (4.5, 45_000),
        (0, 0),
        (1.00001, 10_001),
        (None, None),
        ("3", None),
        (True, None),
        (-1, None),
        (float("inf"), None),
        (float("nan"), None),
    ],
)
def test_a_cost_in_credits_becomes_whole_micro_dollars(credits: object, micros: int | None) -> None:
    assert read_credits(credits) == micros


# ---- between providers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", ["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9", "9:21"])
def test_a_ratio_becomes_one_megapixel_of_that_shape(ratio: str) -> None:
    for model, step in (("bfl/flux-2-pro", 16), ("bfl/flux-1.1-pro", 32)):
        mapped = MODELS[model].from_neutral(MediaRequest(MediaKind.IMAGE, ratio=ratio))
        width, height = mapped.params["width"], mapped.params["height"]
        across, down = map(int, ratio.split(":"))
        assert megapixels(width, height) == 1
        assert width % step == height % step == 0
        assert width / height == pytest.approx(across / down, rel=0.03)
        assert mapped.lost == ()


def test_ultra_is_told_the_ratio_itself() -> None:
    mapped = MODELS["bfl/flux-1.1-pro-ultra"].from_neutral(MediaRequest(MediaKind.IMAGE, ratio="7:5"))
    assert mapped.params == {"aspect_ratio": "7:5"}
    assert mapped.lost == ()


def test_what_a_model_cannot_be_told_is_named() -> None:
    wish = MediaRequest(
        MediaKind.IMAGE,
        prompt="a boat",
        negative_prompt="people",
        width=4096,
        height=2048,
        watermark=True,
        enhance_prompt=True,
        output_format="webp",
    )
    mapped = MODELS["bfl/flux-1.1-pro"].from_neutral(wish)
    assert mapped.params == {"prompt": "a boat", "width": 1440, "height": 704, "prompt_upsampling": True}
    assert mapped.lost == ("negative prompt", "watermark", "output format", "exact size (it gets 1440 by 704)")
    assert "prompt enhancement" in MODELS["bfl/flux-2-klein-4b"].from_neutral(wish).lost


# ---- bodies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "params", "pictures", "body"),
    [
        ("bfl/flux-2-pro", PROMPT, (), PROMPT),
        ("bfl/flux-2-pro", PROMPT, (ADDRESS,), PROMPT | {"input_image": ADDRESS.url}),
        (
            "bfl/flux-2-pro",
            PROMPT,
            (BYTES, ADDRESS),
            PROMPT | {"input_image": BYTES_TEXT, "input_image_2": ADDRESS.url},
        ),
        ("bfl/flux-1.1-pro", PROMPT, (), PROMPT),
        ("bfl/flux-1.1-pro", PROMPT, (BYTES,), PROMPT | {"image_prompt": BYTES_TEXT}),
        ("bfl/flux-1.1-pro-ultra", PROMPT, (BYTES,), PROMPT | {"image_prompt": BYTES_TEXT}),
        ("bfl/flux-2-pro", PROMPT | {"width": 1024.0}, (), PROMPT | {"width": 1024}),
        ("bfl/flux-2-pro", PROMPT | {"output_format": "jpg"}, (), PROMPT | {"output_format": "jpeg"}),
    ],
)
def test_bodies(model: str, params: dict[str, Any], pictures: tuple[InputFile, ...], body: dict[str, Any]) -> None:
    built = build_body(MODELS[model], request(MODELS[model], params, *pictures))
    assert json.dumps(built, sort_keys=True) == json.dumps(body, sort_keys=True)


def test_flux_1_is_never_given_an_address() -> None:
    """It reads `image_prompt` as Base64, so an address would be a broken picture."""
    with pytest.raises(InputRejected) as raised:
        build_body(MODELS["bfl/flux-1.1-pro"], request(MODELS["bfl/flux-1.1-pro"], PROMPT, ADDRESS))
    assert raised.value.reason == "invalid_provider_params"


def test_no_picture_is_left_out_in_silence() -> None:
    with pytest.raises(InputRejected, match="at most 4"):
        build_body(MODELS["bfl/flux-2-klein-4b"], request(MODELS["bfl/flux-2-klein-4b"], PROMPT, *[ADDRESS] * 5))


# ---- answers ----------------------------------------------------------------------------------------------------

JOB = Job("5f0f0c1e", {}, cost=30_000)


def state(status: object, **more: Any) -> JobState:
    return read_state({"id": JOB.id, "status": status, **more}, JOB, NOW, hide_nothing)


@pytest.mark.parametrize("word", ["Pending", "Reasoning", "Generating"])
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word, progress=0.4) == Pending(word)


def test_ready_gives_the_output_its_cost_and_when_it_expires() -> None:
    ready = state("Ready", result={"sample": "https://delivery-eu2.bfl.ai/a.png?sig=x", "seed": 7})
    assert isinstance(ready, Succeeded)
    assert [output.url for output in ready.outputs] == ["https://delivery-eu2.bfl.ai/a.png?sig=x"]
    assert ready.cost == 30_000
    assert ready.metadata == {"output_expires_at": "2026-11-21T03:20:00.000Z"}


@pytest.mark.parametrize("word", ["Request Moderated", "Content Moderated"])
def test_moderated_jobs_cost_nothing_and_say_why(word: str) -> None:
    failed = state(word, details={"Moderation Reasons": ["Safety Filter", "Copyright"]})
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, Moderated)
    assert failed.error.facts["cost"] == 0
    assert "Safety Filter, Copyright" in failed.error.message


@pytest.mark.parametrize("word", ["Error", "Failed"])
@pytest.mark.parametrize("more", [{"details": {"error": "no paint"}}, {"details": "no paint"}, {"error": "no paint"}])
def test_failed_jobs_say_why(word: str, more: dict[str, Any]) -> None:
    failed = state(word, **more)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, JobFailed)
    assert failed.error.reason == "provider_failed"
    assert "no paint" in failed.error.message


def test_task_not_found_is_looked_at_again_for_half_a_minute() -> None:
    unsure = state("Task not found")
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (30, 3)
    assert isinstance(unsure.error, JobExpired)
    assert unsure.error.reason == "provider_task_not_found"


@pytest.mark.parametrize(
    ("status", "more"),
    [
        ("Dreaming", {}),
        ("ready", {}),
        ("Ready", {}),
        ("Ready", {"result": None}),
        ("Ready", {"result": {"sample": ["x"]}}),
        (None, {}),
        (["Ready"], {}),
        ({}, {}),
        ("", {}),
        ("x" * 5_000, {}),
    ],
)
def test_what_no_sheet_knows_is_looked_at_again_and_then_an_error(status: object, more: dict[str, Any]) -> None:
    unsure = state(status, **more)
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (120, 10)
    assert isinstance(unsure.error, UnexpectedResponse)
    assert "BFL" in unsure.error.message
    assert len(unsure.error.message) < 400
    assert str(status)[:20] in unsure.error.message or not isinstance(status, str) or len(status) > 200


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"detail": "unreadable image"}, InputRejected, "provider_invalid_request"),
        (401, {"detail": "wrong key"}, BadCredentials, "provider_unauthorized"),
        (402, {"detail": "Insufficient credits."}, CreditExhausted, "provider_quota_exceeded"),
        (403, {"detail": "Not authenticated"}, BadCredentials, "provider_unauthorized"),
        (403, {"detail": "No permission for this model"}, ModelUnavailable, "provider_not_found"),
        (404, None, ModelUnavailable, "provider_not_found"),
        (413, None, InputRejected, "provider_invalid_request"),
        (422, {"detail": [{"loc": ["body", "width"], "msg": "too small"}]}, InputRejected, "provider_invalid_request"),
    ],
)
def test_refusals(status: int, body: dict[str, Any] | None, kind: type[StepError], code: str) -> None:
    error = read_error(status, body, hide_nothing)
    assert type(error) is kind
    assert error.reason == code
    assert error.facts["status"] == status
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"detail": "a", "message": "b"}, "a"),
        ({"message": "b", "error": "c"}, "b"),
        ({"error": "c"}, "c"),
        ({"detail": [{"loc": ["body", "width"], "msg": "too small", "input": "canary"}, "odd"]}, "width: too small"),
        ({"detail": [{"msg": "no"}]}, "no"),
        ({"detail": {"odd": 1}}, ""),
        ({}, ""),
    ],
)
def test_the_complaint_is_found_in_each_of_its_places(body: dict[str, Any], text: str) -> None:
    assert complaint(body) == text


# ---- webhooks ---------------------------------------------------------------------------------------------------

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


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_notice_that_is_no_json_object_is_the_senders_fault(body: bytes) -> None:
    with pytest.raises(RequestError) as raised:
        read_notice(body)
    assert raised.value.reason == "invalid_json"


# ---- over HTTP --------------------------------------------------------------------------------------------------


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


async def test_no_room_is_refused_with_the_time_to_wait(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}})
    with pytest.raises(Refused) as raised:
        await provider.submit(request(PRO, PROMPT), "key", None)
    assert raised.value.reason == "provider_rate_limited"
    assert raised.value.retry_after == 7
    assert await sandbox.paid_starts() == 0
    await start(provider, request(PRO, PROMPT))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 502},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 504},
        {"kind": "status", "status": 408},
        {"kind": "truncated"},
        {"kind": "truncated", "declared": "whole"},
        {"kind": "garbage"},
        {"kind": "html"},
        {"kind": "wrong_type"},
        {"kind": "no_job_id"},
        {"kind": "error_in_200"},
        {"kind": "redirect", "location": "https://example.com/"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
async def test_a_lost_answer_leaves_the_start_unknown(
    provider: Provider, sandbox: Control, fault: dict[str, Any]
) -> None:
    await sandbox.put_faults(fault | {"when": "after"})
    with pytest.raises(StartUnknown):
        await provider.submit(request(PRO, PROMPT), "key", None)
    assert await sandbox.paid_starts() == 1


async def test_an_address_where_nobody_listens_is_refused(http: httpx.AsyncClient) -> None:
    async with running_sandbox() as url:
        provider = adapter(bfl, url, http)
    with pytest.raises(Refused) as raised:
        await provider.submit(request(PRO, PROMPT), "key", None)
    assert raised.value.reason == "provider_network_error"


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


async def test_a_key_that_bfl_echoes_is_in_no_error(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "echo_key"})
    with pytest.raises(InputRejected) as raised:
        await provider.submit(request(PRO, PROMPT), "key", None)
    assert "[redacted]" in raised.value.message
    assert key_of("bfl") not in raised.value.message


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "moderated", "stage": "input"}, Moderated),
        ({"kind": "moderated", "stage": "output"}, Moderated),
        ({"kind": "moderated", "status": 422}, Moderated),
        ({"kind": "failed"}, JobFailed),
        ({"kind": "failed", "status": 422}, JobFailed),
        ({"kind": "failed", "status": 503}, JobFailed),
    ],
    ids=str,
)
async def test_how_a_job_failed_is_read_from_its_body_whatever_the_status_code(
    provider: Provider, sandbox: Control, fault: dict[str, Any], kind: type[StepError]
) -> None:
    await sandbox.put_faults(fault)
    failed = await ended(provider, await start(provider, request(PRO, PROMPT)))
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "3"}}, "provider_rate_limited"),
        ({"kind": "status", "status": 500}, "provider_unavailable"),
        ({"kind": "status", "status": 503}, "provider_unavailable"),
        ({"kind": "status", "status": 503, "body": {"status": "maintenance"}}, "provider_unavailable"),
        ({"kind": "status", "status": 401}, "provider_unauthorized"),
        ({"kind": "status", "status": 403}, "provider_unauthorized"),
        ({"kind": "reset"}, "provider_network_error"),
        ({"kind": "truncated", "declared": "whole"}, "provider_network_error"),
        ({"kind": "truncated"}, "provider_unexpected_response"),
        ({"kind": "garbage"}, "provider_unexpected_response"),
    ],
    ids=str,
)
async def test_a_bad_read_never_loses_a_paid_job(
    provider: Provider, sandbox: Control, fault: dict[str, Any], code: str
) -> None:
    job = await start(provider, request(PRO, PROMPT))
    await sandbox.put_faults(fault | {"operation": "status"})
    with pytest.raises(Refused) as raised:
        await provider.status(job)
    assert raised.value.reason == code
    assert raised.value.retry_after == (3 if code == "provider_rate_limited" else None)
    assert isinstance(await ended(provider, job), Succeeded)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"kind": "unknown_status", "word": "Dreaming"}, "Dreaming"),
        ({"kind": "gone_after_success"}, "Task not found"),
        ({"kind": "status", "status": 404}, "Task not found"),
        ({"kind": "status", "status": 418}, "HTTP 418"),
        ({"kind": "wrong_type"}, "no status"),
        ({"kind": "error_in_200"}, "no status"),
    ],
    ids=str,
)
async def test_a_strange_read_is_unsure_and_may_mend(
    provider: Provider, sandbox: Control, fault: dict[str, Any], word: str
) -> None:
    job = await start(provider, request(PRO, PROMPT))
    await sandbox.put_faults(fault | {"operation": "status"})
    unsure = await provider.status(job)
    assert isinstance(unsure, Unsure)
    assert unsure.word == word
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
    assert receiver.received == []


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
