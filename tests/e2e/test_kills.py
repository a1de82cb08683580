"""Workers that die at every point where a payment could be lost or made twice.

One worker is killed while runs are at eleven different points; each test looks at what became of one of them.
A dead worker is noticed by its missing heartbeats, which takes 25 seconds.
"""

from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import TimeoutType

from domain.runs import AttemptOutcome, RunStatus
from tests.support.histories import starts
from tests.support.killed_runs import (
    COLLECTED,
    COLLECTED_AT_ONCE,
    COLLECTED_KEYED,
    EVERY_POINT,
    LOST_FLUX,
    LOST_KEYED,
    LOST_SEEDANCE,
    LOST_SEEDREAM,
    PREPARING,
    RECORDED,
    WATCHED,
    WATCHED_KEYED,
    Aftermath,
    kill_at_every_point,
)
from tests.support.orders import STEP
from tests.support.temporal_server import running_temporal


@pytest.fixture(scope="module")
async def aftermath(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aftermath]:
    """On a Temporal server of this module alone: a deployed worker listens on the one task queue there is."""
    async with running_temporal() as server:
        yield await kill_at_every_point(server, tmp_path_factory.mktemp("kill"))


# ---- killed in the middle of a submit -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", EVERY_POINT)
async def test_wherever_the_worker_dies_the_step_is_paid_once(aftermath: Aftermath, model: str) -> None:
    submits = [row for row in aftermath.rows[model] if row["operation"] == "submit"]
    assert [row["job_id"] is not None for row in submits] == ([True, False] if model == LOST_KEYED else [True])


async def test_a_job_that_babysea_started_while_its_worker_died_is_asked_for_under_the_same_key(
    aftermath: Aftermath,
) -> None:
    snapshot = aftermath.snapshots[LOST_KEYED]
    assert snapshot.status is RunStatus.SUCCEEDED
    [attempt] = snapshot.steps[0].attempts
    assert len({row["headers"]["idempotency-key"] for row in aftermath.rows[LOST_KEYED]}) == 1
    assert attempt.job == aftermath.rows[LOST_KEYED][0]["job_id"]


@pytest.mark.parametrize("model", [LOST_FLUX, LOST_SEEDANCE])
async def test_a_job_accepted_while_its_worker_died_is_found_and_adopted(aftermath: Aftermath, model: str) -> None:
    snapshot = aftermath.snapshots[model]
    assert snapshot.status is RunStatus.SUCCEEDED
    [attempt] = snapshot.steps[0].attempts
    assert attempt.note is not None
    assert "adopted" in attempt.note
    assert attempt.job == aftermath.rows[model][0]["job_id"]


async def test_a_picture_paid_while_its_worker_died_ends_unknown_with_the_cost_at_risk(aftermath: Aftermath) -> None:
    """It has neither key nor list nor webhook: nobody can find it again, and nobody sends it again."""
    snapshot = aftermath.snapshots[LOST_SEEDREAM]
    assert snapshot.status is RunStatus.FAILED
    assert snapshot.error is not None
    assert snapshot.error.code == "start_outcome_unknown"
    assert snapshot.error.facts["cost_at_risk"] == "0.04"
    assert snapshot.steps[0].attempts[0].outcome is AttemptOutcome.UNKNOWN


async def test_a_request_that_was_never_written_is_sent_once_the_worker_is_replaced(aftermath: Aftermath) -> None:
    """Even without a key: the last heartbeat proves that the first worker died before it sent anything."""
    assert aftermath.picture_asked == 2
    assert aftermath.snapshots[PREPARING].status is RunStatus.SUCCEEDED
    assert len(aftermath.snapshots[PREPARING].steps[0].attempts) == 1


# ---- killed afterwards ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [RECORDED, WATCHED, COLLECTED, COLLECTED_AT_ONCE, WATCHED_KEYED, COLLECTED_KEYED])
async def test_a_run_whose_job_is_recorded_goes_on_where_it_was(aftermath: Aftermath, model: str) -> None:
    snapshot = aftermath.snapshots[model]
    assert snapshot.status is RunStatus.SUCCEEDED
    assert [attempt.note for attempt in snapshot.steps[0].attempts] == [None]


@pytest.mark.parametrize(
    ("model", "activity"),
    [
        (WATCHED, "watch"),
        (WATCHED_KEYED, "watch"),
        (COLLECTED, "collect"),
        (COLLECTED_AT_ONCE, "collect"),
        # Where no webhook can come, it is the watch that brings the file in.
        (COLLECTED_KEYED, "watch"),
    ],
)
async def test_work_that_falls_silent_is_noticed_by_its_heartbeat_and_taken_over(
    aftermath: Aftermath, model: str, activity: str
) -> None:
    [start] = starts(aftermath.histories[model], f"{STEP}.1.{activity}")
    facts = start.activity_task_started_event_attributes
    assert facts.attempt == 2
    assert facts.last_failure.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_HEARTBEAT


async def test_a_watch_goes_on_elsewhere_with_what_it_had_remembered(aftermath: Aftermath) -> None:
    assert aftermath.reads_known_at_the_kill >= 1
    assert aftermath.reads_known_to_the_second_watch == aftermath.reads_known_at_the_kill + 1
