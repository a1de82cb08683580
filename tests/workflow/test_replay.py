"""Runs under way survive a deployment: every stored history replays with today's workflows.

`tests/support/record_histories.py` says how the histories came about and when new ones are due.
"""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from domain.plan import ChainPlan
from domain.runs import RunOutcome
from temporal.connection import DATA_CONVERTER
from tests.support.record_histories import RECORDS
from tests.support.runs import SECRETS
from workflows.after_run import AfterRunWorkflow
from workflows.chain import ChainWorkflow
from workflows.templates import load_templates
from workflows.templates.chain1 import TEMPLATE

FOLDER = Path(__file__).parent / "histories"
STORED = sorted(path.stem for path in FOLDER.glob("*.json"))
DETOURS = {"chain1.succeeded-by-adoption", "chain1.canceled"}
"""Their searching and cancelling is work of its own."""


def stored(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(name, (FOLDER / f"{name}.json").read_text())


def payloads(value: Any) -> Iterator[str]:
    """Every payload in the history, as the text that it holds."""
    if isinstance(value, dict):
        if isinstance(value.get("data"), str) and "metadata" in value:
            yield base64.b64decode(value["data"]).decode()
        for child in value.values():
            yield from payloads(child)
    elif isinstance(value, list):
        for child in value:
            yield from payloads(child)


async def test_every_template_has_a_history_and_no_recording_was_lost() -> None:
    assert {name.partition(".")[0] for name in STORED} == {*load_templates(), "after-run"}
    assert set(RECORDS) < set(STORED)


@pytest.mark.parametrize("name", STORED)
async def test_a_stored_history_replays(name: str) -> None:
    replayer = Replayer(workflows=[*load_templates().values(), AfterRunWorkflow], data_converter=DATA_CONVERTER)
    await replayer.replay_workflow(stored(name))


@workflow.defn(name="chain1", sandboxed=False)
class Backwards(ChainWorkflow):
    template = TEMPLATE

    @workflow.run
    async def run(self, plan: ChainPlan) -> RunOutcome:
        self._plan = replace(plan, steps=tuple(replace(step, takes=()) for step in reversed(plan.steps)))
        return await self.run_chain()


@workflow.defn(name="chain1", sandboxed=False)
class Hesitant(ChainWorkflow):
    template = TEMPLATE

    @workflow.run
    async def run(self, plan: ChainPlan) -> RunOutcome:
        await asyncio.sleep(1)
        return await self.run_chain()


@pytest.mark.parametrize("changed", [Backwards, Hesitant])
async def test_a_changed_order_of_what_a_run_does_is_caught(changed: type[ChainWorkflow]) -> None:
    replayer = Replayer(workflows=[changed], data_converter=DATA_CONVERTER)
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(stored("chain1.succeeded-by-webhook"))


@pytest.mark.parametrize("name", STORED)
async def test_a_history_stays_short_and_small(name: str) -> None:
    history = stored(name)
    steps = 3 if name.startswith("chain3") else 2
    assert len(history.events) < 30 * steps + (20 if name in DETOURS else 0)
    assert sum(event.ByteSize() for event in history.events) < 64 * 1024


@pytest.mark.parametrize("name", STORED)
async def test_a_history_holds_no_media_and_no_key(name: str) -> None:
    texts = list(payloads(json.loads((FOLDER / f"{name}.json").read_text())))
    assert texts
    for text in texts:
        assert not re.search(r"[A-Za-z0-9+/]{400}", text), "media as base64"
        assert "data:image" not in text
        assert "sandbox-bfl" not in text
        assert "sandbox-byteplus" not in text
        assert not [secret for secret in SECRETS.values() if secret in text]


@pytest.mark.parametrize("name", STORED)
async def test_a_history_tells_nothing_of_the_machine_that_recorded_it(name: str) -> None:
    whole = (FOLDER / f"{name}.json").read_text()
    texts = [whole, *payloads(json.loads(whole))]
    for text in texts:
        assert not re.search(r"(?<![\w:/.])/(?:home|root|tmp|usr|work|Users|private|opt)/", text)
        assert "@" not in text, "an identity would name process and host"
        hosts = set(re.findall(r"https?://([^/:\s\"\\]+)", text))
        assert hosts <= {"127.0.0.1", "localhost", "example.com"}
