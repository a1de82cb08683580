"""What one delivery attempt leaves behind, whatever its receiver does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI, Response
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.archiving import PLAN, SNAPSHOT, Archiver
from activities.calls import Delivery
from activities.delivering import DeliveryActivities
from domain.callbacks import RUN_COMPLETED, Event, Send
from storage.archive import Archive, ArchivedRun
from storage.database import open_database, upgrade
from storage.deletion import Removals, What
from storage.deliveries import Deliveries
from storage.lookups import Lookups
from tests.support.archived import ended_run
from tests.support.serving import serving

WORDS = b"thanks for the lantern"
NOW = datetime.now(UTC)


async def nothing() -> None: ...


@dataclass
class Hook:
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    meanwhile: Callable[[], Awaitable[None]] = nothing

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/hook")
        async def take() -> Response:
            await self.meanwhile()
            return Response(WORDS, self.status, self.headers)

        return app


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = f"sqlite:///{tmp_path / 'babychain.db'}"
    await upgrade(url)
    opened = open_database(url)
    yield opened
    await opened.dispose()


async def deliver(engine: AsyncEngine, hook: Hook) -> Delivery:
    """The one callback of run-1, which is archived."""

    async def secrets(_caller: str) -> list[str]:
        return ["secret"]

    async with serving(hook.app()) as url, httpx.AsyncClient(trust_env=False) as http:
        plan, snapshot = ended_run("alice", NOW, run_id="run-1", webhook_url=f"{url}/hook")
        words = PLAN.dump_json(plan).decode(), SNAPSHOT.dump_json(snapshot).decode()
        archive = Archive(engine)
        await archive.put(ArchivedRun("run-1", "alice", "chain1", "succeeded", NOW, NOW, *words, callback_body=b"{}"))
        unread = cast("Any", None)  # what is archived is not asked of Temporal
        archiver = Archiver(unread, archive, Removals(engine), Lookups(engine), lambda name, _at: name)
        activities = DeliveryActivities(archiver, Deliveries(engine), http, secrets)
        call = Send("after-run-1", Event(RUN_COMPLETED, "run-1"), 1, timedelta(seconds=5))
        sent: Delivery = await ActivityEnvironment().run(activities.deliver, call)
        return sent


def holding(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if WORDS in file.read_bytes()]


async def test_a_run_that_is_deleted_while_its_receiver_takes_its_time_leaves_no_record(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    async def delete() -> None:
        await Removals(engine).mark("run-1", What.RUN, NOW)
        await Removals(engine).purge("run-1")

    assert (await deliver(engine, Hook(meanwhile=delete))).delivered
    assert await Deliveries(engine).of_run("run-1") == {}
    assert holding(tmp_path) == []


async def test_a_run_whose_deletion_has_begun_keeps_the_rows_that_say_which_files_it_had(engine: AsyncEngine) -> None:
    async def begin() -> None:
        await Removals(engine).mark("run-1", What.RUN, NOW)

    await deliver(engine, Hook(meanwhile=begin))
    assert await Deliveries(engine).of_run("run-1") == {}
    assert await Archive(engine).get("run-1") is not None


@pytest.mark.parametrize(
    "moment",
    [
        "Sun Nov  6 08:49:37 2026",
        "Fri, 20 Nov 2026 12:00:00 -0000",
        "Fri, 20 Nov 99999999999999999999 12:00:00 GMT",
        "soon",
    ],
)
async def test_a_retry_after_of_any_form_makes_one_recorded_attempt(engine: AsyncEngine, moment: str) -> None:
    """An attempt that fails after it was sent is sent again by its retry policy, every minute and for ever."""
    assert not (await deliver(engine, Hook({"retry-after": moment}, 503))).delivered
    [[attempt]] = (await Deliveries(engine).of_run("run-1")).values()
    assert (attempt.outcome, attempt.status) == ("failed", 503)
