"""Runs that end in one paid job of a given model, told apart by their prompts, at any provider of the folder."""

import json
from dataclasses import replace
from uuid import uuid4

from domain.plan import ChainPlan
from domain.provider import Looks
from tests.support.orders import catalogue, chain, order

DRAWS_FIRST = "bfl/flux-2-pro"
"""Who draws the picture for a model that needs one."""
_WORDS = "a paper boat"

AT_ONCE = Looks(grace=0.0, quick_window=60.0, quick_pause=0.1, pause=1.0, longest_pause=2.0)
"""Nobody waits for a webhook."""
SOON = Looks(grace=1.0, quick_window=60.0, quick_pause=0.1, pause=1.0, longest_pause=2.0)
"""A webhook has its chance, and no more."""


def trial(
    model: str, *, looks: Looks | None = None, deadline: float | None = None, submit_timeout: float | None = None
) -> tuple[ChainPlan, str]:
    """The plan, and the words by which the ledger tells its job from those of other runs."""
    needs_picture = catalogue().models[model].inputs.minimum > 0
    plan = chain("chain1", DRAWS_FIRST, model) if needs_picture else order(model, prompt=_WORDS)
    name = f"boat {uuid4().hex}"
    *before, last = plan.steps
    candidate = last.candidates[0]
    candidate = replace(
        candidate,
        params=json.loads(json.dumps(candidate.params).replace(_WORDS, name)),
        looks=looks or candidate.looks,
        submit_timeout=submit_timeout or candidate.submit_timeout,
    )
    last = replace(last, candidates=(candidate,), deadline=deadline or last.deadline)
    return replace(plan, steps=(*before, last)), name
