"""What a create may hold, as JSON Schema: made of the very models and lists that check it, never written beside them.

It refuses nothing that planning takes. What a schema can't say (which model does which step, what one field means for
another) planning says alone.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from domain.callbacks import CHOICES
from domain.catalogue import Catalogue
from domain.chains import ChainTemplate, Step
from domain.choosing import MOST_CANDIDATES
from domain.forbidden import PREWIRED
from domain.generation import ROOT_SHORTCUTS, WORDS
from domain.money import AMOUNT, MOST_DOLLARS
from domain.provider import ModelCard

Json = dict[str, Any]

_TYPES: dict[type, str] = {str: "string", int: "integer", bool: "boolean"}
DOLLARS: Json = {
    "type": ["number", "string", "null"],
    "minimum": 0,
    "maximum": MOST_DOLLARS,
    "pattern": f"^{AMOUNT}$",
}
OTHER_JPEG = "jpg"
"""Callers write both spellings."""
_PICTURE = "https://pictures.example.com/boat.png"
_PICTURE_FIELDS = (*sorted(PREWIRED), *(f"input_image_{number}" for number in range(2, 17)))


@cache
def parameter_names(card: ModelCard) -> frozenset[str]:
    """Every name that may stand in this model's params, beside the words that begin with `generation_`."""
    return frozenset(card.params.model_fields) | frozenset(_picture_fields(card))


def is_parameter(card: ModelCard, name: str) -> bool:
    return name.startswith("generation_") or name in parameter_names(card)


def body_schema(template: ChainTemplate, catalogue: Catalogue) -> Json:
    """The body of a create of this chain. Its `$defs` hold the params of each model that a step can take."""
    definitions: Json = {}
    properties: Json = {
        "input": _input(template, catalogue, definitions),
        "metadata": _or_null(
            {
                "type": "object",
                "description": "Comes back in every answer; at most 16 KiB.",
                "additionalProperties": True,
            }
        ),
        "webhook_url": {
            "type": ["string", "null"],
            "description": "An https address: gets one signed POST at the end.",
        },
        "webhook_events": {
            "type": ["array", "null"],
            "items": {"enum": list(CHOICES)},
            "minItems": 1,
            "description": f"What is told to webhook_url; without it, {CHOICES[0]}.",
        },
        "fallbacks": {"type": ["boolean", "null"], "description": "false: none of this deployment's stand-in models."},
        "resubmit_unknown": {
            "type": ["boolean", "null"],
            "description": "true: a job whose start nobody can confirm is started again, at the risk of paying twice.",
        },
        "max_cost": DOLLARS
        | {"description": "US dollars. A run that could cost more is refused, and ends before it does."},
    }
    return {
        "type": "object",
        "title": f"Create a run of {template.slug}",
        "properties": properties,
        "$defs": definitions,
    }


def _input(template: ChainTemplate, catalogue: Catalogue, definitions: Json) -> Json:
    fields: Json = {
        "chain_models": {
            "type": "object",
            "description": "The model of each step; a list names stand-ins, the preferred one first.",
            "properties": {f"{step.key}_model": _model(step, catalogue) for step in template.steps},
        },
        "provider_order": {"description": "Provider order in BabySea mode; without it, the model's own."},
    }
    if any(step.starts_from_picture for step in template.steps):
        fields["source_image_url"] = {
            "type": ["string", "null"],
            "description": "The start picture: an https address, or the id of an uploaded asset.",
        }
    for step in template.steps:
        fields |= {short: _word(long) for short, long in ROOT_SHORTCUTS[step.kind].items()}
        fields[f"{step.key}_model"] = _model(step, catalogue)
        fields[f"{step.key}_prompt"] = _word("generation_prompt")
        fields[f"{step.key}_params"] = _params(step, catalogue, definitions)
    return _or_null(
        {
            "type": "object",
            "description": "Models and parameters of each step; at most 64 KiB.",
            "properties": fields,
            "additionalProperties": False,
        }
    )


def _model(step: Step, catalogue: Catalogue) -> Json:
    """No enum: a model has other names too, and case does not matter."""
    return {
        "description": f"One of {', '.join(catalogue.of_kind(step.kind))}.",
        "default": step.default_model,
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_CANDIDATES},
            {"type": "null"},
        ],
    }


def _params(step: Step, catalogue: Catalogue, definitions: Json) -> Json:
    cards = [catalogue.models[name] for name in catalogue.of_kind(step.kind)]
    for card in cards:
        if card.id.replace("/", ".") not in definitions:
            definitions.update(_definitions(card))
    return {
        "description": "The parameters of the step's model, as its provider names them, or BabyChain's generation_*.",
        "anyOf": [{"$ref": f"#/$defs/{card.id.replace('/', '.')}"} for card in cards],
    }


@cache
def _definitions(card: ModelCard) -> Json:
    """The model's own schema, in which nothing is required: the chain, a shortcut or a word may say it too.

    Kept, and so never changed: making it takes longer than anything else in a create.
    """
    name = card.id.replace("/", ".")
    own = card.params.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    inner = {f"{name}.{key}": _untitled(value) for key, value in own.pop("$defs", {}).items()}
    fields = {key: _relaxed(value, inner) for key, value in own["properties"].items()}
    if "jpeg" in fields.get("output_format", {}).get("enum", ()):
        fields["output_format"]["enum"].append(OTHER_JPEG)
    fields |= {key: {"description": "An input picture."} for key in _picture_fields(card)}
    fields |= {word: _word(word) for word in WORDS if word not in fields}
    schema = {
        "type": "object",
        "description": f"Parameters of {card.id}.",
        "properties": {key: _or_null(_untitled(value)) for key, value in fields.items()},
        "patternProperties": {"^generation_": {}},
        "additionalProperties": False,
    }
    return {name: schema} | inner


def _relaxed(field: Json, inner: Json) -> Json:
    """An object of the model's own: pictures and words may stand in it, or for what it asks for."""
    target = inner.get(str(field.get("$ref", "")).removeprefix("#/$defs/"))
    if target is None or target.get("type") != "object":
        return field
    loose = {key: value for key, value in target.items() if key not in ("required", "additionalProperties")}
    return loose | {key: value for key, value in field.items() if key != "$ref"}


def _word(word: str) -> Json:
    if word == "generation_input_file":
        return _or_null({"type": "array", "items": {"type": "string"}, "description": "Input pictures."})
    return {"type": [_TYPES[WORDS[word][1]], "null"], "description": f"BabyChain's own word: {WORDS[word][0]}."}


def _or_null(schema: Json) -> Json:
    """A null says nothing, wherever a field may be left out."""
    if not schema or "null" in _types(schema):
        return schema
    about: Json = {key: schema[key] for key in ("description", "default") if key in schema}
    rest: Json = {key: value for key, value in schema.items() if key not in about}
    if rest:
        about["anyOf"] = [rest, {"type": "null"}]
    return about


def _types(schema: Json) -> Iterable[str]:
    own = schema.get("type", ())
    yield from (own,) if isinstance(own, str) else own
    for form in schema.get("anyOf", ()):
        yield from _types(form)


def _untitled(schema: Json) -> Json:
    """Without the titles that pydantic makes of names: they say nothing more."""
    shown = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in shown:
        shown["properties"] = {key: _untitled(value) for key, value in shown["properties"].items()}
    return shown


def _picture_fields(card: ModelCard) -> tuple[str, ...]:
    """Asked of the model's own reader: where it finds a picture, a picture may stand."""
    return tuple(
        name for name in _PICTURE_FIELDS if any(card.read_inputs({name: value})[0] for value in (_PICTURE, [_PICTURE]))
    )
