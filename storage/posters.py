"""Small pictures for lists and previews, made when somebody first asks, in a process of their own."""

import asyncio
from importlib.util import find_spec
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO

from domain.errors import OutputInvalid, RequestError
from domain.media import MediaKind
from storage.asset_ids import extension_of
from storage.assets import AssetMissing, Assets
from storage.decoder import decode
from storage.measure import measure

_WALL_SECONDS = 30.0
_MOST_BYTES = 1024 * 1024
_VIDEOS = frozenset({"mp4", "mov", "webm"})

# Posters are never urgent, and two decoders at once would take the cores away from the work.
_one_at_a_time = asyncio.Semaphore(1)


class PosterUnavailable(RequestError):
    """There is no poster of this asset: it cannot be decoded, or this installation has no video decoder."""

    code = "poster_unavailable"


async def poster(assets: Assets, asset_id: str) -> bytes:
    """A WebP of at most 480 pixels, kept beside the asset. A file that once could not be decoded is not tried again."""
    kept = await assets.kept_poster(asset_id)
    if kept is None:
        async with _one_at_a_time:
            kept = await assets.kept_poster(asset_id)
            if kept is None:
                kept = await _make(assets, asset_id)
    if not kept:
        raise PosterUnavailable("This asset cannot be shown as a picture.")
    return kept


async def _make(assets: Assets, asset_id: str) -> bytes:
    if await assets.facts(asset_id) is None:
        raise AssetMissing("There is no such asset.")
    extension = extension_of(asset_id)
    if extension in _VIDEOS and find_spec("av") is None:
        raise PosterUnavailable("Posters of videos need the optional package 'av'.")
    with TemporaryFile() as file, TemporaryFile() as answer:
        async for chunk in assets.stream(asset_id):
            await asyncio.to_thread(file.write, chunk)
        file.seek(0)
        is_done = await _decode(file, answer, extension)
        answer.seek(0)
        picture = answer.read(_MOST_BYTES) if is_done else b""
    if not _is_poster(picture):
        picture = b""
    await assets.keep_poster(asset_id, picture)
    return picture


async def _decode(file: BinaryIO, answer: BinaryIO, extension: str) -> bool:
    """Whether the process says that it wrote a poster."""
    try:
        return await decode("storage.poster_process", extension, file=file, answer=answer, seconds=_WALL_SECONDS)
    except TimeoutError as error:
        # Perhaps the machine was busy: this verdict is not kept.
        raise PosterUnavailable("The poster was not ready in time.", retry_after=_WALL_SECONDS) from error


def _is_poster(answer: bytes) -> bool:
    try:
        facts = measure(BytesIO(answer), len(answer), "", frozenset({MediaKind.IMAGE}))
    except OutputInvalid:
        return False
    return facts.type == "image/webp"
