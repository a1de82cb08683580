"""Plans made by the planner itself, from the models of the real adapters."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import providers
from domain.catalogue import Catalogue
from domain.chains import ChainTemplate, Step
from domain.media import InputForm, InputRef
from domain.plan import Candidate, ChainPlan
from domain.planning import RunRequest, plan_run
from tests.support.plans import CALLER
from workflows.templates import load_templates

STEP = "step_0"


def catalogue(mode: str = "sandbox") -> Catalogue:
    """What a deployment with every key, and webhooks that reach it, offers."""
    own = [module for module in providers.every_module() if providers.mode_of(module) == mode]
    modules = own or providers.modules()
    return Catalogue(
        models={name: card for module in modules for name, card in module.MODELS.items()},
        offered=frozenset(module.NAME for module in modules),
        key_names={module.NAME: module.KEY_NAME for module in modules},
        mode=mode,
        webhooks_reach_us=True,
    )


def order(
    model: str,
    *,
    prompt: str = "a paper boat",
    deadline: float | None = None,
    picture: str | None = None,
    mode: str = "sandbox",
    **more: Any,
) -> ChainPlan:
    """A run of one step. `picture` is fetched by the worker before it submits; `more` changes the candidate."""
    plan = with_candidates(model, prompt=prompt, mode=mode)
    [planned] = plan.steps
    if picture is not None:
        planned = replace(planned, inputs=(InputRef(url=picture),))
        more["input_forms"] = (InputForm.INLINE,)
    candidate: Candidate = replace(planned.candidates[0], **more)
    return replace(plan, steps=(replace(planned, candidates=(candidate,), deadline=deadline or planned.deadline),))


def with_candidates(*models: str, prompt: str = "a paper boat", mode: str = "sandbox") -> ChainPlan:
    """A run of one step that these models may do, in this order."""
    step = Step(STEP, "Step", catalogue(mode).models[models[0]].kind, models[0])
    asked = {"chain_models": {f"{STEP}_model": _named(models)}, f"{STEP}_params": _said(prompt)}
    return _plan(ChainTemplate("chain1", "test", "chain1", "for tests", (step,)), asked, mode)


def chain(slug: str, *models: str | tuple[str, ...], **more: Any) -> ChainPlan:
    """A run of a real template, with these models, or lists of them, in the order of its steps."""
    template = load_templates()[slug].template
    asked: dict[str, Any] = {
        "chain_models": {f"{step.key}_model": _named(model) for step, model in zip(template.steps, models, strict=True)}
    }
    asked |= {f"{step.key}_params": _said(f"{step.title} of a paper boat") for step in template.steps}
    if any(step.starts_from_picture for step in template.steps):
        asked["source_image_url"] = "https://example.com/boat.jpeg"
    return replace(_plan(template, asked), **more)


def _named(models: str | tuple[str, ...]) -> str | list[str]:
    if isinstance(models, str):
        return models
    return models[0] if len(models) == 1 else list(models)


def _said(prompt: str) -> dict[str, Any]:
    return {"generation_prompt": prompt}


def _plan(template: ChainTemplate, input: dict[str, Any], mode: str = "sandbox") -> ChainPlan:
    request = RunRequest(
        run_id=str(uuid4()),
        caller=CALLER,
        created_at=datetime.now(UTC),
        input=input,
        metadata={},
        webhook_url=None,
        client_request_id=None,
    )
    return plan_run(template, request, catalogue(mode))
