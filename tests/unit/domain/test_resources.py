"""The public run in each of its states: its keys, their order, and what never stands in it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.money import Cost
from domain.plan import ChainPlan
from domain.resources import run_resource
from domain.runs import (
    Attempt,
    AttemptOutcome,
    CancelResult,
    Problem,
    RunStatus,
    Snapshot,
    StepStatus,
    first_snapshot,
    terminated,
)
from tests.support.orders import chain

START = datetime(2026, 5, 27, 9, 0, 0, 120451, UTC)
HIDDEN = ["https://hook.example.com/internal-hook", "internal-job-id", "internal-caller", "internal-token"]

RUN = ["id", "object", "chain_slug", "chain_version", "mode", "status", "input", "created_at", "updated_at",
       "current_step_key"]  # fmt: skip
AFTER = ["steps", "timeline", "estimate"]
STEP = ["id", "step_index", "step_key", "step_kind", "model_identifier", "status", "created_at", "updated_at",
        "depends_on", "started_at", "completed_at"]  # fmt: skip


def made(**more: Any) -> ChainPlan:
    order = chain("chain1", "bfl/flux-2-flex", "bytedance/seedance-1.5-pro")
    values: dict[str, Any] = {
        "created_at": START,
        "caller": "internal-caller",
        "webhook_url": HIDDEN[0],
        "metadata": {"order": "7781"},
        "client_request_id": "web-42",
        "warnings": (),
    }
    return replace(order, **(values | more))


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def queued(plan: ChainPlan) -> Snapshot:
    return first_snapshot(tuple(step.key for step in plan.steps), plan.created_at)


def running(plan: ChainPlan) -> Snapshot:
    state = queued(plan)
    state.status, state.current, state.started, state.updated = RunStatus.RUNNING, "text_to_image", later(1), later(1)
    step = state.steps[0]
    step.status, step.started, step.updated = StepStatus.RUNNING, later(1), later(1)
    step.attempts = [
        Attempt(
            1,
            "bfl/flux-2-flex",
            "bfl",
            "B",
            AttemptOutcome.RUNNING,
            job="internal-job-id",
            cost=50_000,
            started=later(1),
        )
    ]
    return state


def half_way(plan: ChainPlan) -> Snapshot:
    state = running(plan)
    first = state.steps[0]
    first.status, first.ended, first.updated = StepStatus.SUCCEEDED, later(3.5), later(3.5)
    first.outputs, first.metadata = ["a.jpg"], {"output_expires_at": "2026-05-27T09:10:19.388Z"}
    first.attempts[0].outcome, first.attempts[0].ended = AttemptOutcome.SUCCEEDED, later(3.5)
    second = state.steps[1]
    second.status, second.started, second.updated = StepStatus.RUNNING, later(4), later(4)
    second.inputs = ["a.jpg"]
    second.attempts = [Attempt(1, "bytedance/seedance-1.5-pro", "byteplus", "B", AttemptOutcome.RUNNING)]
    state.current, state.updated = "image_to_video", later(4)
    return state


def succeeded(plan: ChainPlan) -> Snapshot:
    state = half_way(plan)
    second = state.steps[1]
    second.status, second.ended, second.updated, second.outputs = StepStatus.SUCCEEDED, later(9), later(9), ["b.mp4"]
    state.status, state.current, state.ended, state.updated = RunStatus.SUCCEEDED, "completed", later(9), later(9)
    return state


def failed(plan: ChainPlan) -> Snapshot:
    state = running(plan)
    problem = Problem("provider_content_moderated", "The prompt was refused.", {"request_id": "internal-token"})
    first, second = state.steps
    first.status, first.ended, first.error = StepStatus.FAILED, later(2), problem
    first.attempts[0].error, first.attempts[0].outcome = problem, AttemptOutcome.FAILED
    second.status, second.ended = StepStatus.SKIPPED, later(2)
    state.status, state.current, state.error, state.ended = RunStatus.FAILED, "failed", problem, later(2)
    return state


def canceled(plan: ChainPlan) -> Snapshot:
    state = half_way(plan)
    second = state.steps[1]
    second.status, second.ended, second.cancel_outcome = StepStatus.CANCELED, later(5), CancelResult.NOT_STOPPED
    state.status, state.current = RunStatus.CANCELED, "canceled"
    state.error = Problem("client_canceled", "Chain run was canceled.")
    return state


def shown(state: Callable[[ChainPlan], Snapshot], **more: Any) -> dict[str, Any]:
    plan = made(**more)
    return run_resource(plan, state(plan), lambda asset: f"https://ours.example/assets/{asset}?signature=s")


TRIED = ["estimate", "attempts", "cost"]
SERVED = ["estimate", "served_by", "attempts", "cost"]
STATES: dict[str, tuple[Callable[[ChainPlan], Snapshot], list[str], list[list[str]]]] = {
    "queued": (queued, [], [["estimate"], ["estimate"]]),
    "running": (running, [], [TRIED, ["estimate"]]),
    "half way": (
        half_way,
        [],
        [["generation_output_file", "provider_metadata", *SERVED], ["generation_input_file", *TRIED]],
    ),
    "succeeded": (
        succeeded,
        [],
        [
            ["generation_output_file", "provider_metadata", *SERVED],
            ["generation_input_file", "generation_output_file", *SERVED],
        ],
    ),
    "failed": (failed, ["error"], [["error", *TRIED], ["estimate"]]),
    "canceled": (
        canceled,
        ["error"],
        [
            ["generation_output_file", "provider_metadata", *SERVED],
            ["generation_input_file", *TRIED, "cancel_outcome"],
        ],
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_every_state_has_exactly_its_keys_in_the_contracts_order(name: str) -> None:
    state, run_keys, step_keys = STATES[name]
    run = shown(state)
    cost = [] if name == "queued" else ["cost"]
    assert list(run) == [*RUN, *run_keys, "metadata", "client_request_id", *AFTER, *cost]
    assert [list(step) for step in run["steps"]] == [[*STEP, *more] for more in step_keys]


@pytest.mark.parametrize("name", STATES)
def test_nothing_internal_is_shown_in_any_state(name: str) -> None:
    run = shown(STATES[name][0])
    text = json.dumps(run)
    assert [secret for secret in HIDDEN if secret in text] == []
    assert not {"webhook_url", "caller", "deadline", "job", "facts"} & _keys(run)


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_keys, value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()


def test_optional_keys_are_left_out_and_not_null() -> None:
    run = shown(queued, metadata={}, client_request_id=None)
    assert list(run) == [*RUN, *AFTER]
    assert list(shown(queued, warnings=("careful",)))[-1] == "warnings"


def test_times_are_null_until_they_happen_and_spelled_in_milliseconds() -> None:
    first, second = shown(half_way)["steps"]
    assert (first["started_at"], first["completed_at"]) == (
        "2026-05-27T09:00:01.12+00:00",
        "2026-05-27T09:00:03.62+00:00",
    )
    assert second["completed_at"] is None
    assert first["created_at"] == "2026-05-27T09:00:00.120451+00:00"


def test_outputs_are_our_addresses_and_inputs_are_what_was_fed() -> None:
    first, second = shown(succeeded)["steps"]
    assert first["generation_output_file"] == ["https://ours.example/assets/a.jpg?signature=s"]
    assert second["generation_input_file"] == first["generation_output_file"]
    assert second["generation_output_file"] == ["https://ours.example/assets/b.mp4?signature=s"]


def test_a_callers_own_address_is_shown_as_it_is() -> None:
    def from_outside(plan: ChainPlan) -> Snapshot:
        state = half_way(plan)
        state.steps[1].inputs = ["https://pictures.example.com/a.png"]
        return state

    assert shown(from_outside)["steps"][1]["generation_input_file"] == ["https://pictures.example.com/a.png"]


def test_a_failure_says_what_to_do_on_run_step_attempt_and_timeline() -> None:
    run = shown(failed)
    error = run["error"]
    assert list(error) == ["code", "message", "guidance"]
    assert list(error["guidance"]) == ["summary", "what_to_try_next"]
    first = run["steps"][0]
    assert first["error"] == first["attempts"][0]["error"] == run["timeline"][0]["error"] == error


def test_the_timeline_tells_durations_and_counts() -> None:
    first, second = shown(half_way)["timeline"]
    assert list(first) == [
        "object", "step_index", "step_key", "step_kind", "model_identifier", "status", "depends_on", "created_at",
        "updated_at", "started_at", "completed_at", "duration_ms", "output_files_count",
    ]  # fmt: skip
    assert (first["duration_ms"], first["output_files_count"]) == (2500, 1)
    assert not {"completed_at", "duration_ms"} & set(second)


def test_an_estimate_that_nobody_knows_is_null_and_not_zero() -> None:
    plan = made()
    steps = tuple(
        replace(step, candidates=(replace(step.candidates[0], cost=Cost(40_000, None)),)) for step in plan.steps
    )
    run = run_resource(replace(plan, steps=steps), queued(plan), str)
    assert run["estimate"] == {"currency": "USD", "low": "0.08", "high": None}


def test_a_step_keeps_its_id_over_the_runs_life() -> None:
    plan = made()
    ids = [[step["id"] for step in run_resource(plan, state(plan), str)["steps"]] for state in (queued, succeeded)]
    assert ids[0] == ids[1]


# ---- a run ended from outside -----------------------------------------------------------------------------------


def test_a_terminated_run_is_failed_and_each_open_step_is_closed() -> None:
    plan = made()
    before = running(plan)
    after = terminated(before, later(60))
    assert (after.status, after.current, after.ended) == (RunStatus.FAILED, "failed", later(60))
    assert after.error is not None and after.error.code == "run_terminated"
    assert [step.status for step in after.steps] == [StepStatus.FAILED, StepStatus.SKIPPED]
    assert [step.ended for step in after.steps] == [later(60), later(60)]
    assert [step.started for step in after.steps] == [later(1), None]
    assert before.status is RunStatus.RUNNING and before.steps[0].status is StepStatus.RUNNING


def test_a_terminated_run_keeps_the_steps_that_had_ended() -> None:
    plan = made()
    before = half_way(plan)
    assert terminated(before, later(60)).steps[0] == before.steps[0]
