"""Every way in which a provider can garble the answer to a paid request: the outcome is named, nothing is paid twice.

What is not known to have been refused may have been started. Then a job is looked up or introduces itself, and is
adopted; where neither is possible, or no job was started after all, the run says that nobody knows.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.runs import AttemptOutcome, RunStatus, Snapshot
from tests.support.orders import catalogue, order
from tests.support.sandbox_server import QUICK
from tests.support.stack import Stack, running_stack
from tests.support.trials import trial
from workflows.policies import HEARTBEAT

FLUX, SEEDANCE, SEEDREAM = "bfl/flux-2-pro", "bytedance/seedance-1.5-pro", "bytedance/seedream-4.5"
MODELS = (FLUX, SEEDANCE, SEEDREAM)

REFUSALS = {
    400: "provider_invalid_request",
    401: "provider_unauthorized",
    402: "provider_quota_exceeded",
    403: "provider_unauthorized",
    404: "provider_not_found",
    422: "provider_invalid_request",
}

LOST_ANSWERS: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "503": {"kind": "status", "status": 503, "headers": {"retry-after": "1"}},
    "reset": {"kind": "reset"},
    "truncated": {"kind": "truncated"},
    "truncated, the whole length declared": {"kind": "truncated", "declared": "whole"},
    "garbage": {"kind": "garbage"},
    "html": {"kind": "html"},
    "html under 502": {"kind": "html", "status": 502},
    "wrong types": {"kind": "wrong_type"},
    "an error under 200": {"kind": "error_in_200"},
    "redirect": {"kind": "redirect", "location": "http://127.0.0.1:9/elsewhere"},
}

NOTHING_STARTED: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "503": {"kind": "status", "status": 503},
    "connection closed unanswered": {"kind": "refuse"},
    "reset": {"kind": "reset"},
    "redirect": {"kind": "redirect", "location": "http://127.0.0.1:9/elsewhere"},
}


def rule(model: str, fault: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": catalogue().models[model].raw_id, "operation": "submit"} | fault | more


async def run_each(stack: Stack, *models: str, **more: Any) -> list[Snapshot]:
    """One run of each model, all at once."""
    return await asyncio.gather(*(stack.finish(order(model, **more)) for model in models))


async def submits(stack: Stack) -> int:
    """Requests that reached a provider, whatever became of them."""
    return sum(row["operation"] == "submit" for row in await stack.sandbox.jobs())


def code(snapshot: Snapshot) -> str | None:
    return snapshot.error.code if snapshot.error else None


@pytest.mark.parametrize("status", REFUSALS)
async def test_a_refused_submit_ends_the_step_with_the_reason_and_is_sent_once(
    temporal: Client, tmp_path: Path, status: int
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(*(rule(model, {"kind": "status", "status": status}) for model in MODELS))
        ended = await run_each(stack, *MODELS)
        # The gate may spare BytePlus the second of two refusals.
        assert [code(snapshot) for snapshot in ended] == [REFUSALS[status]] * 3
        assert await submits(stack) in (2, 3)
        assert await stack.sandbox.paid_starts() == 0


@pytest.mark.parametrize("fault", LOST_ANSWERS)
async def test_a_job_whose_answer_was_lost_is_adopted_or_named_and_never_paid_twice(
    temporal: Client, tmp_path: Path, fault: str
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(*(rule(model, LOST_ANSWERS[fault], when="after") for model in MODELS))
        flux, seedance, seedream = await run_each(stack, *MODELS)
        assert (flux.status, seedance.status) == (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED), (flux, seedance)
        assert "adopted" in str(flux.steps[0].attempts[0].note)
        assert "adopted" in str(seedance.steps[0].attempts[0].note)
        assert code(seedream) == "start_outcome_unknown"
        assert seedream.steps[0].attempts[0].outcome is AttemptOutcome.UNKNOWN
        assert seedream.error is not None
        assert seedream.error.facts["cost_at_risk"] == "0.04"
        assert await stack.sandbox.paid_starts() == 3
        assert await submits(stack) == 3


async def test_an_answer_without_a_job_id_is_a_lost_answer(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(*(rule(model, {"kind": "no_job_id"}, when="after") for model in MODELS[:2]))
        ended = await run_each(stack, FLUX, SEEDANCE)
        assert [snapshot.status for snapshot in ended] == [RunStatus.SUCCEEDED] * 2
        assert await stack.sandbox.paid_starts() == 2


@pytest.mark.parametrize("fault", NOTHING_STARTED)
async def test_a_submit_that_may_have_started_something_is_not_resent_though_it_started_nothing(
    temporal: Client, tmp_path: Path, fault: str
) -> None:
    """The worst a fault does is to wait for a job that never shows up, and that no longer than the step may take."""
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(*(rule(model, NOTHING_STARTED[fault]) for model in MODELS))
        ended = await run_each(stack, *MODELS, deadline=4.0)
        assert [code(snapshot) for snapshot in ended] == ["start_outcome_unknown"] * 3
        assert await submits(stack) == 3
        assert await stack.sandbox.paid_starts() == 0
        for snapshot in ended:
            assert snapshot.started and snapshot.ended
            assert (snapshot.ended - snapshot.started).total_seconds() < 10


async def test_a_provider_that_nobody_can_reach_is_asked_again_until_the_deadline(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_stack(temporal, tmp_path, sandbox_url="http://127.0.0.1:9") as stack:
        ended = await run_each(stack, *MODELS, deadline=3.0)
        assert [code(snapshot) for snapshot in ended] == ["provider_network_error"] * 3
        assert await submits(stack) == 0


async def test_a_key_that_a_provider_repeats_stands_in_no_error_and_no_history(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(*(rule(model, {"kind": "echo_key"}) for model in MODELS))
        plans = [order(model) for model in MODELS]
        ended = await asyncio.gather(*(stack.finish(plan) for plan in plans))
        assert [code(snapshot) for snapshot in ended] == ["provider_invalid_request"] * 3
        assert all("[redacted]" in str(snapshot.error) for snapshot in ended)
        for plan in plans:
            history = await stack.bench.client.get_workflow_handle(plan.run_id).fetch_history()
            told = b"".join(event.SerializeToString() for event in history.events)
            assert b"sandbox-bfl" not in told
            assert b"sandbox-byteplus" not in told
        assert await stack.sandbox.paid_starts() == 0


async def test_no_room_is_waited_for_and_paid_once(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        full = {"kind": "status", "status": 429, "headers": {"retry-after": "1"}, "count": 2}
        await stack.sandbox.put_faults(*(rule(model, full) for model in MODELS))
        ended = await run_each(stack, *MODELS)
        assert [snapshot.status for snapshot in ended] == [RunStatus.SUCCEEDED] * 3
        assert await submits(stack) == 9
        assert await stack.sandbox.paid_starts() == 3


async def test_a_picture_that_takes_longer_than_the_heartbeat_timeout_is_waited_for(
    temporal: Client, tmp_path: Path
) -> None:
    """Its one answer is all there is. The worker is alive and says so, to the server and to the SDK, which both ask."""
    longer = HEARTBEAT.total_seconds() + 11
    async with running_stack(temporal, tmp_path, config=replace(QUICK, picture_seconds=longer)) as stack:
        await stack.succeed(order(SEEDREAM))
        assert await submits(stack) == 1


# ---- the others: two whose webhook alone leads back to a job, and one whose jobs nothing leads back to ---------------

RELAYDANCE, BACH, BAILIAN = "relaydance/seedance-1-5-pro-with-audio", "bach/bach-1.0-preview", "bailian/wan2.6-i2v"
OTHERS = (RELAYDANCE, BACH, BAILIAN)
SOME_LOST_ANSWERS = ("503", "reset", "truncated, the whole length declared", "wrong types")


async def run_others(stack: Stack, **more: Any) -> list[Snapshot]:
    return await asyncio.gather(*(stack.finish(trial(model, **more)[0]) for model in OTHERS))


async def paid(stack: Stack, model: str) -> int:
    raw_id = catalogue().models[model].raw_id
    return sum(row["model"] == raw_id and row["job_id"] is not None for row in await stack.sandbox.jobs())


@pytest.mark.parametrize("status", [400, 401, 402])
async def test_others_end_the_step_with_the_reason_as_well(temporal: Client, tmp_path: Path, status: int) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(*(rule(model, {"kind": "status", "status": status}) for model in OTHERS))
        assert [code(snapshot) for snapshot in await run_others(stack)] == [REFUSALS[status]] * 3
        assert [await paid(stack, model) for model in OTHERS] == [0, 0, 0]


@pytest.mark.parametrize("fault", SOME_LOST_ANSWERS)
async def test_a_lost_job_introduces_itself_or_is_named_and_never_paid_twice(
    temporal: Client, tmp_path: Path, fault: str
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(*(rule(model, LOST_ANSWERS[fault], when="after") for model in OTHERS))
        relaydance, bach, bailian = await run_others(stack)
        assert "adopted" in str(relaydance.steps[-1].attempts[0].note)
        assert "adopted" in str(bach.steps[-1].attempts[0].note)
        assert (relaydance.status, bach.status) == (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED)
        assert code(bailian) == "start_outcome_unknown"
        assert [await paid(stack, model) for model in OTHERS] == [1, 1, 1]


async def test_an_error_under_200_is_how_bach_says_no(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(rule(BACH, LOST_ANSWERS["an error under 200"]))
        plan, _ = trial(BACH, then=RELAYDANCE)
        ended = await stack.finish(plan)
        assert code(ended) == "provider_invalid_request"
        assert len(ended.steps[-1].attempts) == 1
        assert [await paid(stack, model) for model in OTHERS] == [0, 0, 0]


async def test_others_do_not_start_again_what_may_have_started(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(*(rule(model, NOTHING_STARTED["500"]) for model in OTHERS))
        ended = await run_others(stack, deadline=4.0)
        assert [code(snapshot) for snapshot in ended] == ["start_outcome_unknown"] * 3
        assert [await paid(stack, model) for model in OTHERS] == [0, 0, 0]


@pytest.mark.parametrize(
    ("fault", "reason"), [("moderated", "provider_content_moderated"), ("failed", "provider_failed")]
)
async def test_a_job_that_fails_says_why_whoever_ran_it(
    temporal: Client, tmp_path: Path, fault: str, reason: str
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(*(rule(model, {"kind": fault}) for model in OTHERS))
        assert [code(snapshot) for snapshot in await run_others(stack)] == [reason] * 3
