"""Plans made by the planner itself, from the toy's models."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from domain.catalogue import Catalogue
from domain.chains import ChainTemplate, Step
from domain.media import MediaKind
from domain.plan import ChainPlan
from domain.planning import RunRequest, plan_run
from tests.support import toy

CALLER = "key-test"


def toy_plan(
    *,
    template: str = "chain1",
    models: tuple[str, ...] = ("toy/image", "toy/image"),
    instead: tuple[str, ...] = (),
    **more: Any,
) -> ChainPlan:
    """A run of the workflow type `template`, every step a picture drawn by the toy; `instead`, if the first can't."""
    steps = tuple(
        Step(f"step_{n}", f"Step {n}", MediaKind.IMAGE, model, takes=(f"step_{n - 1}",) if n else ())
        for n, model in enumerate(models)
    )
    made = ChainTemplate(template, "test", template, "for tests", steps)
    catalogue = Catalogue(toy.MODELS, frozenset({toy.NAME}), {toy.NAME: "TOY_API_KEY"}, "byok", webhooks_reach_us=False)
    request = RunRequest(
        run_id=str(uuid4()),
        caller=CALLER,
        created_at=datetime.now(UTC),
        input={
            "chain_models": {"step_0_model": [models[0], *instead]},
            **{f"{step.key}_params": {"prompt": f"picture of {step.key}"} for step in steps},
        },
        metadata={},
        webhook_url=None,
        client_request_id=None,
    )
    return replace(plan_run(made, request, catalogue), **more)
