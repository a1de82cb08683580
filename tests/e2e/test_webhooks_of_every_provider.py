"""However a provider's webhooks come, its jobs end as they really ended, and each is paid for once."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from domain.provider import Looks, ModelCard
from tests.e2e.test_matrix import REPORTING
from tests.support.orders import catalogue
from tests.support.sandbox_server import QUICK
from tests.support.stack import Stack, running_stack
from tests.support.trials import SOON, trial
from tests.support.waiting import eventually

WAYS: tuple[dict[str, Any], ...] = (
    {"kind": "early"},
    {"kind": "double", "times": 20},
    {"kind": "late", "delay": 2.0},
    {"kind": "forge"},
    {"kind": "reorder"},
    {"kind": "bad_signature"},
    {"kind": "replay", "delay": 0.5},
    {"kind": "drop"},
)

each_reporting = pytest.mark.parametrize("card", REPORTING, ids=lambda card: card.id)


async def jobs(stack: Stack, card: ModelCard) -> list[dict[str, Any]]:
    rows = await stack.sandbox.jobs()
    return [row for row in rows if row["model"] == card.raw_id and row["job_id"] is not None]


@each_reporting
async def test_however_webhooks_come_every_job_ends_well_and_is_paid_once(
    temporal: Client, tmp_path: Path, card: ModelCard
) -> None:
    async with running_stack(temporal, tmp_path, config=replace(QUICK, limits=False)) as stack:
        await stack.sandbox.put_faults(*({"provider": card.provider, "model": card.raw_id} | way for way in WAYS))
        plans = [trial(card.id, looks=SOON)[0] for _ in WAYS]
        ended = await asyncio.gather(*(stack.succeed(plan) for plan in plans))
        assert [len(snapshot.steps[-1].attempts) for snapshot in ended] == [1] * len(WAYS)
        assert len(await jobs(stack, card)) == len(WAYS)


BACH = "bach/bach-1.0-preview"
BACH_WAITS = 5.0
"""Seconds after which it takes a callback for lost."""


async def test_many_callbacks_at_once_are_each_answered_before_bach_gives_up(temporal: Client, tmp_path: Path) -> None:
    card = catalogue().models[BACH]
    async with running_stack(temporal, tmp_path, config=replace(QUICK, video_seconds=600)) as stack:
        plan = trial(BACH, looks=Looks(grace=600.0))[0]
        handle = await stack.bench.start(plan)
        [row] = await eventually(lambda: jobs(stack, card), lambda rows: len(rows) == 1)
        told = {"task_id": row["job_id"], "status": "TASK_SUCCEEDED", "video_url": "https://example.com/lie.mp4"}
        async with httpx.AsyncClient(trust_env=False, timeout=BACH_WAITS) as http:
            answers = await asyncio.gather(*(http.post(row["callback_url"], json=told) for _ in range(100)))
        assert {answer.status_code for answer in answers} == {200}
        assert not (await stack.bench.snapshot(plan.run_id)).steps[-1].outputs
        await handle.terminate("seen")
