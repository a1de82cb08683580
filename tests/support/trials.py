"""Runs that end in one paid job of a given model, told apart by their prompts, at any provider of the folder."""

import json
from dataclasses import replace
from uuid import uuid4

from domain.plan import ChainPlan
from domain.provider import Looks
from tests.support.orders import catalogue, chain, with_candidates

DRAWS_FIRST = "bfl/flux-2-pro"
"""Who draws the picture for a model that needs one."""
_WORDS = "a paper boat"

AT_ONCE = Looks(grace=0.0, quick_window=60.0, quick_pause=0.1, pause=1.0, longest_pause=2.0)
"""Nobody waits for a webhook."""
SOON = Looks(grace=1.0, quick_window=60.0, quick_pause=0.1, pause=1.0, longest_pause=2.0)
"""A webhook has its chance, and no more."""


def trial(
    model: str,
    *,
    then: str | None = None,
    draws: str = DRAWS_FIRST,
    mode: str = "sandbox",
    looks: Looks | None = None,
    deadline: float | None = None,
    submit_timeout: float | None = None,
) -> tuple[ChainPlan, str]:
    """The plan, and the words by which the ledger tells its job from those of other runs.

    `then` may do the step if the model can't. The other arguments are the model's own.
    """
    models = (model,) if then is None else (model, then)
    needs_picture = catalogue(mode).models[model].inputs.minimum > 0
    plan = chain("chain1", draws, models) if needs_picture else with_candidates(*models, prompt=_WORDS, mode=mode)
    name = f"boat {uuid4().hex}"
    *before, last = plan.steps
    longest = deadline or last.candidates[0].deadline
    first, *others = (
        replace(
            one,
            params=json.loads(json.dumps(one.params).replace(_WORDS, name)),
            patience=min(one.patience, longest),
        )
        for one in last.candidates
    )
    first = replace(
        first, looks=looks or first.looks, submit_timeout=submit_timeout or first.submit_timeout, deadline=longest
    )
    candidates = (first, *others)
    last = replace(last, candidates=candidates, deadline=sum(one.deadline for one in candidates))
    return replace(plan, steps=(*before, last)), name
