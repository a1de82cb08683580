"""The console: its page and files at `/`, and what the page has to know of this deployment."""

from functools import cache
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api import examples
from api.console_files import ConsoleFiles, PageFile
from api.services import Held, Reader
from domain.errors import RequestError
from domain.media import MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import ModelCard
from domain.resources import shown_cost

router = APIRouter(tags=["console"])

Json = dict[str, Any]

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # No text ever becomes markup: the browser refuses every sink that would parse it.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "vary": "accept-encoding",
}
_ASK_AGAIN = "no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"


@cache
def console_files() -> ConsoleFiles:
    return ConsoleFiles.read()


@router.head("/", include_in_schema=False)
@router.get("/", include_in_schema=False)
async def page(request: Request) -> Response:
    return _answer(request, console_files().page, _ASK_AGAIN)


@router.get("/favicon.ico", include_in_schema=False)
async def icon(request: Request) -> Response:
    return _answer(request, console_files().files["icon.svg"], _ASK_AGAIN)


@router.get("/console/{version}/{name}", include_in_schema=False)
async def file(version: str, name: str, request: Request) -> Response:
    """A page of yesterday's deployment gets today's file, which no cache may keep under yesterday's name."""
    files = console_files()
    if name not in files.files:
        raise RequestError("No such route.", code="not_found")
    return _answer(request, files.files[name], _FOR_EVER if version == files.version else _ASK_AGAIN)


def _answer(request: Request, found: PageFile, caching: str) -> Response:
    headers = _HEADERS | {"etag": found.etag, "cache-control": caching}
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.body, headers=headers, media_type=found.media_type)
    return Response(found.pressed, headers=headers | {"content-encoding": "gzip"}, media_type=found.media_type)


@router.get("/api/v1/console", summary="What the console shows", responses=examples.responses(401))
async def console_facts(caller: Reader, held: Held) -> JSONResponse:
    """Who this key is, what it may do, the mode, where the Temporal Web UI is, and what each model costs by default."""
    shown: Json = {
        "object": "console",
        "caller": caller.id,
        "scopes": sorted(caller.scopes),
        "mode": held.catalogue.mode,
        "temporal_ui": held.temporal_ui and f"{held.temporal_ui.rstrip('/')}/namespaces/{held.client.namespace}",
        "prices": {card.id: shown_cost(_usual_price(card)) for card in held.catalogue.models.values()},
    }
    return JSONResponse(shown, headers={"cache-control": "no-store"})


def _usual_price(card: ModelCard) -> Cost:
    """Of a job that leaves everything at the model's defaults; a video is made from one picture."""
    asked = card.from_neutral(MediaRequest(kind=card.kind, prompt="a"))
    return card.price(asked.params, 1 if card.kind is MediaKind.VIDEO else 0)
