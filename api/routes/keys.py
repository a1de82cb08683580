"""Caller keys and callers, for the operator: every route needs the scope `admin`."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from api import examples
from api.bodies import has_body, read_storable
from api.key_orders import Caps, CreateKey, Json, Rotate, caller_resource, key_resource, read_order
from api.services import Admin, Held
from domain.errors import RequestError

router = APIRouter(tags=["keys"])

_NO_STORE = {"cache-control": "no-store"}


def _takes(model: type[Any], *, required: bool = True) -> Json:
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": model.model_json_schema()}}}
    }


@router.post(
    "/api/v1/keys",
    status_code=201,
    summary="Create a caller key",
    responses=examples.responses(400, 401, 503),
    openapi_extra=_takes(CreateKey),
)
async def create_key(request: Request, _admin: Admin, held: Held) -> JSONResponse:
    """The first key of a caller makes the caller. The answer's `key` is shown this once."""
    order = read_order(CreateKey, await read_storable(request))
    made = await held.key_store.create(order.as_new_key(), now=_now())
    held.keys.store.forget()
    return JSONResponse(key_resource(made.stored) | {"key": made.key}, 201, _NO_STORE)


@router.get("/api/v1/keys", summary="List caller keys", responses=examples.responses(401, 503))
async def list_keys(_admin: Admin, held: Held, caller: Annotated[str | None, Query()] = None) -> JSONResponse:
    """Newest first, with those that have ended. Keys of the environment are not among them."""
    keys = [key_resource(key) for key in await held.key_store.listed(caller)]
    return JSONResponse({"object": "list", "data": keys, "has_more": False, "url": "/api/v1/keys"}, headers=_NO_STORE)


@router.post(
    "/api/v1/keys/{key_id}/rotate",
    status_code=201,
    summary="Replace a caller key",
    responses=examples.responses(400, 401, 404, 409, 503),
    openapi_extra=_takes(Rotate, required=False),
)
async def rotate_key(key_id: str, request: Request, _admin: Admin, held: Held) -> JSONResponse:
    """A new key of the same caller, shown this once. The old one works until the overlap has passed."""
    order = await _rotation(request)
    made = await held.key_store.rotate(key_id, now=_now(), overlap=order.overlap)
    held.keys.store.forget()
    return JSONResponse(key_resource(made.stored) | {"key": made.key}, 201, _NO_STORE)


@router.delete("/api/v1/keys/{key_id}", summary="Revoke a caller key", responses=examples.responses(401, 404, 503))
async def revoke_key(key_id: str, _admin: Admin, held: Held) -> JSONResponse:
    """Every process refuses the key within five seconds, and for good. A second time changes nothing."""
    revoked = await held.key_store.revoke(key_id, now=_now())
    held.keys.store.forget()
    return JSONResponse(key_resource(revoked), headers=_NO_STORE)


@router.get("/api/v1/callers/{caller}", summary="Read a caller", responses=examples.responses(401, 404, 503))
async def get_caller(caller: str, _admin: Admin, held: Held) -> JSONResponse:
    """Its caps, and whether it has a callback secret of its own; never the secret."""
    found = await held.callers.find(caller)
    if found is None:
        raise RequestError("There is no such caller; a caller's first key makes it.", code="not_found")
    return JSONResponse(caller_resource(found), headers=_NO_STORE)


@router.put(
    "/api/v1/callers/{caller}/caps",
    summary="Set a caller's spend caps",
    responses=examples.responses(400, 401, 404, 503),
    openapi_extra=_takes(Caps),
)
async def set_caps(caller: str, request: Request, _admin: Admin, held: Held) -> JSONResponse:
    """Both at once: a cap that is left out is taken away."""
    order = read_order(Caps, await read_storable(request))
    stored = await held.callers.set_caps(caller, daily=order.daily_cap, monthly=order.monthly_cap)
    return JSONResponse(caller_resource(stored), headers=_NO_STORE)


@router.post(
    "/api/v1/callers/{caller}/callback-secret",
    status_code=201,
    summary="Replace a caller's callback secret",
    responses=examples.responses(400, 401, 404, 503),
    openapi_extra=_takes(Rotate, required=False),
)
async def rotate_callback_secret(caller: str, request: Request, _admin: Admin, held: Held) -> JSONResponse:
    """Shown this once. Until the overlap has passed, callbacks carry the signatures of both secrets."""
    order = await _rotation(request)
    secret = await held.callers.rotate_callback_secret(caller, now=_now(), overlap=order.overlap)
    return JSONResponse({"object": "callback_secret", "caller": caller, "secret": secret}, 201, _NO_STORE)


async def _rotation(request: Request) -> Rotate:
    """No body at all orders what goes without saying."""
    return read_order(Rotate, await read_storable(request) if has_body(request) else {})


def _now() -> datetime:
    return datetime.now(UTC)
