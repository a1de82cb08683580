"""/llms.txt: everything that it names is really there."""

import re

from fastapi.routing import APIRoute

from api.routes import estimates, llms, models, runs, templates
from workflows.templates import load_templates

BASE = "https://media.example.com"


def test_it_names_every_chain_and_no_route_that_is_not_there() -> None:
    chains = [loaded.template for loaded in load_templates().values()]
    text = llms.llms_text(chains, BASE)
    assert all(f"`{chain.slug}`" in text for chain in chains)
    routers = [noun.router for noun in (estimates, models, runs, templates)]
    paths = {_plain(route.path) for router in routers for route in router.routes if isinstance(route, APIRoute)}
    named = {_plain(path) for path in re.findall(rf"{BASE}(/api/[^`]*)", text)}
    assert len(named) == 7
    assert named <= paths


def _plain(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path)
