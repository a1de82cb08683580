"""Pictures that a request brings along: a URL, a data URI or bare base64. And other files, by URL."""

import asyncio
import base64
import binascii
import io
from dataclasses import dataclass

import httpx
from PIL import Image, UnidentifiedImageError

_MOST_BYTES = 20 * 1024 * 1024
_SECONDS = 10.0


class UnusableInput(ValueError):
    """The provider would not take this as a picture; the message says why."""


@dataclass(frozen=True)
class InputPicture:
    """`data` and the size are unknown for a URL in tiny mode, which downloads nothing."""

    data: bytes | None = None
    width: int = 0
    height: int = 0
    format: str = ""  # as Pillow names it
    has_alpha: bool = False

    @property
    def megapixels(self) -> float:
        return self.width * self.height / (1024 * 1024)


class Inputs:
    def __init__(self, *, downloads: bool) -> None:
        self._downloads = downloads
        self._client: httpx.AsyncClient | None = None

    async def load(self, reference: str) -> InputPicture:
        if reference.startswith(("http://", "https://")):
            data = await self.fetch(reference)
            return InputPicture() if data is None else await asyncio.to_thread(_measure, data)
        return await asyncio.to_thread(_decode, reference)

    async def fetch(self, url: str) -> bytes | None:
        """The file behind a URL; None in tiny mode."""
        if not self._downloads:
            return None
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=True, timeout=_SECONDS)
        try:
            async with asyncio.timeout(_SECONDS), self._client.stream("GET", url) as answer:
                if not answer.is_success:
                    raise UnusableInput(f"the address answered {answer.status_code}")
                data = bytearray()
                async for chunk in answer.aiter_bytes():
                    data += chunk
                    if len(data) > _MOST_BYTES:
                        raise UnusableInput("the file is larger than 20 MiB")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise UnusableInput("the address could not be read") from error
        return bytes(data)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


def _decode(reference: str) -> InputPicture:
    encoded = reference.partition(",")[2] if reference.startswith("data:") else reference
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnusableInput("neither a URL nor base64") from error
    if len(data) > _MOST_BYTES:
        raise UnusableInput("the picture is larger than 20 MiB")
    return _measure(data)


def _measure(data: bytes) -> InputPicture:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return InputPicture(data, *picture.size, picture.format or "", picture.has_transparency_data)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise UnusableInput("the data is not a picture") from error
