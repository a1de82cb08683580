"""BabySea: starting, reading and canceling generations over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.breaker import Sign, sign_of
from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobFailed,
    Moderated,
    Next,
    Refused,
    SetupError,
    StartUnknown,
    StepError,
)
from domain.provider import (
    Accepted,
    Canceled,
    CancelOutcome,
    Failed,
    Job,
    JobRequest,
    JobState,
    ModelCard,
    Provider,
    Succeeded,
    Unsure,
)
from net.paid import rehearse
from providers import babysea
from tests.contract.adapters import Control, ended, request, shown
from tests.contract.babysea_orders import ADDRESS, BOAT, DANCE, DRIFT, FLEX, ID, complaint, sea
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually


def new_key() -> str:
    """BabySea remembers keys for a day, so each test's jobs have their own."""
    return f"babychain:{uuid4()}:step:1"


async def start(provider: Provider, job: JobRequest, key: str | None = None) -> Job:
    answer = await provider.submit(job, key or new_key(), None)
    assert isinstance(answer, Accepted)
    return answer.job


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


async def test_a_lost_answer_is_unknown_and_the_key_brings_it_back(sandbox: Control, http: httpx.AsyncClient) -> None:
    provider, order, key = sea(sandbox, http), request(FLEX, BOAT), new_key()
    await sandbox.put_faults({"kind": "reset", "operation": "submit", "when": "after"})
    with pytest.raises(StartUnknown):
        await start(provider, order, key)
    again = await start(provider, order, key)
    assert again.facts["replayed"] == "true"
    assert await sandbox.paid_starts() == 1


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


async def test_an_account_that_is_not_found_says_nothing_of_its_generations(
    sandbox: Control, http: httpx.AsyncClient
) -> None:
    provider = sea(sandbox, http)
    job = await start(provider, request(FLEX, BOAT))
    body = complaint(code="BSE1008", type="account_not_found", message="No such account.", retryable=False)
    await sandbox.put_faults({"kind": "status", "status": 404, "body": body, "operation": "status"})
    with pytest.raises(Refused) as raised:
        await provider.status(job)
    assert raised.value.reason == "provider_unauthorized"
    assert isinstance(await ended(provider, job), Succeeded)


async def test_a_generation_that_is_not_known_may_yet_be_seen(sandbox: Control, http: httpx.AsyncClient) -> None:
    found = await sea(sandbox, http).status(Job(ID))
    assert isinstance(found, Unsure)
    assert found.error.reason == "provider_task_not_found"


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
