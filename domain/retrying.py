"""A run that goes on where an ended one came to grief: the steps before that keep what they made."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from domain.costs import spent_on_step
from domain.errors import ConflictError, Fault, RequestError
from domain.plan import ChainPlan, PlannedStep, Retry, Reused
from domain.runs import Snapshot, StepState, StepStatus

Json = dict[str, Any]


def first_undone(plan: ChainPlan, snapshot: Snapshot) -> str:
    """Where to go on when nobody says where: the first step that did not succeed, or all over again."""
    undone = (step.key for step in plan.steps if snapshot.step(step.key).status is not StepStatus.SUCCEEDED)
    return next(undone, plan.steps[0].key)


def kept_steps(plan: ChainPlan, snapshot: Snapshot, from_step: str) -> tuple[str, ...]:
    """The steps before `from_step`, which have all succeeded."""
    keys = [step.key for step in plan.steps]
    if from_step not in keys:
        message = f"must be a step of {plan.template}: {', '.join(keys)}"
        raise RequestError(f"from_step {message}.", faults=[Fault(("from_step",), message)])
    kept = tuple(keys[: keys.index(from_step)])
    if undone := [key for key in kept if snapshot.step(key).status is not StepStatus.SUCCEEDED]:
        message = f"must not come after {undone[0]}, which has made nothing that could be reused"
        raise RequestError(f"from_step {message}.", faults=[Fault(("from_step",), message)])
    return kept


def changed_input(plan: ChainPlan, overrides: Mapping[str, Any], kept: tuple[str, ...]) -> Json:
    """The earlier run's input with the caller's changes. Parameters of a step are changed one by one; null takes
    one away. What belongs to a kept step cannot be changed: it is not done again."""
    if faults := [
        Fault(("input", *path), f"belongs to {key}, which is reused; retry from {key} to change it")
        for path in _named(overrides)
        for key in kept
        if path[-1].startswith(f"{key}_") or (path[-1] == "source_image_url" and key == kept[0])
    ]:
        raise RequestError("A reused step can't be changed.", code="invalid_chain_input", faults=faults)
    changed = dict(plan.input)
    for name, value in overrides.items():
        earlier = changed.get(name)
        if isinstance(earlier, dict) and isinstance(value, dict):
            merged = earlier | value
            changed[name] = {key: one for key, one in merged.items() if one is not None}
        elif value is None:
            changed.pop(name, None)
        else:
            changed[name] = value
            if name.endswith("_prompt") and (params := f"{name.removesuffix('_prompt')}_params") not in overrides:
                changed[params] = _without_prompt(changed.get(params, {}))
    return {name: value for name, value in changed.items() if value != {} or name in overrides}


def _without_prompt(params: Any) -> Any:
    """The model's own parameters would win over the new prompt."""
    if not isinstance(params, dict):
        return params
    left = {name: value for name, value in params.items() if name not in ("prompt", "generation_prompt")}
    if isinstance(left.get("content"), list):
        left["content"] = [item for item in left["content"] if not _is_text(item)]
    return left


def _is_text(item: object) -> bool:
    return isinstance(item, dict) and item.get("type") == "text"


def _named(overrides: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, value in overrides.items():
        if name == "chain_models" and isinstance(value, dict):
            yield from ((name, inner) for inner in value)
        else:
            yield (name,)


def reuse(plan: ChainPlan, earlier: ChainPlan, snapshot: Snapshot, retry: Retry, kept: tuple[str, ...]) -> ChainPlan:
    """The new plan, in which the kept steps are done already."""
    if plan.version != earlier.version:
        raise ConflictError("The chain has changed since that run; start a new run.", code="chain_version_changed")
    steps = tuple(
        replace(step, reused=_reused(before, snapshot.step(step.key))) if step.key in kept else step
        for step, before in zip(plan.steps, earlier.steps, strict=True)
    )
    return replace(plan, steps=steps, retry=retry)


def _reused(planned: PlannedStep, state: StepState) -> Reused:
    if planned.reused is not None:
        return planned.reused
    served = state.attempts[-1]
    return Reused(
        outputs=tuple(state.outputs),
        metadata=dict(state.metadata),
        provider=served.provider,
        model=served.model,
        saved=spent_on_step(planned, state).useful,
    )
