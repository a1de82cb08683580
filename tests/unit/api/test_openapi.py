"""The committed OpenAPI document: what is served, whole, true to what checks requests, and full of examples."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import providers
from api.description import TAGS
from api.requests import read_envelope
from domain.errors import RequestError
from domain.media import MediaKind
from domain.request_schemas import body_schema, parameter_names
from tests.support.bodies import FIRST_EXAMPLE, SEED_EXAMPLE, drawn, restyled
from tests.support.orders import catalogue
from tests.unit.domain.test_planning import PICTURE, TEMPLATES, plan
from tools.openapi import TARGET, document, written

Json = dict[str, Any]

CATALOGUE = catalogue()
COMMITTED: Json = json.loads(TARGET.read_text("utf-8"))
OPERATIONS: dict[str, Json] = {
    operation["operationId"]: operation for path in COMMITTED["paths"].values() for operation in path.values()
}


async def test_the_committed_document_is_what_the_service_serves() -> None:
    assert TARGET.read_text("utf-8") == written(await document()), "run 'make openapi'"


def fits(example: object, schema: Json) -> None:
    """Its references lead into the whole document."""
    jsonschema.Draft202012Validator(schema | {"components": COMMITTED["components"]}).validate(example)


def contents(operation: Json) -> Iterator[tuple[str, Json]]:
    """Each JSON body of an operation: where it stands, and its media type object."""
    for where, part in [("request", operation.get("requestBody", {})), *operation["responses"].items()]:
        for media_type, content in part.get("content", {}).items():
            if media_type == "application/json":
                yield where, content


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_json_body_has_an_example_that_fits_its_schema(name: str) -> None:
    for where, content in contents(OPERATIONS[name]):
        examples = [one["value"] for one in content.get("examples", {}).values()]
        examples += [content["example"]] if "example" in content else []
        assert examples, f"{where} shows nothing"
        for example in examples:
            fits(example, content["schema"])


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_says_what_it_does_answers_and_refuses(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"], "the route has no docstring"
    assert operation["tags"] and set(operation["tags"]) <= set(TAGS)
    statuses = operation["responses"].keys()
    assert any(status.startswith("2") for status in statuses) and "default" in statuses
    assert ("401" in statuses) is ("security" in operation)
    for parameter in operation["parameters"]:
        assert parameter["schema"]
        if parameter["in"] != "path":
            assert parameter.get("description"), parameter["name"]


def test_every_reference_leads_somewhere() -> None:
    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(found := node.get("$ref"), str):
                yield found
            for child in node.values():
                yield from references(child)
        elif isinstance(node, list):
            for child in node:
                yield from references(child)

    for reference in set(references(COMMITTED)):
        _, _, kind, name = reference.split("/")
        assert name in COMMITTED["components"][kind], reference


# ---- what the schema of a chain's requests says, and what checks them --------------------------------------------


def schema_of(slug: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(body_schema(TEMPLATES[slug], CATALOGUE))


@pytest.mark.parametrize("slug", sorted(TEMPLATES))
@pytest.mark.parametrize("mode", ["byok", "babysea"])
async def test_the_schema_of_a_chain_is_one_in_every_mode(slug: str, mode: str) -> None:
    async with httpx.AsyncClient() as http:
        known = providers.load({}, http).catalogue(mode=mode, webhooks_reach_us=True)
    schema = body_schema(TEMPLATES[slug], known)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"input": {"image_to_video_params": {"generation_prompt": "it moves"}}}, schema)


@pytest.mark.parametrize(
    ("slug", "body"),
    [
        ("chain1", FIRST_EXAMPLE),
        ("chain1", SEED_EXAMPLE),
        ("chain1", drawn("a boat", webhook_url=None, max_cost="0.5", fallbacks=False)),
        ("chain1", {}),
        ("chain1", {"input": None, "metadata": None, "execution": {"type": "self_control"}}),
        ("chain1", {"input": {"text_to_image_params": {"output_format": "jpg", "seed": None}}}),
        ("chain2", restyled("a boat", source_image_url=PICTURE)),
        ("chain2", {"input": {"image_to_image_params": {"image": [PICTURE], "generation_prompt": "a boat"}}}),
        ("image-to-video", {"input": {"image_to_video_model": ["a/b", "c/d"], "video_duration": 5.0}}),
    ],
)
def test_what_callers_may_send_fits_the_schema(slug: str, body: Json) -> None:
    schema_of(slug).validate(body)


@pytest.mark.parametrize(
    "input",
    [
        {"surprise": 1},
        {"chain_models": []},
        {"text_to_image_params": {"width": "wide"}},
        {"text_to_image_params": {"promt": None}},
        {"text_to_image_params": {"prompt": "a", "content": []}},
        {"image_to_video_params": {"ratio": "7:3"}},
        {"video_duration": "five"},
        {"text_to_image_model": []},
    ],
)
def test_what_the_schema_refuses_planning_refuses(input: Json) -> None:
    whole = {"text_to_image_prompt": "a boat", "image_to_video_prompt": "it moves"} | input
    assert not schema_of("chain1").is_valid({"input": whole})
    with pytest.raises(RequestError):
        plan("chain1", whole)


@pytest.mark.parametrize("amount", ["1_0", "-0", " 2 ", "1e3", ".5", "0.0000001", -1, 10**10])
def test_an_amount_that_the_schema_refuses_is_refused(amount: Any) -> None:
    assert not schema_of("chain1").is_valid({"max_cost": amount})
    with pytest.raises(RequestError) as caught:
        read_envelope({"max_cost": amount})
    assert [fault.path for fault in caught.value.faults] == [("max_cost",)]


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 4000)
    | st.floats(allow_nan=False)
    | st.sampled_from(["a boat", "16:9", "jpeg", "jpg", "png", "720p", "2K", "text", "image_url", PICTURE, ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "text", "image_url", "url", "prompt", "seed"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def _asked(draw: st.DrawFn) -> tuple[str, Json]:
    card = CATALOGUE.models[draw(st.sampled_from(sorted(CATALOGUE.models)))]
    slug, key = ("chain2", "image_to_image") if card.kind is MediaKind.IMAGE else ("image-to-video", "image_to_video")
    own = sorted(parameter_names(card))
    names = st.sampled_from([*own, *(f"generation_{name}" for name in own), "generation_prompt", "other"])
    prompts = {f"{step.key}_prompt": "a boat" for step in TEMPLATES[slug].steps}
    params = draw(st.dictionaries(names, _VALUES, max_size=2))
    return slug, prompts | {f"{key}_model": card.id, f"{key}_params": params, "source_image_url": PICTURE}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(_asked())
def test_whatever_planning_takes_fits_the_schema(asked: tuple[str, Json]) -> None:
    slug, body = asked[0], {"input": asked[1]}
    try:
        plan(slug, asked[1])
    except RequestError:
        assume(False)
    _VALIDATORS[slug].validate(body)


_VALIDATORS = {slug: schema_of(slug) for slug in TEMPLATES}
