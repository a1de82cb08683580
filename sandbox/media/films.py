# ruff: noqa: S311 - drawing wants repeatable randomness, not secrets
"""A video on order: a slow camera move over a still, light drifting across it, and motes in the air."""

import math
from array import array
from collections.abc import Iterator
from random import Random

from PIL import Image, ImageChops, ImageOps

from sandbox.media import caption, encoding, scenes
from sandbox.media.brushes import glow
from sandbox.media.orders import Medium, VideoOrder
from sandbox.media.pictures import opened_picture

_MARGIN = 1.16  # the still is this much larger than the frame, which is the room the camera has
_MOTES = 26


def shoot(order: VideoOrder) -> tuple[Medium, ...]:
    random = Random(f"{order.prompt}\n{order.seed}")
    size = (order.width, order.height)
    last: list[Image.Image] = []

    def remembered() -> Iterator[Image.Image]:
        for frame in _frames(order, random):
            last[:] = [frame]
            yield frame

    sound = _chord(order.frames / order.frame_rate, random) if order.sound else None
    film = encoding.film(remembered(), size, sound, order.frame_rate)
    return (film, encoding.picture(last[0], "png")) if order.wants_last_frame else (film,)


def _frames(order: VideoOrder, random: Random) -> Iterator[Image.Image]:
    size = (order.width, order.height)
    still = _still(order, random)
    ending = _fitted(opened_picture(order.last_frame), still.size) if order.last_frame else None
    shafts = _shafts(size, random)
    motes = [_Mote(size, random) for _ in range(_MOTES)]
    move = _Move(size, still.size, random)
    for index in range(order.frames):
        progress = index / max(1, order.frames - 1)
        seen = still if ending is None else Image.blend(still, ending, _eased(progress))
        frame = seen.transform(size, Image.Transform.EXTENT, move.box(progress), Image.Resampling.BILINEAR)
        shift = round((progress - 0.5) * order.width * 0.9)
        frame = ImageChops.screen(frame, ImageChops.offset(shafts, shift, 0))
        for mote in motes:
            mote.paste(frame, index / order.frame_rate)
        if order.watermark:
            caption.mark(frame)
        yield frame


def _still(order: VideoOrder, random: Random) -> Image.Image:
    size = (round(order.width * _MARGIN), round(order.height * _MARGIN))
    if order.first_frame is not None:
        return _fitted(opened_picture(order.first_frame), size)
    return scenes.paint(order.prompt, random, size)


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.fit(picture, size, Image.Resampling.BICUBIC)


def _eased(progress: float) -> float:
    return (1 - math.cos(math.pi * progress)) / 2


class _Move:
    """The camera starts wide on one side and ends close on the other, gently at both ends."""

    def __init__(self, size: tuple[int, int], still: tuple[int, int], random: Random) -> None:
        self._size = size
        self._still = still
        self._from = (random.choice((0.0, 1.0)), random.uniform(0.3, 0.7))

    def box(self, progress: float) -> tuple[float, float, float, float]:
        eased = _eased(progress)
        zoom = _MARGIN * (1 - 0.02) - (_MARGIN - 1.0) * 0.9 * eased
        width, height = self._size[0] * zoom, self._size[1] * zoom
        across = self._from[0] + (1 - 2 * self._from[0]) * eased
        left = (self._still[0] - width) * across
        top = (self._still[1] - height) * self._from[1]
        return left, top, left + width, top + height


def _shafts(size: tuple[int, int], random: Random) -> Image.Image:
    """Two soft pools of warm light, made once and only shifted from frame to frame."""
    light = Image.new("RGB", size)
    for _ in range(2):
        place = (size[0] * random.uniform(0.3, 0.7), size[1] * random.uniform(0.1, 0.5))
        light.paste((96, 80, 52), mask=glow(size, place, max(size) * 0.42, 1.0))
    return light


class _Mote:
    """A speck of dust in the light, rising slowly and swaying."""

    def __init__(self, size: tuple[int, int], random: Random) -> None:
        side = max(4, round(min(size) * random.uniform(0.006, 0.018)))
        self._glow = glow((side, side), (side / 2, side / 2), side / 2, random.uniform(0.35, 0.8))
        self._size = size
        self._start = (random.uniform(0, size[0]), random.uniform(0, size[1]))
        self._rise = size[1] * random.uniform(0.012, 0.05)
        self._sway = (size[0] * random.uniform(0.005, 0.02), random.uniform(0.4, 1.1), random.uniform(0, math.tau))

    def paste(self, frame: Image.Image, seconds: float) -> None:
        reach, pace, phase = self._sway
        x = self._start[0] + reach * math.sin(pace * seconds + phase)
        y = (self._start[1] - self._rise * seconds) % self._size[1]
        frame.paste((255, 246, 220), (round(x), round(y)), self._glow)


def _chord(seconds: float, random: Random) -> bytes:
    """A soft chord that swells and fades. Tones are whole Hertz, so one second of samples can be repeated."""
    root = random.choice((110, 132, 148, 165))
    tones = (root, round(root * 1.5), root * 2, round(root * 2.5))
    second = [
        sum(math.sin(math.tau * tone * n / encoding.SOUND_RATE) / (place + 1.5) for place, tone in enumerate(tones))
        for n in range(encoding.SOUND_RATE)
    ]
    count = round(seconds * encoding.SOUND_RATE)
    swell = encoding.SOUND_RATE * min(1.0, seconds / 3)
    return array(
        "h",
        (
            round(5200 * min(1.0, n / swell, (count - n) / swell) * second[n % encoding.SOUND_RATE])
            for n in range(count)
        ),
    ).tobytes()
