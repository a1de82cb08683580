"""The models this deployment knows, and the parameters each takes."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from api.services import Held
from domain.catalogue import Catalogue
from domain.errors import RequestError
from domain.picture_places import field_schema, further_pictures, picture_fields
from domain.provider import ModelCard

router = APIRouter(tags=["catalogue"])

Json = dict[str, Any]


@router.get("/api/v1/models", summary="List models")
async def list_models(held: Held) -> Json:
    """Every model. `available` says whether this server has the key of its provider. Needs no key."""
    cards = held.catalogue.models.values()
    return {
        "object": "list",
        "has_more": False,
        "url": "/api/v1/models",
        "data": [_row(card, held.catalogue) for card in cards],
    }


@router.get("/api/v1/models/{model_id:path}", summary="Read a model's parameters")
async def get_model(model_id: str, held: Held) -> Json:
    """The JSON Schema that requests are checked against."""
    card = held.catalogue.find(model_id)
    if card is None:
        raise RequestError(f"There is no model {model_id[:128]!r}.", code="model_not_found")
    return _schema(card, held.catalogue)


def _row(card: ModelCard, catalogue: Catalogue) -> Json:
    return {
        "object": "model",
        "id": card.id,
        "provider": card.vendor,
        "kind": str(card.kind),
        "raw_id": card.raw_id,
        "modes": list(card.modes),
        "has_constraints": True,
        "has_byok_schema": True,
        "schema_url": f"/api/v1/models/{card.id}",
        "available": catalogue.is_offered(card),
    }


def _schema(card: ModelCard, catalogue: Catalogue) -> Json:
    request = card.params.model_json_schema()
    request["properties"] |= {name: field_schema(card, name) for name in picture_fields(card)}
    raw: Json = {
        "provider": card.vendor,
        "method": "POST",
        "endpoint": card.endpoint,
        "request": request,
        "response": {"type": "object"},
    }
    if card.notes:
        raw["notes"] = list(card.notes)
    constraints = {name: {"reason": "Set by the server; a caller's value is refused."} for name in sorted(card.owned)}
    return {
        "object": "model_schema",
        "id": card.id,
        "provider": card.vendor,
        "kind": str(card.kind),
        "raw_id": card.raw_id,
        "modes": list(card.modes),
        "raw_schema": raw,
        "babychain_constraints": constraints,
        "available": catalogue.is_offered(card),
        "input_pictures": {
            "minimum": card.inputs.minimum,
            "maximum": card.inputs.maximum,
            "limits": {name: value for name, value in asdict(card.pictures).items() if value not in (None, ())},
            "fields": picture_fields(card),
            "further": further_pictures(card),
        },
        "safety_class": str(card.safety(webhooks_reach_us=catalogue.webhooks_reach_us)),
        "hints": list(card.hints),
    }
