"""BabySea: what it is asked, what it answers, and what that means."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import ValidationError

import providers
from domain.breaker import Sign, sign_of
from domain.errors import (
    AuthError,
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobExpired,
    JobFailed,
    ModelUnavailable,
    Moderated,
    Next,
    Refused,
    SetupError,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.media import InputFile, MediaKind, MediaRequest
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
    Notice,
    Output,
    Pending,
    Provider,
    SafetyClass,
    Succeeded,
    Unsure,
)
from net.paid import rehearse
from providers import babysea, bfl, byteplus
from providers._answers import Redactor
from providers.babysea import MODELS
from providers.babysea.webhook import read_notice, sign
from providers.babysea.wire import build_body, build_estimate, read_error, read_estimate, read_job, read_state
from tests.contract.adapters import Control, adapter, ended, key_of, request
from tests.support.pictures import jpeg
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually

FLEX, PRO = MODELS["bfl/flux-2-flex"], MODELS["bfl/flux-1.1-pro"]
SCHNELL, DANCE = MODELS["bfl/flux-schnell"], MODELS["bytedance/seedance-1.5-pro"]
BOAT = {"generation_prompt": "a paper boat"}
DRIFT = {"generation_prompt": "it drifts", "generation_duration": 5, "generation_resolution": "480p"}
ADDRESS = InputFile(url="https://example.com/boat.png")
ID = "550e8400-e29b-41d4-a716-446655440001"
JOB = Job(ID, {"order": "bfl, replicate", "prediction": "pred_1", "request": "req_7a", "replayed": "false"})
hide_nothing = Redactor("no-such-key-anywhere")


def shown(value: object) -> str:
    """In a test's name: a card would print its functions' addresses, which differ between processes."""
    return value.id if isinstance(value, ModelCard) else str(value)


def new_key() -> str:
    """BabySea remembers keys for a day, so each test's jobs have their own."""
    return f"babychain:{uuid4()}:step:1"


async def start(provider: Provider, job: JobRequest, key: str | None = None) -> Job:
    answer = await provider.submit(job, key or new_key(), None)
    assert isinstance(answer, Accepted)
    return answer.job


def sea(sandbox: Control, http: httpx.AsyncClient, **env: str) -> Provider:
    return adapter(babysea, sandbox.url, http, **env)


# ---- models -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [bfl, byteplus], ids=lambda module: module.NAME)
def test_every_model_that_says_it_runs_in_this_mode_does(module: ModuleType) -> None:
    others = {name: card for name, card in module.MODELS.items() if "babysea" in card.modes}
    assert others
    for name, card in others.items():
        assert (MODELS[name].kind, MODELS[name].vendor) == (card.kind, card.vendor)


async def test_the_mode_chooses_who_serves_an_id_that_two_adapters_have() -> None:
    async with httpx.AsyncClient() as http:
        loaded = providers.load({"BABYSEA_API_KEY": "bye_0123456789"}, http)
    by_mode = {mode: loaded.catalogue(mode=mode, webhooks_reach_us=True) for mode in ("byok", "sandbox", "babysea")}
    served = {mode: catalogue.models["bfl/flux-2-flex"].provider for mode, catalogue in by_mode.items()}
    assert served == {"byok": "bfl", "sandbox": "bfl", "babysea": "babysea"}
    assert by_mode["babysea"].models.keys() == MODELS.keys()
    assert "google/veo-2" not in by_mode["byok"].models


@pytest.mark.parametrize("card", MODELS.values(), ids=lambda card: card.id)
def test_every_model_honours_the_key(card: ModelCard) -> None:
    assert card.safety(webhooks_reach_us=False) is SafetyClass.A
    assert card.raw_id == card.id
    assert card.endpoint.endswith(f"/v1/generate/{card.kind}/{card.id}")


def test_published_prices_count_every_picture_and_others_are_unknown() -> None:
    assert PRO.price(BOAT | {"generation_output_number": 3}, 0) == Cost.exactly(156_000)
    assert SCHNELL.price(BOAT, 0) == Cost(4_000, 5_000)
    assert DANCE.price(DRIFT, 1) == Cost.unknown()


@pytest.mark.parametrize(
    ("card", "params"),
    [
        (FLEX, BOAT | {"generation_output_format": "gif"}),
        (FLEX, BOAT | {"generation_output_number": 0}),
        (FLEX, BOAT | {"generation_prompt": " "}),
        (FLEX, BOAT | {"generation_ratio": 1}),
        (FLEX, BOAT | {"prompt": "without the prefix nothing is sent"}),
        (FLEX, {}),
        (DANCE, DRIFT | {"generation_duration": "5"}),
        (DANCE, DRIFT | {"generation_duration": 0}),
        (DANCE, DRIFT | {"generation_output_number": 2}),
        (DANCE, DRIFT | {"generation_output_format": "png"}),
        (DANCE, DRIFT | {"generation_generate_audio": "yes"}),
        (DANCE, DRIFT | {"generation_input_file_last_content": "data:image/png;base64,AAAA"}),
    ],
    ids=shown,
)
def test_what_is_certainly_wrong_is_refused(card: ModelCard, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        card.params.model_validate(params)


def test_a_clip_needs_its_seconds_and_inputs_must_be_a_list() -> None:
    [missing] = DANCE.check({"generation_prompt": "it drifts"})
    assert missing.path == ("generation_duration",)
    assert "video_duration" in missing.message
    [odd] = FLEX.check(BOAT | {"generation_input_file": "https://example.com/a.png"})
    assert odd.path == ("generation_input_file",)


@pytest.mark.parametrize(
    ("card", "params", "said"),
    [
        (FLEX, {"generation_ratio": "21:9"}, "21:9"),
        (FLEX, {"generation_resolution": "4K"}, "4K"),
        (FLEX, {"generation_steps": 20}, "generation_steps"),
        (FLEX, {"generation_provider_order": "bfl, acme"}, "acme"),
        (FLEX, {"generation_provider_order": "bfl, fal, replicate, openai"}, "at most 3"),
        (DANCE, {"generation_duration": 3}, "4 to 12"),
        (DANCE, {"generation_resolution": None}, "prices by it"),
    ],
    ids=shown,
)
def test_what_is_uncertain_is_a_warning_and_passes(card: ModelCard, params: dict[str, Any], said: str) -> None:
    whole = (BOAT if card is FLEX else DRIFT) | params
    card.params.model_validate(whole)
    assert card.check(whole) == []
    assert any(said in fault.message for fault in card.warn(whole))


def test_usual_parameters_warn_of_nothing() -> None:
    assert FLEX.warn(BOAT | {"generation_ratio": "16:9", "generation_provider_order": "fastest"}) == []
    assert DANCE.warn(DRIFT) == []


def test_pictures_are_taken_out_of_the_parameters() -> None:
    urls = ["https://example.com/a.png", "https://example.com/b.png"]
    assert FLEX.read_inputs(BOAT | {"generation_input_file": urls}) == (tuple(urls), BOAT)


def test_a_length_that_nobody_said_is_the_usual_one() -> None:
    assert DANCE.from_neutral(MediaRequest(MediaKind.VIDEO, prompt="it drifts")).params["generation_duration"] == 5
    assert FLEX.from_neutral(MediaRequest(MediaKind.IMAGE, prompt="a", seed=7)).lost == ("seed",)


# ---- bodies -------------------------------------------------------------------------------------------------------


def test_the_body_holds_the_callers_words_and_what_the_server_adds() -> None:
    order = BOAT | {"generation_provider_order": "bfl, replicate", "generation_output_format": "jpeg"}
    assert build_body(FLEX, request(FLEX, order, ADDRESS)) == {
        "generation_prompt": "a paper boat",
        "generation_provider_order": "bfl, replicate",
        "generation_output_format": "jpg",
        "generation_output_number": 1,
        "generation_input_file": ["https://example.com/boat.png"],
    }
    clip = build_body(DANCE, request(DANCE, DRIFT | {"generation_duration": 5.0, "generation_ratio": None}))
    assert clip == DRIFT | {"generation_output_number": 1, "generation_output_format": "mp4"}
    assert json.dumps(clip["generation_duration"]) == "5"


def test_a_picture_that_only_we_have_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputRejected, match="BABYCHAIN_PUBLIC_URL"):
        build_body(FLEX, request(FLEX, BOAT, InputFile(data=jpeg("a", (8, 8)), media_type="image/jpeg")))


def test_the_estimate_asks_for_what_the_price_depends_on() -> None:
    assert build_estimate(BOAT | {"generation_output_number": 2}) == {"count": "2"}
    assert build_estimate(DRIFT | {"generation_generate_audio": True}) == {
        "count": "1",
        "duration": "5",
        "resolution": "480p",
        "audio": "true",
    }


@pytest.mark.parametrize("said", [None, True, "0.1", -1, 1e9, float("nan"), [1]], ids=str)
def test_an_estimate_that_is_no_amount_is_unknown(said: object) -> None:
    assert read_estimate({"data": {"cost_total_consumed": said}}) is None
    assert read_estimate(None) is None
    assert read_estimate({"data": {"cost_total_consumed": 0.052}}) == 52_000


# ---- create -------------------------------------------------------------------------------------------------------


async def test_a_generation_is_made_under_its_key_read_and_brought_to_its_end(
    sandbox: Control, http: httpx.AsyncClient
) -> None:
    provider = sea(sandbox, http)
    key = new_key()
    job = await start(provider, request(FLEX, BOAT | {"generation_provider_order": "replicate, bfl"}), key)
    assert job.cost == 65_000
    assert job.facts["replayed"] == "false"
    [row] = await sandbox.submits()
    assert row["headers"]["idempotency-key"] == key
    done = await ended(provider, job)
    assert isinstance(done, Succeeded)
    assert done.metadata == {
        "provider_order": "replicate, bfl",
        "provider_used": "replicate",
        "babysea_generation_id": job.id,
        "babysea_prediction_id": job.facts["prediction"],
        "babysea_request_id": job.facts["request"],
        "babysea_idempotency_replayed": "false",
    }
    assert (await http.get(done.outputs[0].url)).status_code == 200


async def test_a_clip_starts_from_the_address_of_a_picture(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = sea(sandbox, http)
    job = await start(provider, request(DANCE, DRIFT, ADDRESS))
    assert job.cost == 150_000
    [row] = await sandbox.submits()
    assert row["body"]["generation_input_file"] == ["https://example.com/boat.png"]
    assert isinstance(await ended(provider, job), Succeeded)


async def test_the_same_key_again_is_the_same_generation(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider, key = sea(sandbox, http), new_key()
    first, second = [await start(provider, request(FLEX, BOAT), key) for _ in range(2)]
    assert first.id == second.id
    assert (first.facts["replayed"], second.facts["replayed"]) == ("false", "true")
    assert await sandbox.paid_starts() == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "status", "status": 500},
        {"kind": "html", "status": 502},
        {"kind": "garbage"},
        {"kind": "truncated"},
        {"kind": "truncated", "declared": "whole"},
        {"kind": "wrong_type"},
        {"kind": "no_job_id"},
        {"kind": "error_in_200"},
        {"kind": "redirect", "location": "http://127.0.0.1:9/elsewhere"},
    ],
    ids=str,
)
async def test_a_lost_answer_is_unknown_and_the_key_brings_it_back(
    sandbox: Control, http: httpx.AsyncClient, fault: dict[str, Any]
) -> None:
    provider, order, key = sea(sandbox, http), request(FLEX, BOAT), new_key()
    await sandbox.put_faults({"provider": "babysea", "operation": "submit", "when": "after"} | fault)
    with pytest.raises(StartUnknown):
        await start(provider, order, key)
    again = await start(provider, order, key)
    assert again.facts["replayed"] == "true"
    assert await sandbox.paid_starts() == 1


async def test_no_room_is_a_refusal_that_says_when_to_come_again(sandbox: Control, http: httpx.AsyncClient) -> None:
    full = {"kind": "status", "status": 429, "headers": {"retry-after": "7"}, "provider": "babysea"}
    await sandbox.put_faults(full | {"operation": "submit"})
    with pytest.raises(Refused) as raised:
        await start(sea(sandbox, http), request(FLEX, BOAT))
    assert raised.value.retry_after == 7
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({}, {"retry_after_seconds": 21, "limit": 60}, 21),
        ({"retry-after": "7"}, {"retry_after_seconds": 21}, 7),
        ({}, {"retry_after_seconds": 1e9}, 3600),
        ({}, {"retry_after_seconds": -1}, None),
        ({}, {"retry_after_seconds": "soon"}, None),
        ({}, {"retry_after_seconds": True}, None),
        ({}, ["odd"], None),
    ],
    ids=str,
)
async def test_when_to_come_again_may_stand_in_the_answer_itself(
    sandbox: Control, http: httpx.AsyncClient, headers: dict[str, str], details: object, seconds: float | None
) -> None:
    body = complaint(code="BSE1005", type="rate_limit_exceeded", message="Too many.", retryable=True, details=details)
    full = {"kind": "status", "provider": "babysea", "status": 429, "headers": headers, "body": body}
    provider = sea(sandbox, http)
    job = await start(provider, request(FLEX, BOAT))
    await sandbox.put_faults(full, full | {"operation": "status"}, full | {"operation": "cancel"})
    asking: list[Callable[[], Awaitable[object]]] = [
        lambda: start(provider, request(FLEX, BOAT)),
        lambda: provider.status(job),
        lambda: provider.cancel(job),
    ]
    for ask in asking:
        with pytest.raises(Refused) as raised:
            await ask()
        assert (raised.value.reason, raised.value.retry_after) == ("provider_rate_limited", seconds)


async def test_an_estimate_that_fails_holds_nothing_up(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = sea(sandbox, http, BABYSEA_API_KEY="sandbox-babysea-expired")
    assert isinstance(provider, babysea.BabySea)
    assert await provider.estimate(FLEX, BOAT) is None


REFUSALS: list[tuple[ModelCard, dict[str, Any], type[StepError], str]] = [
    (FLEX, BOAT | {"generation_ratio": "21:9"}, InputRejected, "generation_ratio"),
    (FLEX, BOAT | {"generation_provider_order": "byteplus"}, InputRejected, "generation_provider_order"),
    (FLEX, BOAT | {"generation_zoom": 1}, InputRejected, "generation_zoom"),
    (FLEX, {"generation_prompt": "[moderate]"}, Moderated, "policy"),
    (DANCE, {name: DRIFT[name] for name in DRIFT if name != "generation_resolution"}, InputRejected, "resolution"),
]


@pytest.mark.parametrize(("card", "params", "kind", "said"), REFUSALS, ids=shown)
async def test_a_refusal_is_named_and_starts_nothing(
    sandbox: Control, http: httpx.AsyncClient, card: ModelCard, params: dict[str, Any], kind: type[StepError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        await start(sea(sandbox, http), request(card, params))
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize(
    ("key", "region", "kind"),
    [
        ("wrong-key-of-nobody", "us", BadCredentials),
        ("sandbox-babysea-expired", "us", BadCredentials),
        ("sandbox-babysea-read_only", "us", BadCredentials),
        ("sandbox-babysea-eu", "us", BadCredentials),
    ],
)
async def test_a_key_that_may_not_is_named(
    sandbox: Control, http: httpx.AsyncClient, key: str, region: str, kind: type[StepError]
) -> None:
    provider = sea(sandbox, http, BABYSEA_API_KEY=key, BABYSEA_API_BASE_URL=f"{sandbox.url}/babysea/{region}")
    with pytest.raises(kind):
        await start(provider, request(FLEX, BOAT))


async def test_a_key_works_in_its_own_region(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = sea(
        sandbox, http, BABYSEA_API_KEY="sandbox-babysea-eu", BABYSEA_API_BASE_URL=f"{sandbox.url}/babysea/eu/v1/"
    )
    assert isinstance(await ended(provider, await start(provider, request(FLEX, BOAT))), Succeeded)


async def test_the_region_names_the_host_and_a_strange_one_stops_the_start() -> None:
    async with httpx.AsyncClient() as http:
        for region, host in (("", "us"), ("eu", "eu"), ("JP ", "jp")):
            made = babysea.create({"BABYSEA_API_KEY": "bye_0123456789", "BABYSEA_REGION": region}, http)
            assert isinstance(made, babysea.BabySea)
            assert made._base == f"https://api.{host}.babysea.ai"
        with pytest.raises(SetupError, match="BABYSEA_REGION"):
            babysea.create({"BABYSEA_API_KEY": "bye_0123456789", "BABYSEA_REGION": "mars"}, http)


async def test_the_key_is_never_repeated_in_an_error(sandbox: Control, http: httpx.AsyncClient) -> None:
    await sandbox.put_faults({"kind": "echo_key", "provider": "babysea"})
    with pytest.raises(InputRejected) as raised:
        await start(sea(sandbox, http), request(FLEX, BOAT))
    assert key_of("babysea") not in raised.value.message
    assert "[redacted]" in raised.value.message


def complaint(**error: Any) -> dict[str, Any]:
    return {"status": "error", "request_id": "req_1", "error": error}


@pytest.mark.parametrize(
    ("status", "payload", "kind"),
    [
        (400, complaint(code="BSE2001", type="invalid_input"), InputRejected),
        (401, complaint(code="BSE1001", type="authentication_required"), BadCredentials),
        (402, complaint(code="BSE1004", type="insufficient_credits"), CreditExhausted),
        (403, complaint(code="BSE1007", type="ip_not_allowed"), BadCredentials),
        (403, None, InputRejected),
        (404, complaint(code="BSE1008", type="account_not_found"), BadCredentials),
        (404, complaint(code="BSE2002", type="model_not_found"), ModelUnavailable),
        (413, complaint(code="BSE2010", type="payload_too_large"), InputRejected),
        (422, complaint(code="BSE2002", type="file_too_large"), InputRejected),
        (422, complaint(code="BSE2006", type="content_policy_violation"), Moderated),
        (422, complaint(code=[2006], type={"odd": 1}, message=5), InputRejected),
        (400, {"error": "just words"}, InputRejected),
        (400, None, InputRejected),
    ],
    ids=str,
)
def test_types_decide_before_numbers(status: int, payload: dict[str, Any] | None, kind: type[StepError]) -> None:
    error = read_error(status, payload, hide_nothing)
    assert type(error) is kind
    assert error.facts["status"] == status


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (409, {"code": "BSE2015"}, InputRejected),
        (409, {"code": "BSE2016", "retryable": True}, StartUnknown),
        (502, {"code": "BSE3003", "type": "all_providers_failed", "retryable": False}, JobFailed),
        (502, {"code": "BSE3003", "type": "all_providers_failed", "retryable": True}, JobFailed),
        (502, {"code": "BSE3001", "type": "provider_error", "retryable": True}, JobFailed),
        (504, {"code": "BSE3002", "type": "provider_timeout", "retryable": True}, StartUnknown),
        (504, {"code": "BSE3002", "type": "provider_timeout", "retryable": False}, StartUnknown),
        (503, {"type": "provider_credits_exhausted"}, CreditExhausted),
    ],
    ids=str,
)
async def test_an_answer_of_doubtful_status_is_believed_where_it_is_certain(
    sandbox: Control, http: httpx.AsyncClient, status: int, error: dict[str, Any], kind: type[StepError]
) -> None:
    told = {"kind": "status", "status": status, "body": complaint(**error)}
    await sandbox.put_faults({"provider": "babysea", "operation": "submit"} | told)
    with pytest.raises(kind):
        await start(sea(sandbox, http), request(FLEX, BOAT))


async def test_a_start_that_every_upstream_failed_costs_nothing_and_is_not_sent_again(
    sandbox: Control, http: httpx.AsyncClient
) -> None:
    said = [{"provider": "bfl", "code": "X", "type": "y", "message": "overloaded", "retryable": True}]
    error = {"code": "BSE3003", "type": "all_providers_failed", "message": "All failed.", "retryable": True}
    body = complaint(**error, provider_errors=said)
    await sandbox.put_faults({"provider": "babysea", "kind": "status", "status": 502, "body": body})
    with pytest.raises(JobFailed, match="bfl: overloaded") as raised:
        await start(sea(sandbox, http), request(FLEX, BOAT))
    assert raised.value.facts == {"provider_code": "BSE3003", "cost": 0}
    assert raised.value.next is Next.NEXT_CANDIDATE


async def test_a_start_that_is_still_under_way_is_no_failure_of_the_account(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, babysea_start_seconds=600)) as url:
        sandbox, order, key = Control(url, http), request(FLEX, BOAT), new_key()
        provider = sea(sandbox, http)
        first = asyncio.create_task(provider.submit(order, key, None))
        try:
            await eventually(sandbox.submits, lambda rows: len(rows) == 1)
            with pytest.raises(StartUnknown) as raised:
                await provider.submit(order, key, None)
        finally:
            first.cancel()
        assert raised.value.facts == {"in_progress": True}
        assert sign_of(raised.value) is Sign.NOTHING


async def test_a_rehearsal_asks_babysea_nothing(sandbox: Control) -> None:
    asked: list[httpx.Request] = []

    async def note(call: httpx.Request) -> None:
        asked.append(call)

    async with httpx.AsyncClient(trust_env=False, event_hooks={"request": [note]}) as http:
        provider = sea(sandbox, http)
        sent = await rehearse(lambda: provider.submit(request(FLEX, BOAT), new_key(), None))
        assert asked == []
        await start(provider, request(FLEX, BOAT))
    assert sent.body == BOAT | {"generation_output_number": 1}
    assert [call.url.path.split("/")[3] for call in asked] == ["estimate", "generate"]


def test_what_each_upstream_said_is_told() -> None:
    said = [{"provider": "bfl", "message": "busy"}, {"provider": "fal", "message": "no"}, "odd"]
    error = read_error(400, complaint(code="BSE3003", message="All failed.", provider_errors=said), hide_nothing)
    assert error.message == "BabySea refused the request: All failed.; bfl: busy; fal: no"
    assert error.facts["provider_code"] == "BSE3003"


@pytest.mark.parametrize("payload", [None, {}, {"data": None}, {"data": {"generation_id": 5}}], ids=str)
def test_an_answer_that_names_no_generation_is_no_refusal(payload: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_job(payload, {}, None)


def test_a_generation_canceled_while_it_was_starting_is_a_job_like_any_other() -> None:
    job = read_job({"data": {"generation_id": ID, "generation_status": "canceled"}}, {}, 5)
    assert (job.id, job.cost) == (ID, 5)


# ---- states -------------------------------------------------------------------------------------------------------


def state(**data: Any) -> JobState:
    return read_state({"status": "success", "data": {"generation_id": ID} | data}, JOB, hide_nothing)


def test_every_documented_status_is_known() -> None:
    assert state(generation_status="pending") == Pending("pending")
    assert state(generation_status="processing") == Pending("processing")
    assert state(generation_status="canceled") == Canceled()
    done = state(
        generation_status="succeeded",
        generation_output_file=["https://files.example/out-0.png", "https://files.example/out-1.png"],
        generation_provider_order=["bfl", "replicate"],
        generation_provider_used="replicate",
    )
    assert isinstance(done, Succeeded)
    assert done.outputs == (Output("https://files.example/out-0.png"), Output("https://files.example/out-1.png"))
    assert done.metadata["provider_used"] == "replicate"
    assert done.metadata["provider_order"] == "bfl, replicate"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"generation_error": "All providers failed.", "generation_error_code": "BSE3003"}, JobFailed),
        ({"generation_error": "No.", "generation_error_code": "BSE2006"}, Moderated),
        ({"generation_error": None, "generation_error_code": [1]}, JobFailed),
    ],
    ids=str,
)
def test_a_failure_costs_nothing_and_says_why(data: dict[str, Any], kind: type[StepError]) -> None:
    failed = state(generation_status="failed", **data)
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind
    assert failed.error.facts["cost"] == 0


def test_files_that_were_deleted_are_gone_and_missing_ones_are_waited_for() -> None:
    removed = state(generation_status="succeeded", generation_removed=True, generation_output_file=None)
    assert isinstance(removed, Failed)
    assert isinstance(removed.error, JobExpired)
    for files in (None, [], "https://files.example/a.png", [5]):
        assert isinstance(state(generation_status="succeeded", generation_output_file=files), Unsure)


@pytest.mark.parametrize("word", ["cancelled", "SUCCEEDED", "", None, 5], ids=str)
def test_a_word_that_nobody_documents_is_looked_at_again_and_then_an_error(word: object) -> None:
    unsure = state(generation_status=word)
    assert isinstance(unsure, Unsure)
    assert isinstance(unsure.error, UnexpectedResponse)


async def test_moderation_and_failover_are_seen(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = sea(sandbox, http)

    async def end(prompt: str, **more: Any) -> JobState:
        return await ended(provider, await start(provider, request(FLEX, {"generation_prompt": prompt} | more)))

    moderated = await end("[moderate-output]")
    assert isinstance(moderated, Failed)
    assert isinstance(moderated.error, Moderated)
    replaced = await end("[failover]")
    assert isinstance(replaced, Succeeded)
    assert replaced.metadata["provider_used"] == "replicate"
    lost = await end("[failover]", generation_provider_order="bfl")
    assert isinstance(lost, Failed)
    assert isinstance(lost.error, JobFailed)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 401}, "provider_unauthorized"),
        ({"kind": "status", "status": 403}, "provider_unauthorized"),
        ({"kind": "status", "status": 429}, "provider_rate_limited"),
        ({"kind": "status", "status": 500}, "provider_unavailable"),
        ({"kind": "garbage"}, "provider_unexpected_response"),
        ({"kind": "reset"}, "provider_network_error"),
    ],
    ids=str,
)
async def test_a_read_that_goes_wrong_says_nothing_of_the_generation(
    sandbox: Control, http: httpx.AsyncClient, fault: dict[str, Any], code: str
) -> None:
    provider = sea(sandbox, http)
    job = await start(provider, request(FLEX, BOAT))
    await sandbox.put_faults({"provider": "babysea", "operation": "status"} | fault)
    with pytest.raises(Refused) as raised:
        await provider.status(job)
    assert raised.value.reason == code


async def test_a_generation_that_is_not_known_may_yet_be_seen(sandbox: Control, http: httpx.AsyncClient) -> None:
    found = await sea(sandbox, http).status(Job(ID))
    assert isinstance(found, Unsure)
    assert found.error.reason == "provider_task_not_found"


# ---- cancel -------------------------------------------------------------------------------------------------------


async def test_a_running_generation_is_stopped_and_a_repeat_says_so_again(
    sandbox: Control, http: httpx.AsyncClient
) -> None:
    provider = sea(sandbox, http)
    await sandbox.put_faults({"kind": "never_ends", "provider": "babysea"})
    job = await start(provider, request(FLEX, BOAT))
    assert await provider.cancel(job) is CancelOutcome.STOPPED
    assert await provider.cancel(job) is CancelOutcome.STOPPED
    assert await provider.status(job) == Canceled()


async def test_a_generation_that_has_ended_is_not_stopped(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = sea(sandbox, http)
    job = await start(provider, request(FLEX, BOAT))
    await ended(provider, job)
    assert await provider.cancel(job) is CancelOutcome.NOT_STOPPED


async def test_a_key_without_the_right_to_cancel_stops_nothing(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = sea(sandbox, http, BABYSEA_API_KEY="sandbox-babysea-generate_only")
    await sandbox.put_faults({"kind": "never_ends", "provider": "babysea"})
    job = await start(provider, request(FLEX, BOAT))
    assert await provider.cancel(job) is CancelOutcome.NOT_STOPPED


async def test_a_cancel_that_is_lost_can_be_asked_again(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider = sea(sandbox, http)
    await sandbox.put_faults(
        {"kind": "never_ends", "provider": "babysea"},
        {"kind": "reset", "provider": "babysea", "operation": "cancel", "when": "after"},
    )
    job = await start(provider, request(FLEX, BOAT))
    with pytest.raises(Refused):
        await provider.cancel(job)
    assert await provider.cancel(job) is CancelOutcome.STOPPED


# ---- webhooks -----------------------------------------------------------------------------------------------------

SECRET = "whsec_test_secret"
MOMENT = 1795230000
NOW = datetime.fromtimestamp(MOMENT, UTC)


def event(**data: Any) -> bytes:
    return json.dumps({"webhook_event": "generation.completed", "webhook_data": {"generation_id": ID} | data}).encode()


def headers(body: bytes, secret: str = SECRET, moment: int = MOMENT) -> dict[str, str]:
    return {"x-babysea-signature": f"t={moment},v1={sign(secret, str(moment), body)}"}


def test_the_signature_is_the_documented_one_to_the_byte() -> None:
    vector = "e4886cdac3b3767d95652d8177e255ad55bc369373b5e5758e30e4065b357705"
    assert sign(SECRET, str(MOMENT), b'{"webhook_event":"webhook.test"}') == vector


@pytest.mark.parametrize(
    ("status", "has_ended"), [("processing", False), ("succeeded", True), ("failed", True), ("canceled", True)]
)
def test_a_notice_names_the_generation_and_how_it_stands(status: str, has_ended: bool) -> None:
    body = event(generation_status=status)
    assert read_notice([SECRET], headers(body), body, NOW) == Notice(ID, status, ended=has_ended)


@pytest.mark.parametrize("name", ["credits.low_balance", "webhook.test"])
def test_an_event_of_no_generation_names_no_job(name: str) -> None:
    body = json.dumps({"webhook_event": name, "webhook_data": {"generation_id": ID}}).encode()
    assert read_notice([SECRET], headers(body), body, NOW).job_id is None


def test_both_secrets_hold_during_a_rotation() -> None:
    body = event(generation_status="succeeded")
    for used in ("whsec_new", "whsec_old"):
        assert read_notice(["whsec_new", "whsec_old"], headers(body, used), body, NOW).job_id == ID


@pytest.mark.parametrize("late", [-300, 300])
def test_five_minutes_are_still_in_time(late: int) -> None:
    body = event(generation_status="succeeded")
    assert read_notice([SECRET], headers(body, moment=MOMENT + late), body, NOW).job_id == ID


BODY = event(generation_status="succeeded")
GOOD = headers(BODY)["x-babysea-signature"]


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        (headers(BODY, "whsec_wrong")["x-babysea-signature"], BODY),
        (headers(BODY, moment=MOMENT - 301)["x-babysea-signature"], BODY),
        (headers(BODY, moment=MOMENT + 301)["x-babysea-signature"], BODY),
        (GOOD, BODY + b" "),
        (GOOD.replace("v1=", "v1=0"), BODY),
        ("t=1795230000,v1=" + GOOD.split("v1=")[1].upper(), BODY),
        (f"t={MOMENT}", BODY),
        (GOOD.split(",")[1], BODY),
        (GOOD.replace("t=1795230000", "t=soon"), BODY),
        (GOOD.replace("t=1795230000", "t=+1795230000"), BODY),
        (GOOD.replace("t=1795230000", "t=" + "9" * 5000), BODY),
        ("", BODY),
        ("\udcff=1", BODY),
        (headers(b"not json")["x-babysea-signature"], b"not json"),
        (headers(b"[]")["x-babysea-signature"], b"[]"),
    ],
    ids=range(15),
)
def test_whatever_is_not_babyseas_is_refused(signature: str, body: bytes) -> None:
    with pytest.raises(AuthError) as raised:
        read_notice([SECRET], {"x-babysea-signature": signature}, body, NOW)
    assert raised.value.reason == "invalid_webhook_signature"


@pytest.mark.parametrize("header", ["x-babysea-event", "x-babysea-timestamp", "x-babysea-delivery-id"])
def test_a_header_that_contradicts_the_body_is_refused(header: str) -> None:
    with pytest.raises(AuthError, match=header):
        read_notice([SECRET], headers(BODY) | {header: "something else"}, BODY, NOW)


async def test_without_signature_or_secret_it_is_said_which_is_missing(
    sandbox: Control, http: httpx.AsyncClient
) -> None:
    with pytest.raises(AuthError) as unsigned:
        sea(sandbox, http).notice({}, BODY, NOW)
    assert unsigned.value.reason == "missing_webhook_signature"
    with pytest.raises(SetupError) as unset:
        sea(sandbox, http, BABYSEA_WEBHOOK_SECRET=" , ").notice(headers(BODY), BODY, NOW)
    assert unset.value.reason == "webhook_not_configured"
