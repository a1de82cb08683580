"""The schema of a model and the schema of a chain name the same parameters, and take the same pictures."""

from typing import Any

import jsonschema
import pytest

from domain.generation import WORDS
from tests.support.orders import catalogue
from tests.support.service import Service
from tests.unit.domain.test_picture_places import TAKING, placed

Json = dict[str, Any]

MODELS = catalogue().models
PICTURE = "https://pictures.example.com/boat.png"


async def schemas(service: Service, name: str) -> tuple[Json, Json]:
    """The model's own, and what a chain's says of the same model's parameters."""
    own = (await service.api.get(f"/api/v1/models/{name}")).json()["raw_schema"]["request"]
    slug = "chain3" if MODELS[name].kind == "image" else "chain1"
    chain = (await service.api.get(f"/api/v1/chains/{slug}/schema")).json()
    return own, {"$ref": f"#/$defs/{name.replace('/', '.')}", "$defs": chain["$defs"]}


@pytest.mark.parametrize("name", sorted(MODELS))
async def test_both_schemas_of_a_model_name_the_same_parameters(service: Service, name: str) -> None:
    own, chain = await schemas(service, name)
    definition = chain["$defs"][name.replace("/", ".")]
    assert own["properties"].keys() | WORDS.keys() == definition["properties"].keys() | WORDS.keys()


@pytest.mark.parametrize("name", sorted(MODELS))
async def test_both_schemas_take_a_picture_in_each_place_of_a_model(service: Service, name: str) -> None:
    own, chain = await schemas(service, name)
    own.pop("required", None)
    for field in (await service.api.get(f"/api/v1/models/{name}")).json()["input_pictures"]["fields"]:
        taken = [value for value in (PICTURE, [PICTURE]) if MODELS[name].read_inputs({field: value})[0]]
        assert taken
        for value in (*taken, None):
            for schema in (own, chain):
                jsonschema.Draft202012Validator(schema).validate({field: value})


@pytest.mark.parametrize("given", [PICTURE, f"{'0' * 64}.jpg"], ids=["address", "upload"])
@pytest.mark.parametrize("name", TAKING)
async def test_both_schemas_take_further_pictures_where_they_are_told(service: Service, name: str, given: str) -> None:
    own, chain = await schemas(service, name)
    own.pop("required", None)
    shown = (await service.api.get(f"/api/v1/models/{name}")).json()["input_pictures"]["further"]
    params = placed(shown, [given] * shown["maximum"])
    for schema in (own, chain):
        jsonschema.Draft202012Validator(schema).validate(params)
