"""Media, made on order: real pictures and videos, or tiny ones that cost nothing.

Drawing happens in threads, a few at a time, so that the event loop keeps answering and its clocks stay true.
"""

import asyncio
from typing import Literal

from sandbox.media import films, pictures, tiny
from sandbox.media.orders import Medium, PictureOrder, VideoOrder

__all__ = ["Medium", "PictureOrder", "Studio", "VideoOrder"]

_AT_ONCE = 2  # drawing is CPU work: more at a time would only make each later


class Studio:
    def __init__(self, quality: Literal["real", "tiny"]) -> None:
        self._is_tiny = quality == "tiny"
        self._easels = asyncio.Semaphore(_AT_ONCE)

    async def picture(self, order: PictureOrder) -> Medium:
        if self._is_tiny:
            return tiny.picture(order.format)
        async with self._easels:
            return await asyncio.to_thread(pictures.draw, order)

    async def video(self, order: VideoOrder) -> tuple[Medium, ...]:
        """The video and, where the order wants it, its last frame as a PNG."""
        if self._is_tiny:
            return tiny.video(order)
        async with self._easels:
            return await asyncio.to_thread(films.shoot, order)
