"""Provider accounts: how they do, and the switches that an operator has."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from api import examples
from api.bodies import has_body, read_storable
from api.provider_accounts import model_switch
from api.services import Admin, Held, Reader
from domain.errors import Fault, RequestError
from domain.provider import ModelCard

router = APIRouter(tags=["providers"])

_REASON_LENGTH = 500
_NO_STORE = {"cache-control": "no-store"}
_EXAMPLE: dict[str, Any] = {
    "object": "provider",
    "name": "bfl",
    "offered": True,
    "mode": "byok",
    "safety_classes": ["B"],
    "breaker": {
        "state": "open",
        "reason": "outage",
        "code": "provider_network_error",
        "message": "bfl could not be reached.",
        "since": "2026-11-21T08:00:12.5+00:00",
        "next_probe_at": "2026-11-21T08:01:12.5+00:00",
        "failures_in_a_row": 5,
    },
    "paused_until": None,
    "disabled": None,
    "limit": 24,
    "active": 3,
    "waiting": 17,
    "models": [{"id": "bfl/flux-2-pro", "safety_class": "B", "disabled": None}],
    "last_hour": {
        "attempts": 120,
        "succeeded": 112,
        "success_share": 0.9333,
        "seconds": {"p50": 6.2, "p95": 14.8},
        "errors": {"provider_network_error": 5, "provider_content_moderated": 3},
    },
    "last_day": {
        "attempts": 2210,
        "succeeded": 2190,
        "success_share": 0.991,
        "seconds": {"p50": 5.9, "p95": 12.1},
        "errors": {"provider_content_moderated": 15, "provider_network_error": 5},
    },
}
_REASON_BODY: dict[str, Any] = {
    "requestBody": {
        "required": False,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"reason": {"type": ["string", "null"], "maxLength": _REASON_LENGTH}},
                    "additionalProperties": False,
                },
                "example": {"reason": "Prices have doubled."},
            }
        },
    }
}


def _shown(description: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {200: {"description": description, "content": content}}


async def known_provider(name: str, held: Held) -> str:
    if all(card.provider != name for card in held.catalogue.models.values()):
        raise RequestError(f"There is no provider {name[:64]!r}.", code="not_found")
    return name


async def known_model(model_id: str, held: Held) -> ModelCard:
    card = held.catalogue.find(model_id)
    if card is None:
        raise RequestError(f"There is no model {model_id[:128]!r}.", code="model_not_found")
    return card


Name = Annotated[str, Depends(known_provider)]
Model = Annotated[ModelCard, Depends(known_model)]


@router.get(
    "/api/v1/providers",
    summary="List provider accounts",
    responses=_shown(
        "Every provider account.",
        {"object": "list", "has_more": False, "url": "/api/v1/providers", "data": [_EXAMPLE]},
    )
    | examples.responses(401, 503),
)
async def list_providers(caller: Reader, held: Held) -> JSONResponse:
    """Each account's breaker, limit and line, and how its attempts of the last hour and the last day went.

    An account is `open` after an outage, without credit or with a key that is refused: nothing is sent to it but one
    probe from time to time (`half_open`). `active` is null where no limit is set. Attempts count once their run has
    ended; `seconds` are those of attempts that succeeded, waiting included.
    """
    rows = await held.accounts.rows()
    return JSONResponse(
        {"object": "list", "has_more": False, "url": "/api/v1/providers", "data": rows}, headers=_NO_STORE
    )


@router.post(
    "/api/v1/providers/{name}/disable",
    summary="Send nothing new to a provider",
    responses=_shown("The account.", _EXAMPLE) | examples.responses(400, 401, 404, 503),
    openapi_extra=_REASON_BODY,
)
async def disable_provider(request: Request, caller: Admin, name: Name, held: Held) -> JSONResponse:
    """In every process within five seconds. New starts go to the next candidate, or wait; running jobs end normally."""
    await held.accounts.disable(name, caller.id, await _reason(request))
    return JSONResponse(await held.accounts.row(name), headers=_NO_STORE)


@router.post(
    "/api/v1/providers/{name}/enable",
    summary="Use a provider again",
    responses=_shown("The account.", _EXAMPLE) | examples.responses(401, 404, 503),
)
async def enable_provider(caller: Admin, name: Name, held: Held) -> JSONResponse:
    """Also closes its breaker, for whoever has topped the account up. What waits starts one after another."""
    await held.accounts.enable(name)
    return JSONResponse(await held.accounts.row(name), headers=_NO_STORE)


@router.post(
    "/api/v1/models/{model_id:path}/disable",
    summary="Start nothing new with a model",
    responses=_shown("The model's switch.", {"object": "model_switch", "id": "bfl/flux-2-pro", "disabled": None})
    | examples.responses(400, 401, 404, 503),
    openapi_extra=_REASON_BODY,
)
async def disable_model(request: Request, caller: Admin, card: Model, held: Held) -> JSONResponse:
    """As for a provider, for one model."""
    reason = await _reason(request)
    await held.accounts.disable_model(card.id, caller.id, reason)
    return await _switch(held, card)


@router.post(
    "/api/v1/models/{model_id:path}/enable",
    summary="Use a model again",
    responses=_shown("The model's switch.", {"object": "model_switch", "id": "bfl/flux-2-pro", "disabled": None})
    | examples.responses(401, 404, 503),
)
async def enable_model(caller: Admin, card: Model, held: Held) -> JSONResponse:
    """A model that was not disabled stays as it is."""
    await held.accounts.gate.enable_model(card.id)
    return await _switch(held, card)


async def _switch(held: Held, card: ModelCard) -> JSONResponse:
    known = await held.accounts.gate.known()
    shown = {"object": "model_switch", "id": card.id, "disabled": model_switch(known.disabled_models.get(card.id))}
    return JSONResponse(shown, headers=_NO_STORE)


async def _reason(request: Request) -> str | None:
    """The body is optional: a switch must work with a bare POST."""
    if not has_body(request):
        return None
    body = await read_storable(request)
    faults = [Fault((name,), "is not a field of this request") for name in sorted(body.keys() - {"reason"})]
    reason = body.get("reason")
    if reason is not None and not (isinstance(reason, str) and len(reason) <= _REASON_LENGTH):
        faults.append(Fault(("reason",), f"must be text of at most {_REASON_LENGTH} characters"))
    if faults:
        raise RequestError("Request validation failed.", faults=faults)
    return reason
