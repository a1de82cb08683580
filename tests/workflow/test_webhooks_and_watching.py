"""Webhooks nudge, polling backs them up, and only our own look at the job decides.

The sandbox sends the webhooks, over real HTTP through the real API, and can be told to send them badly.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from domain.provider import Looks
from domain.runs import RunStatus
from tests.support import toy
from tests.support.histories import activities, history_of, signals
from tests.support.orders import STEP, catalogue, chain, order
from tests.support.plans import toy_plan
from tests.support.runs import running_worker
from tests.support.runs import test_settings as settings_of
from tests.support.sandbox_server import QUICK
from tests.support.serving import serving
from tests.support.stack import Stack, running_stack

FLUX, SEEDANCE, SEEDREAM = "bfl/flux-2-pro", "bytedance/seedance-1.5-pro", "bytedance/seedream-4.5"
SOON = Looks(grace=1.5, quick_window=5.0, quick_pause=0.2, pause=1.0, longest_pause=2.0)
PATIENT = replace(SOON, grace=60.0)
"""Polling comes too late to be what ended the run."""

A_SECOND = replace(QUICK, picture_seconds=1.0, video_seconds=1.0)

WEBHOOK_FAULTS: dict[str, dict[str, Any]] = {
    "before the submit's answer": {"kind": "early"},
    "50 times": {"kind": "double", "times": 50},
    "after polling has won": {"kind": "late", "delay": 2.0},
    "by a stranger first": {"kind": "forge"},
    "an earlier state after the last": {"kind": "reorder"},
    "with a wrong signature": {"kind": "bad_signature"},
    "and the same bytes again": {"kind": "replay", "delay": 0.5},
    "never": {"kind": "drop"},
}


async def job_ended(stack: Stack, model: str) -> datetime:
    raw_id = catalogue().models[model].raw_id
    [ended] = [row["times"]["ended"] for row in await stack.sandbox.jobs() if row["model"] == raw_id]
    return datetime.fromisoformat(ended)


@pytest.mark.parametrize("fault", WEBHOOK_FAULTS)
async def test_however_webhooks_come_the_run_succeeds_when_its_job_has_and_is_paid_once(
    temporal: Client, tmp_path: Path, fault: str
) -> None:
    async with running_stack(temporal, tmp_path, config=A_SECOND) as stack:
        await stack.sandbox.put_faults(WEBHOOK_FAULTS[fault] | {"count": 20})
        plans = [order(model, looks=SOON) for model in (FLUX, SEEDANCE)]
        ended = await asyncio.gather(*(stack.succeed(plan) for plan in plans))
        assert await stack.sandbox.paid_starts() == 2
        for plan, snapshot in zip(plans, ended, strict=True):
            [step] = snapshot.steps
            assert len(step.attempts) == 1
            assert step.ended and step.ended >= await job_ended(stack, plan.steps[0].candidates[0].model)
            assert len(signals(await history_of(temporal, plan.run_id))) <= 3


async def test_a_webhook_ends_the_wait_without_a_single_poll_before_it(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path, config=A_SECOND) as stack:
        plan = chain("chain1", FLUX, SEEDANCE)
        await stack.succeed(plan)
        history = await history_of(temporal, plan.run_id)
        assert activities(history) == ["submit", "collect"] * 2
        assert [row["polls"] for row in await stack.sandbox.jobs()] == [1, 1]
        assert len(signals(history)) == 2, "that a job runs is no news once its submit was answered"


async def test_a_webhook_for_a_run_that_has_ended_is_taken_and_changes_nothing(
    temporal: Client, tmp_path: Path
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        plan = order(FLUX, looks=PATIENT)
        before = await stack.succeed(plan)
        [row] = await stack.sandbox.jobs()
        length = len((await history_of(temporal, plan.run_id)).events)
        async with httpx.AsyncClient(trust_env=False) as http:
            answers = await asyncio.gather(
                *(
                    http.post(
                        row["callback_url"],
                        json={"id": row["job_id"], "status": word},
                        headers={"x-webhook-secret": row["body"]["webhook_secret"]},
                    )
                    for word in ["Ready", "Error", "Content Moderated"] * 5
                )
            )
        assert {answer.status_code for answer in answers} == {200}
        assert await stack.bench.snapshot(plan.run_id) == before
        assert len((await history_of(temporal, plan.run_id)).events) == length


async def test_a_lie_about_a_failure_makes_the_run_look_and_go_on(temporal: Client, tmp_path: Path) -> None:
    """Seedance signs nothing: whoever has the address can report what they like, and is not believed."""
    async with running_stack(temporal, tmp_path, config=A_SECOND) as stack:
        await stack.sandbox.put_faults({"kind": "forge"})
        plan = order(SEEDANCE, looks=PATIENT)
        await stack.succeed(plan)
        assert activities(await history_of(temporal, plan.run_id)) == ["submit", "collect", "collect"]


# ---- polling alone --------------------------------------------------------------------------------------------------


WAYS_TO_LOOK = {
    card.looks: f"{mode} {card.id}" for mode in ("babysea", "sandbox") for card in catalogue(mode).models.values()
}
"""Each with a model that looks so."""


@pytest.mark.parametrize("looks", [pytest.param(looks, id=name) for looks, name in WAYS_TO_LOOK.items()])
async def test_without_webhooks_a_two_minute_job_takes_at_most_twelve_reads(
    skipping: WorkflowEnvironment, tmp_path: Path, looks: Looks
) -> None:
    """At a toy whose job is done two minutes after its submit by the server's clock."""
    job_time = timedelta(minutes=2)
    began = await skipping.get_current_time()

    async def is_ready() -> bool:
        return await skipping.get_current_time() - began >= job_time

    server = toy.ToyServer(is_ready=is_ready)
    async with serving(server.app()) as url:
        settings = settings_of(tmp_path, provider_mode="byok", trusted_origins=url)
        async with running_worker(skipping.client, settings, load=toy.loader(url)) as bench:
            [planned] = (plan := toy_plan(models=("toy/image",))).steps
            candidate = replace(planned.candidates[0], looks=looks, webhook=True)
            plan = replace(plan, steps=(replace(planned, candidates=(candidate,)),))
            outcome = await (await bench.start(plan)).result()
            assert outcome.status is RunStatus.SUCCEEDED
            step = await bench.step(plan.run_id)
    assert server.reads <= 12
    assert step.ended
    assert step.ended - began <= job_time + timedelta(seconds=looks.longest_pause + 5)


async def test_a_chain_whose_webhooks_all_get_lost_finishes_by_polling(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults({"kind": "drop", "count": 20})
        plan = chain("chain1", FLUX, SEEDANCE)
        steps = tuple(
            replace(step, candidates=(replace(step.candidates[0], looks=replace(SOON, grace=0.5)),))
            for step in plan.steps
        )
        plan = replace(plan, steps=steps)
        await stack.succeed(plan)
        history = await history_of(temporal, plan.run_id)
        assert activities(history) == ["submit", "watch"] * 2
        assert not signals(history)
        assert await stack.sandbox.paid_starts() == 2


# ---- results that die or are no media -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [FLUX, SEEDANCE])
async def test_a_dead_link_costs_one_fresh_status_read(temporal: Client, tmp_path: Path, model: str) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults({"kind": "expired"})
        await stack.succeed(order(model, looks=PATIENT))
        [row] = await stack.sandbox.jobs()
        assert (row["polls"], row["downloads"]) == (2, 2)


@pytest.mark.parametrize("model", [FLUX, SEEDANCE, SEEDREAM])
async def test_a_link_that_stays_dead_fails_the_step_by_name(temporal: Client, tmp_path: Path, model: str) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults({"kind": "expired", "count": 50})
        assert await stack.failure_code(order(model, looks=PATIENT)) == "provider_output_expired"
        assert await stack.sandbox.paid_starts() == 1


@pytest.mark.parametrize("model", [FLUX, SEEDANCE, SEEDREAM])
@pytest.mark.parametrize(
    "fault", [{"kind": "empty"}, {"kind": "html", "operation": "result"}, {"kind": "garbage", "operation": "result"}]
)
async def test_a_success_without_real_media_fails_and_leaves_no_asset(
    temporal: Client, tmp_path: Path, model: str, fault: dict[str, Any]
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(fault)
        plan = order(model, looks=PATIENT)
        assert await stack.failure_code(plan) == "provider_output_invalid"
        step = await stack.bench.step(plan.run_id)
        assert (step.key, step.outputs) == (STEP, [])
        assert not list((tmp_path / "assets").glob("*"))
