"""Media past their time go, however many there are and whatever stands among them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI, Response
from obstore.store import LocalStore

from activities.calls import AttemptRef
from activities.deletion import AT_ONCE, DeletionActivities
from activities.outputs import Outputs
from domain.media import MediaKind
from domain.money import Cost
from domain.plan import Reused
from domain.provider import Output, Succeeded
from domain.runs import RunStatus
from net.download import LinkExpired
from storage.archive import Archive, ArchivedRun
from storage.asset_uses import AssetUses
from storage.assets import Assets
from storage.database import open_database, upgrade
from storage.deletion import Removals, What
from tests.support.archived import ended_run, put_away
from tests.support.pictures import jpeg
from tests.support.serving import serving

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=40)


@pytest.fixture
async def deletion(tmp_path: Path) -> AsyncIterator[DeletionActivities]:
    url = f"sqlite:///{tmp_path / 'babychain.db'}"
    await upgrade(url)
    engine = open_database(url)
    nobody = cast("Any", None)  # no execution is deleted here
    uses = AssetUses(LocalStore(tmp_path))
    yield DeletionActivities(nobody, Archive(engine), Removals(engine), uses, timedelta(days=30), lambda: NOW)
    await engine.dispose()


async def made(tmp_path: Path, words: str, run_id: str) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield jpeg(words)

    store = LocalStore(tmp_path)
    facts = await Assets(store).add(chunks(), limit=1_000_000, kinds=frozenset({MediaKind.IMAGE}))
    assert await AssetUses(store).claim(facts.id, run_id)
    return facts.id


async def test_a_run_that_nobody_can_read_any_more_holds_up_no_other(
    deletion: DeletionActivities, tmp_path: Path
) -> None:
    older = LONG_AGO - timedelta(days=1)
    await deletion.archive.put(ArchivedRun("unreadable", "alice", "chain1", "failed", older, older, "{}", "{}"))
    plan, snapshot = ended_run("alice", LONG_AGO)
    picture = await made(tmp_path, "boat", plan.run_id)
    snapshot.steps[0].outputs = [picture]
    await put_away(deletion.archive, plan, snapshot)
    assert await deletion.sweep_media() == 2
    assert await Assets(LocalStore(tmp_path)).facts(picture) is None
    assert await deletion.sweep_media() == 0


async def test_one_pass_sweeps_as_many_as_its_time_allows(deletion: DeletionActivities) -> None:
    plan, snapshot = ended_run("alice", LONG_AGO)
    runs = [f"run-{number}" for number in range(AT_ONCE + 3)]
    for run_id in runs:
        await put_away(deletion.archive, replace(plan, run_id=run_id), snapshot)
    assert await deletion.sweep_media() == len(runs)
    removal = await deletion.removals.of(runs[-1])
    assert removal is not None
    assert removal.what is What.MEDIA


async def test_a_retry_that_never_began_lets_go_of_the_pictures_it_was_given(
    deletion: DeletionActivities, tmp_path: Path
) -> None:
    """It was canceled, or ended from outside, before its first step: no step of it names them."""
    plan, snapshot = ended_run("alice", LONG_AGO, RunStatus.CANCELED)
    picture = await made(tmp_path, "boat", plan.run_id)
    reused = Reused(outputs=(picture,), metadata={}, provider="toy", model="toy/image", saved=Cost.exactly(1))
    first, *others = plan.steps
    await put_away(deletion.archive, replace(plan, steps=(replace(first, reused=reused), *others)), snapshot)
    assert await deletion.sweep_media() == 1
    assert pictures(tmp_path) == []


def pictures(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if file.suffix == ".jpg"]


async def test_what_a_failed_attempt_had_brought_in_goes_with_its_run(
    deletion: DeletionActivities, tmp_path: Path
) -> None:
    """No step names that file: a job's second link was dead, or the run was canceled while the file came."""
    app = FastAPI()

    @app.get("/first")
    async def first() -> Response:
        return Response(jpeg("never shown"), media_type="image/jpeg")

    plan, snapshot = ended_run("alice", LONG_AGO)
    assets = Assets(LocalStore(tmp_path))
    of = AttemptRef(plan.run_id, "alice", "image", 1, "toy", "toy/image", "image")
    async with serving(app) as url, httpx.AsyncClient(trust_env=False) as http:
        done = Succeeded(outputs=(Output(f"{url}/first"), Output(f"{url}/second")))
        with pytest.raises(LinkExpired):
            await Outputs(http, assets, deletion.uses).bring_in(of, MediaKind.IMAGE, done, lambda: None)
    assert pictures(tmp_path)
    await put_away(deletion.archive, plan, snapshot)
    assert await deletion.sweep_media() == 1
    assert pictures(tmp_path) == []
