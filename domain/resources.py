"""The public run resource: the contract's keys in the contract's order, ours after its last one.

Built by explicit code, never by dumping a model: an internal field can't slip out. GET, create, cancel, list and
callback all show what this module makes.
"""

from collections.abc import Callable
from typing import Any

from domain.costs import Spent, spent_on_run, spent_on_step
from domain.guidance import guidance_for
from domain.money import Cost, dollars
from domain.plan import ChainPlan, PlannedStep
from domain.runs import Attempt, Problem, Snapshot, StepState, StepStatus
from domain.timestamps import micros, millis

Json = dict[str, Any]
AssetUrl = Callable[[str], str]

BABYSEA = "babysea"
"""The mode whose steps say who served them."""

_BABYSEA_KEYS = (
    "provider_order",
    "provider_used",
    "babysea_generation_id",
    "babysea_prediction_id",
    "babysea_request_id",
    "babysea_idempotency_replayed",
)


def run_resource(plan: ChainPlan, snapshot: Snapshot, asset_url: AssetUrl) -> Json:
    run: Json = {
        "id": plan.run_id,
        "object": "chain_run",
        "chain_slug": plan.template,
        "chain_version": plan.version,
        "mode": plan.mode,
        "status": str(snapshot.status),
        "input": plan.input,
        "created_at": micros(plan.created_at),
        "updated_at": micros(snapshot.updated),
        "current_step_key": snapshot.current,
    }
    if snapshot.error:
        run["error"] = _problem(snapshot.error)
    if plan.metadata:
        run["metadata"] = plan.metadata
    if plan.client_request_id:
        run["client_request_id"] = plan.client_request_id
    run["steps"] = [
        _step(plan, planned, snapshot.step(planned.key), index, asset_url) for index, planned in enumerate(plan.steps)
    ]
    run["timeline"] = [_event(plan, planned, snapshot.step(planned.key), i) for i, planned in enumerate(plan.steps)]
    run["estimate"] = shown_cost(plan.cost)
    if plan.options.max_cost is not None:
        run["max_cost"] = {"currency": "USD", "amount": dollars(plan.options.max_cost)}
    if plan.retry:
        run["retry_of"] = {"run_id": plan.retry.run_id, "from_step": plan.retry.from_step}
        run["saved"] = shown_cost(plan.saved)
    if any(step.attempts for step in snapshot.steps):
        run["cost"] = _spent(spent_on_run(plan, snapshot))
    if plan.warnings:
        run["warnings"] = list(plan.warnings)
    return run


def _step(plan: ChainPlan, planned: PlannedStep, state: StepState, index: int, asset_url: AssetUrl) -> Json:
    step: Json = {
        "id": str(plan.step_id(planned.key)),
        "step_index": index,
        "step_key": planned.key,
        "step_kind": str(planned.kind),
        "model_identifier": planned.candidates[0].model,
        "status": str(state.status),
        "created_at": micros(plan.created_at),
        "updated_at": micros(state.updated),
        "depends_on": list(planned.takes),
        "started_at": millis(state.started),
        "completed_at": millis(state.ended),
    }
    if planned.takes and state.inputs:
        step["generation_input_file"] = [_url(name, asset_url) for name in state.inputs]
    if state.outputs:
        step["generation_output_file"] = [_url(name, asset_url) for name in state.outputs]
    if state.error:
        step["error"] = _problem(state.error)
    if plan.mode == BABYSEA:
        step |= _babysea(state)
    elif state.metadata:
        step["provider_metadata"] = state.metadata
    step["estimate"] = shown_cost(planned.cost)
    if planned.reused:
        step["served_by"] = {"provider": planned.reused.provider, "model": planned.reused.model}
        step["reused"] = {"saved": shown_cost(planned.reused.saved)}
    if state.attempts:
        last = state.attempts[-1]
        if state.status is StepStatus.SUCCEEDED:
            step["served_by"] = {"provider": last.provider, "model": last.model}
        step["attempts"] = [_attempt(attempt, planned) for attempt in state.attempts]
        step["cost"] = _spent(spent_on_step(planned, state))
    if state.cancel_outcome:
        step["cancel_outcome"] = str(state.cancel_outcome)
    return step


def _babysea(state: StepState) -> Json:
    """What BabySea said of the step, each part as soon as it is known."""
    told = dict(state.metadata)
    if state.attempts and (job := state.attempts[-1].job):
        told.setdefault("babysea_generation_id", job)
    shown: Json = {name: told[name] for name in _BABYSEA_KEYS if name in told}
    if "provider_order" in shown:
        shown["provider_order"] = told["provider_order"].split(", ")
    if "babysea_idempotency_replayed" in shown:
        shown["babysea_idempotency_replayed"] = told["babysea_idempotency_replayed"] == "true"
    return shown


def _url(name: str, asset_url: AssetUrl) -> str:
    return name if "://" in name else asset_url(name)


def _attempt(attempt: Attempt, planned: PlannedStep) -> Json:
    """Provider job and request ids stay inside."""
    shown: Json = {
        "number": attempt.n,
        "provider": attempt.provider,
        "model": attempt.model,
        "safety_class": attempt.safety,
        "outcome": str(attempt.outcome),
        "started_at": millis(attempt.started),
        "completed_at": millis(attempt.ended),
    }
    if attempt.cost is not None:
        shown["cost"] = {"currency": "USD", "amount": dollars(attempt.cost)}
    if lost := [word for one in planned.candidates if one.model == attempt.model for word in one.lost]:
        shown["not_told"] = lost
    if attempt.adapted:
        shown["adapted"] = attempt.adapted
    if attempt.note:
        shown["note"] = attempt.note
    if attempt.error:
        shown["error"] = _problem(attempt.error)
    return shown


def _event(plan: ChainPlan, planned: PlannedStep, state: StepState, index: int) -> Json:
    event: Json = {
        "object": "chain_run_timeline_event",
        "step_index": index,
        "step_key": planned.key,
        "step_kind": str(planned.kind),
        "model_identifier": planned.candidates[0].model,
        "status": str(state.status),
        "depends_on": list(planned.takes),
        "created_at": micros(plan.created_at),
        "updated_at": micros(state.updated),
    }
    if state.started:
        event["started_at"] = millis(state.started)
    if state.ended:
        event["completed_at"] = millis(state.ended)
    if state.started and state.ended:
        event["duration_ms"] = max(0, round((state.ended - state.started).total_seconds() * 1000))
    if plan.mode == BABYSEA and "provider_used" in state.metadata:
        event["provider_used"] = state.metadata["provider_used"]
    if state.outputs:
        event["output_files_count"] = len(state.outputs)
    if state.error:
        event["error"] = _problem(state.error)
    return event


def _problem(problem: Problem) -> Json:
    shown: Json = {"code": problem.code, "message": problem.message}
    if guidance := guidance_for(problem.code):
        shown["guidance"] = guidance
    return shown


def _spent(spent: Spent) -> Json:
    """`wasted` is what failed, canceled and unknown attempts cost, or may have cost."""
    return {"useful": shown_cost(spent.useful), "wasted": shown_cost(spent.wasted)}


def shown_cost(cost: Cost) -> Json:
    """An amount nobody knows is null, never zero."""
    return {
        "currency": "USD",
        "low": None if cost.low is None else dollars(cost.low),
        "high": None if cost.high is None else dollars(cost.high),
    }
