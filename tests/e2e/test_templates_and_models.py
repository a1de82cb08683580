"""The public catalogue: what chains and models there are, and what each of them takes."""

import jsonschema
import pytest

from tests.support.answers import refusal
from tests.support.service import Json, Service
from workflows.templates import load_templates

CHAIN1_FIELDS = [
    "provider_order", "image_ratio", "video_ratio", "video_duration", "video_resolution", "text_to_image_model",
    "image_to_video_model", "text_to_image_prompt", "image_to_video_prompt", "text_to_image_params",
    "image_to_video_params",
]  # fmt: skip


async def read(service: Service, path: str) -> Json:
    """Needs no key, and a wrong one does no harm."""
    answer = await service.anyone.get(path)
    assert answer.status_code == 200
    with_key = await service.anyone.get(path, headers={"authorization": "Bearer wrong"})
    assert with_key.json() == answer.json()
    body: Json = answer.json()
    return body


async def test_every_template_is_listed_with_its_steps_in_the_contracts_form(service: Service) -> None:
    listed = await read(service, "/api/v1/chains")
    assert list(listed) == ["object", "data", "has_more", "url"]
    assert (listed["object"], listed["has_more"], listed["url"]) == ("list", False, "/api/v1/chains")
    by_slug = {template["slug"]: template for template in listed["data"]}
    assert set(by_slug) == set(load_templates())
    chain1 = by_slug["chain1"]
    assert list(chain1)[:7] == ["object", "slug", "version", "title", "description", "input_fields", "steps"]
    assert (chain1["object"], chain1["version"]) == ("chain_template", "2026-05-23")
    assert chain1["title"] == "text-to-image → image-to-video"
    assert chain1["steps"] == [
        {
            "key": "text_to_image",
            "title": "Generate image",
            "kind": "image",
            "model": "${text_to_image_model}",
            "depends_on": [],
        },
        {
            "key": "image_to_video",
            "title": "Generate video",
            "kind": "video",
            "model": "${image_to_video_model}",
            "depends_on": ["text_to_image"],
        },
    ]
    assert by_slug["chain3"]["title"] == "text-to-image → image-to-image → image-to-video"


async def test_chain1_takes_every_published_field(service: Service) -> None:
    listed = await read(service, "/api/v1/chains")
    chain1 = next(template for template in listed["data"] if template["slug"] == "chain1")
    fields = {field["name"]: field for field in chain1["input_fields"]}
    assert set(CHAIN1_FIELDS) <= set(fields)
    assert fields["text_to_image_model"]["default"] == "bytedance/seedream-4.5"
    assert fields["image_to_video_model"]["default"] == "bytedance/seedance-1.5-pro"
    for field in fields.values():
        assert field["type"] in {"string", "number", "boolean", "url", "object", "array"}
        assert field["required"] is False
        assert field["description"]


@pytest.mark.parametrize("slug", sorted(load_templates()))
async def test_every_field_that_a_template_lists_is_taken(service: Service, slug: str) -> None:
    listed = await read(service, "/api/v1/chains")
    [template] = [template for template in listed["data"] if template["slug"] == slug]
    values = {"string": "", "number": "", "url": "", "object": ""}
    body = {"input": {field["name"]: values[field["type"]] for field in template["input_fields"]} | {"nonsense": 1}}
    error = refusal(await service.api.post(f"/api/v1/chains/{slug}/runs", json=body), 400, "invalid_chain_input")
    unknown = [fault["path"][1] for fault in error["errors"] if "is not a field of" in fault["message"]]
    assert unknown == ["nonsense"]


async def test_every_model_is_listed_and_described(service: Service) -> None:
    listed = await read(service, "/api/v1/models")
    assert (listed["object"], listed["has_more"], listed["url"]) == ("list", False, "/api/v1/models")
    for row in listed["data"]:
        assert list(row)[:10] == [
            "object", "id", "provider", "kind", "raw_id", "modes", "has_constraints", "has_byok_schema", "schema_url",
            "available",
        ]  # fmt: skip
        assert row["available"] is True
        model = await read(service, row["schema_url"])
        assert list(model)[:8] == [
            "object", "id", "provider", "kind", "raw_id", "modes", "raw_schema", "babychain_constraints",
        ]  # fmt: skip
        assert {model[name] == row[name] for name in ("id", "provider", "kind", "raw_id", "modes")} == {True}
        jsonschema.Draft202012Validator.check_schema(model["raw_schema"]["request"])
        assert model["raw_schema"]["request"]["additionalProperties"] is False
    flux = await read(service, "/api/v1/models/bfl/flux-2-flex")
    assert "prompt_upsampling" in flux["raw_schema"]["request"]["properties"]


@pytest.mark.parametrize("name", ["byteplus/seedance-1-5-pro-251215", "BYTEDANCE/SEEDANCE-1.5-PRO"])
async def test_a_model_is_found_by_its_raw_id_and_in_any_case(service: Service, name: str) -> None:
    assert (await read(service, f"/api/v1/models/{name}"))["id"] == "bytedance/seedance-1.5-pro"


@pytest.mark.parametrize("name", ["nope", "bfl/nope", "a" * 5_000, "%F0%9F%9B%B6/x"])
async def test_an_unknown_model_is_a_404(service: Service, name: str) -> None:
    refusal(await service.anyone.get(f"/api/v1/models/{name}"), 404, "model_not_found")
