"""Pictures and videos: upload, facts, and the files themselves behind signed links."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from api import examples
from api.bodies import BoundedRequest
from api.services import Held, Reader, Runner, Services
from domain.errors import OutputInvalid, RequestError, UnavailableError
from domain.media import AssetFacts, MediaKind
from storage.asset_uses import UPLOAD
from storage.links import Link
from storage.posters import PosterUnavailable, poster

router = APIRouter(tags=["assets"])

_UPLOAD_LIMIT = 30 * 1024 * 1024
_FORM_LIMIT = _UPLOAD_LIMIT + 64 * 1024
_CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_FILE_HEADERS = {
    "accept-ranges": "bytes",
    "cache-control": "private, max-age=86400, immutable",
    # Whatever a file claims to be, it gets no script, no plugin and no origin of ours.
    "content-security-policy": "default-src 'none'; media-src 'self'; img-src 'self'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
}

Expires = Annotated[int, Query(ge=0)]
Signature = Annotated[str, Query(max_length=128)]


@router.post(
    "/api/v1/assets",
    status_code=201,
    summary="Upload a start picture",
    responses=examples.responses(400, 401, 413),
    openapi_extra=examples.UPLOAD_BODY,
)
async def upload_asset(request: Request, caller: Runner, held: Held) -> JSONResponse:
    """Multipart, field `file`. The answer's `id` or `url` works wherever an input picture does."""
    async with BoundedRequest(request, _FORM_LIMIT).form(max_files=1, max_fields=8) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise RequestError("Send the picture as multipart/form-data in the field 'file'.", code="invalid_request")
        try:
            facts = await held.assets.add(_chunks(file), limit=_UPLOAD_LIMIT, kinds=frozenset({MediaKind.IMAGE}))
        except OutputInvalid as error:
            raise RequestError(f"The file can't be used: {error.message}", code="invalid_asset") from error
    await held.assets.grant(facts.id, caller.id)
    if not await held.uses.claim(facts.id, UPLOAD):
        raise UnavailableError("The same picture was just being deleted; send it again.", code="asset_busy")
    return JSONResponse(_resource(facts, held), 201)


@router.get(
    "/api/v1/assets/{asset_id}",
    summary="Read what is known of a file",
    responses=examples.responses(401, 404),
)
async def get_asset(asset_id: str, caller: Reader, held: Held) -> JSONResponse:
    """Hash, size, type and measures of a file of yours, with fresh links."""
    facts = await held.assets.facts(asset_id)
    if facts is None or not await held.assets.is_granted(asset_id, caller.id):
        raise RequestError("There is no such asset.", code="asset_not_found")
    return JSONResponse(_resource(facts, held), headers={"cache-control": "no-store"})


@router.head("/assets/{asset_id}", include_in_schema=False)
@router.get(
    "/assets/{asset_id}", summary="Fetch a file by its signed link", responses=examples.responses(403, 404, 416)
)
async def get_file(asset_id: str, request: Request, held: Held, expires: Expires, signature: Signature) -> Response:
    """Takes one Range, and If-None-Match. The link is its own permission, until it expires."""
    facts = await _linked(held, asset_id, expires, signature, poster=False)
    etag = f'"{facts.sha256}"'
    headers = _FILE_HEADERS | {"etag": etag, "content-disposition": f'inline; filename="{facts.id}"'}
    if _is_known(etag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    start, end, status = 0, facts.bytes, 200
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked is not None and request.headers.get("if-range", etag) == etag:
        start, end = _part(asked[1], asked[2], facts.bytes)
        status = 206
        headers["content-range"] = f"bytes {start}-{end - 1}/{facts.bytes}"
    headers["content-length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=facts.type)
    return StreamingResponse(
        held.assets.stream(facts.id, start, end), status_code=status, headers=headers, media_type=facts.type
    )


@router.get(
    "/assets/{asset_id}/poster",
    summary="Fetch a file's small picture by its signed link",
    responses=examples.responses(403, 404),
)
async def get_poster(asset_id: str, held: Held, expires: Expires, signature: Signature) -> Response:
    """A small WebP of a picture, or of a video's beginning. It is made once, when first asked for."""
    facts = await _linked(held, asset_id, expires, signature, poster=True)
    try:
        drawn = await poster(held.assets, facts.id)
    except PosterUnavailable as error:
        raise RequestError("No small picture can be made of this file.", code="asset_not_found") from error
    return Response(drawn, media_type="image/webp", headers=_FILE_HEADERS)


async def _linked(held: Services, asset_id: str, expires: int, signature: str, *, poster: bool) -> AssetFacts:
    verdict = held.links.check(asset_id, expires, signature, datetime.now(UTC), poster=poster)
    if verdict is Link.EXPIRED:
        raise RequestError("This link has expired; read the run again for a fresh one.", code="link_expired")
    if verdict is Link.FORGED:
        raise RequestError("This link is not one of ours; read the run again for a good one.", code="link_invalid")
    facts = await held.assets.facts(asset_id)
    if facts is None:
        raise RequestError("There is no such asset.", code="asset_not_found")
    return facts


def _is_known(etag: str, header: str) -> bool:
    """`*`, or a list of tags; a proxy may have made ours weak."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags


def _part(first: str, last: str, size: int) -> tuple[int, int]:
    """One range of bytes. Other units and several ranges at once are no match: such a file is sent whole."""
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        start, end = 0, 0
    if start >= end:
        raise HTTPException(416, "The range is not within the file.", {"content-range": f"bytes */{size}"})
    return start, end


def _resource(facts: AssetFacts, held: Services) -> dict[str, Any]:
    now = datetime.now(UTC)
    measured = {name: getattr(facts, name) for name in ("width", "height", "seconds", "fps", "has_audio")}
    return {
        "id": facts.id,
        "object": "asset",
        "url": held.links.url(facts.id, now),
        "poster_url": held.links.url(facts.id, now, poster=True),
        "sha256": facts.sha256,
        "bytes": facts.bytes,
        "type": facts.type,
        **{name: value for name, value in measured.items() if value is not None},
    }


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk
