"""The archive's list: by the time of the end, narrowed by labels."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.labels import Label, LabelKind
from domain.runs import RunStatus
from storage.archive import Archive, Place, Search
from storage.database import upgrade
from tests.support.archived import ended_run, opened, put_away

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    url = f"sqlite:///{tmp_path}/babychain.sqlite"
    await upgrade(url)
    async with opened(url) as held:
        yield held


def search(*labels: Label, statuses: frozenset[str] = frozenset()) -> Search:
    return Search("alice", NOON, frozenset(labels), statuses)


async def listed(archive: Archive, wanted: Search, after: Place | None = None, limit: int = 10) -> list[str]:
    return [run.run_id for run in await archive.page(wanted, after, limit)]


async def test_the_latest_end_comes_first_and_pages_meet_without_a_gap(archive: Archive) -> None:
    ends = [NOON - timedelta(minutes=minutes) for minutes in (0, 1, 1, 1, 2)]
    runs = {await put_away(archive, *ended_run("alice", end)): end for end in ends}
    await put_away(archive, *ended_run("bob", NOON))
    await put_away(archive, *ended_run("alice", NOON + timedelta(seconds=1)))
    expected = sorted(runs, key=lambda run: (-runs[run].timestamp(), run))
    for label in ((), (Label(LabelKind.TEMPLATE, "chain1"),)):
        found: list[str] = []
        after: Place | None = None
        while page := await listed(archive, search(*label), after, 2):
            found += page
            after = Place(runs[page[-1]], page[-1])
        assert found == expected


async def test_every_label_must_fit_and_one_of_the_statuses(archive: Archive) -> None:
    both = await put_away(archive, *ended_run("alice", NOON, metadata={"tags": ["spring"], "order": "1"}))
    failed = await put_away(archive, *ended_run("alice", NOON, RunStatus.FAILED, metadata={"tags": ["spring"]}))
    tag, order = Label(LabelKind.TAG, "spring"), Label(LabelKind.METADATA, "order=1")
    assert set(await listed(archive, search(tag))) == {both, failed}
    assert await listed(archive, search(tag, order)) == [both]
    assert await listed(archive, search(tag, statuses=frozenset({"failed", "canceled"}))) == [failed]
    assert await listed(archive, search(Label(LabelKind.MODEL, "spring"))) == []


async def test_a_list_reads_no_callback_bodies_and_the_rest_as_it_is(archive: Archive) -> None:
    run_id = await put_away(archive, *ended_run("alice", NOON))
    [run] = await archive.page(search(), None, 1)
    assert run == await archive.get(run_id)


async def test_held_are_those_that_have_ended_by_then(archive: Archive) -> None:
    early = await put_away(archive, *ended_run("alice", NOON))
    late = await put_away(archive, *ended_run("alice", NOON + timedelta(seconds=1)))
    assert await archive.held([early, late, "absent"], NOON) == {early}
    assert await archive.held([], NOON) == set()


async def test_durations_are_those_of_successes_in_one_mode_the_newest_first(archive: Archive) -> None:
    for seconds, mode, status in ((1, "byok", "succeeded"), (2, "sandbox", "succeeded"), (3, "byok", "failed")):
        await put_away(archive, *ended_run("alice", NOON, RunStatus(status), seconds, mode=mode))
    await put_away(archive, *ended_run("alice", NOON + timedelta(hours=1), seconds=9, mode="byok"))
    found = await archive.ledger.durations("byok", "toy", "toy/image", 3)
    assert found == [9.0, 9.0, 1.0]
