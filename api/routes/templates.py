"""The chains this deployment offers."""

from typing import Any

from fastapi import APIRouter

from api.services import Held, Template
from domain.chains import ChainTemplate, Step
from domain.media import MediaKind
from domain.request_schemas import body_schema

router = APIRouter(tags=["catalogue"])

Json = dict[str, Any]


@router.get("/api/v1/chains", summary="List chain templates")
async def list_templates(held: Held) -> Json:
    """Every chain with its fields, steps and capabilities. Needs no key."""
    return {
        "object": "list",
        "data": [_template(template) for template in held.templates.values()],
        "has_more": False,
        "url": "/api/v1/chains",
    }


@router.get("/api/v1/chains/{slug}/schema", summary="Read the JSON Schema of a chain's requests")
async def get_schema(template: Template, held: Held) -> Json:
    """What a create of this chain may hold, with the params of every model that its steps can take. Needs no key."""
    return body_schema(template, held.catalogue)


def _template(template: ChainTemplate) -> Json:
    return {
        "object": "chain_template",
        "slug": template.slug,
        "version": template.version,
        "title": template.title,
        "description": template.description,
        "input_fields": [*_shared_fields(template), *(field for step in template.steps for field in _fields(step))],
        "steps": [
            {
                "key": step.key,
                "title": step.title,
                "kind": str(step.kind),
                "model": f"${{{step.key}_model}}",
                "depends_on": list(step.takes),
            }
            for step in template.steps
        ],
        "capabilities": {
            "step_kinds": [_capability(step) for step in template.steps],
            "final_callback": True,
            "durable_state": True,
            "failover": True,
        },
        "schema_url": f"/api/v1/chains/{template.slug}/schema",
    }


def _capability(step: Step) -> str:
    source = "image" if step.takes or step.starts_from_picture else "text"
    return f"{source}-to-{step.kind}"


def _shared_fields(template: ChainTemplate) -> list[Json]:
    fields = [
        _field("chain_models", "object", "The model of each step, as <step>_model."),
        _field("provider_order", "string", "Provider order in BabySea mode; without it, the model's own."),
    ]
    if any(step.starts_from_picture for step in template.steps):
        fields.append(
            _field("source_image_url", "url", "The start picture: an https address, or the id of an uploaded asset.")
        )
    kinds = {step.kind for step in template.steps}
    if MediaKind.IMAGE in kinds:
        fields.append(_field("image_ratio", "string", "Aspect ratio of pictures, such as 16:9."))
    if MediaKind.VIDEO in kinds:
        fields.append(_field("video_ratio", "string", "Aspect ratio of the video, such as 16:9."))
        fields.append(_field("video_duration", "number", "Length of the video in seconds."))
        fields.append(_field("video_resolution", "string", "Resolution of the video, such as 720p."))
    return fields


def _fields(step: Step) -> list[Json]:
    return [
        _field(f"{step.key}_model", "string", f"Model of the step {step.key}.") | {"default": step.default_model},
        _field(f"{step.key}_prompt", "string", f"Prompt of the step {step.key}, if its params hold none."),
        _field(f"{step.key}_params", "object", f"The model's own parameters for the step {step.key}."),
    ]


def _field(name: str, kind: str, description: str) -> Json:
    return {"name": name, "type": kind, "required": False, "description": description}
