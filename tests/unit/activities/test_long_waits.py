"""A job that takes days is looked at thousands of times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.calls import AttemptRef, WatchStep
from activities.gate import Gate
from activities.outputs import Outputs
from activities.watching import WatchActivities
from domain.media import MediaKind
from domain.provider import Job, Looks
from storage.asset_uses import AssetUses
from storage.assets import Assets
from storage.database import open_database, upgrade
from storage.provider_gate import ProviderGate
from tests.support import toy
from tests.support.serving import serving

LOOKS = Looks(quick_window=0.0, pause=10.0, longest_pause=30.0)


async def test_the_five_thousandth_look_is_followed_by_the_next_after_the_longest_pause(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'babychain.db'}"
    await upgrade(url)
    engine, folder = open_database(url), f"file://{tmp_path}/assets"
    call = WatchStep(
        of=AttemptRef("run-1", "key-test", "step_0", 1, toy.NAME, "toy/image", "image"),
        kind=MediaKind.IMAGE,
        job=Job("job-1"),
        looks=LOOKS,
        deadline=datetime.now(UTC) + timedelta(days=365),
    )
    async with serving(toy.ToyServer(ready_after=2).app()) as address, httpx.AsyncClient(trust_env=False) as http:
        outputs = Outputs(http, Assets.open(folder), AssetUses.open(folder))
        watches = WatchActivities({toy.NAME: toy.Toy(http, address)}, outputs, Gate(ProviderGate(engine), {}))
        env = ActivityEnvironment()
        env.info = replace(env.info, attempt=5_000, started_time=datetime.now(UTC))
        with pytest.raises(ApplicationError) as later:
            await env.run(watches.watch, call)
    await engine.dispose()
    assert (later.value.type, later.value.next_retry_delay) == ("JobPending", timedelta(seconds=30))
