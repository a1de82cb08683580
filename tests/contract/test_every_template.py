"""What every chain template must keep, whatever the folder holds."""

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import workflow

from domain.catalogue import Catalogue
from domain.chains import RESERVED_SLUGS, ChainTemplate, Step
from domain.errors import RequestError
from domain.media import MediaKind
from domain.planning import RunRequest, input_fields, plan_run
from providers import modules
from workflows.templates import load_templates

TEMPLATES = load_templates()
MODELS = {name: card for module in modules() for name, card in module.MODELS.items()}
KEYS = {module.NAME: module.KEY_NAME for module in modules()}
CATALOGUE = Catalogue(MODELS, frozenset(KEYS), KEYS, "byok", webhooks_reach_us=True)
PICTURE = "https://pictures.example.com/start.png"
each_template = pytest.mark.parametrize("slug", TEMPLATES)


def request(template: ChainTemplate, **input: object) -> RunRequest:
    prompts = {f"{step.key}_prompt": "a paper boat" for step in template.steps}
    start = {"source_image_url": PICTURE} if any(step.starts_from_picture for step in template.steps) else {}
    return RunRequest(str(uuid4()), "key-test", datetime.now(UTC), prompts | start | input, {}, None, None)


@each_template
def test_the_workflow_type_is_the_slug(slug: str) -> None:
    definition = workflow._Definition.must_from_class(TEMPLATES[slug])
    assert definition.name == slug


@each_template
def test_the_version_is_a_date(slug: str) -> None:
    date.fromisoformat(TEMPLATES[slug].template.version)


@each_template
def test_prompts_alone_make_a_plan_of_default_models(slug: str) -> None:
    template = TEMPLATES[slug].template
    plan = plan_run(template, request(template), CATALOGUE)
    assert [step.candidates[0].model for step in plan.steps] == [step.default_model for step in template.steps]
    assert next(iter(plan.input)) == "chain_models"


@each_template
def test_each_step_can_be_done_by_every_model_of_its_kind_that_takes_its_input(slug: str) -> None:
    template = TEMPLATES[slug].template
    for step in template.steps:
        fed = bool(step.takes) or step.starts_from_picture
        fitting = [c for c in MODELS.values() if c.kind is step.kind and (c.inputs.maximum > 0 or not fed)]
        assert fitting
        for card in fitting:
            asked = request(template, chain_models={f"{step.key}_model": card.id})
            plan = plan_run(template, asked, CATALOGUE)
            assert plan.input["chain_models"][f"{step.key}_model"] == card.id


@each_template
def test_a_model_of_the_wrong_kind_is_refused_by_its_path(slug: str) -> None:
    template = TEMPLATES[slug].template
    for step in template.steps:
        wrong = next(card.id for card in MODELS.values() if card.kind is not step.kind)
        with pytest.raises(RequestError) as caught:
            plan_run(template, request(template, **{f"{step.key}_model": wrong}), CATALOGUE)
        assert [fault.path for fault in caught.value.faults] == [("input", f"{step.key}_model")]


@each_template
def test_its_test_stands_beside_this_one(slug: str) -> None:
    module = TEMPLATES[slug].__module__.rpartition(".")[2]
    name = f"test_template_{module}.py"
    assert (Path(__file__).parent / name).is_file(), f"the template {slug!r} has no tests/contract/{name}"


@each_template
def test_its_fields_do_not_clash(slug: str) -> None:
    template = TEMPLATES[slug].template
    fields = input_fields(template)
    for step in template.steps:
        assert {f"{step.key}_model", f"{step.key}_params", f"{step.key}_prompt"} <= fields


@pytest.mark.parametrize("slug", sorted(RESERVED_SLUGS))
def test_a_slug_that_is_a_route_fails_at_once(slug: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        ChainTemplate(slug, "2026-11-21", "", "", (Step("image", "", MediaKind.IMAGE, "bfl/flux-2-pro"),))


def test_a_step_may_only_take_what_comes_before_it() -> None:
    with pytest.raises(ValueError, match="do not come before"):
        ChainTemplate("odd", "2026-11-21", "", "", (Step("a", "", MediaKind.IMAGE, "x/y", takes=("b",)),))
