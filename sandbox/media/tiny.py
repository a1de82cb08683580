"""Media small in bytes, for load tests: flat, but real files of the right type and no smaller than providers make."""

import functools

from PIL import Image

from sandbox.media import encoding
from sandbox.media.orders import Format, Medium, VideoOrder

_SIDE = 416
_FRAMES = 12
_COLOUR = (74, 120, 150)


@functools.cache
def picture(format: Format) -> Medium:
    return encoding.picture(Image.new("RGB", (_SIDE, _SIDE), _COLOUR), format)


@functools.cache
def _film(*, sound: bool) -> Medium:
    frames = (Image.new("RGB", (_SIDE, _SIDE), _COLOUR) for _ in range(_FRAMES))
    samples = bytes(2 * encoding.SOUND_RATE * _FRAMES // encoding.FRAME_RATE) if sound else None
    return encoding.film(frames, (_SIDE, _SIDE), samples)


def video(order: VideoOrder) -> tuple[Medium, ...]:
    film = _film(sound=order.sound)
    return (film, picture("png")) if order.wants_last_frame else (film,)
