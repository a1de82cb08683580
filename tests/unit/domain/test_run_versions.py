"""A run belongs to the version of its chain that it began with."""

from dataclasses import replace

from domain.resources import run_resource
from domain.runs import first_snapshot
from tests.support.orders import chain
from workflows.templates import load_templates


def test_a_run_shows_the_version_it_began_with_though_its_chain_has_a_newer_one() -> None:
    plan = replace(chain("chain1", "bfl/flux-2-flex", "bytedance/seedance-1.5-pro"), version="2025-01-01")
    snapshot = first_snapshot(tuple(step.key for step in plan.steps), plan.created_at)
    assert run_resource(plan, snapshot, str)["chain_version"] == "2025-01-01"
    assert load_templates()["chain1"].template.version != "2025-01-01"
