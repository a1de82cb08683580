"""A clip whose link has died before it was fetched: its job is read once more, and the fresh link is used."""

from pathlib import Path

import pytest
from temporalio.client import Client

from tests.support.orders import catalogue
from tests.support.stack import running_stack
from tests.support.trials import SOON, trial

MODELS = ("relaydance/seedance-1-5-pro-with-audio", "bach/bach-1.0-preview", "bailian/wan2.6-i2v")


@pytest.mark.parametrize("model", MODELS)
async def test_a_clip_whose_link_has_died_is_asked_for_once_more_and_kept(
    temporal: Client, tmp_path: Path, model: str
) -> None:
    card = catalogue().models[model]
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults({"kind": "expired", "provider": card.provider})
        ended = await stack.succeed(trial(model, looks=SOON)[0])
        [row] = [row for row in await stack.sandbox.jobs() if row["model"] == card.raw_id]
        assert row["downloads"] == 2
        assert len(ended.steps[-1].outputs) == 1
