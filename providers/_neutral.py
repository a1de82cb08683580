"""Between providers: sizes and ratios that fit, and the words for what a model cannot be told."""

import math
import re
from collections.abc import Collection, Iterable

from domain.media import MediaRequest

_WORDS = {
    "negative_prompt": "negative prompt",
    "last_frame": "last frame",
    "width": "width",
    "height": "height",
    "ratio": "ratio",
    "resolution": "resolution",
    "seconds": "duration",
    "seed": "seed",
    "audio": "sound",
    "watermark": "watermark",
    "output_format": "output format",
    "camera_fixed": "fixed camera",
    "enhance_prompt": "prompt enhancement",
}
_MOST_SIDE = 65_535
_RATIO = re.compile(r"([1-9]\d{0,3}):([1-9]\d{0,3})")


def asked_size(request: MediaRequest) -> tuple[int, int] | None:
    """Width and height, where both are given and no nonsense."""
    width, height = request.width or 0, request.height or 0
    return (width, height) if 0 < width <= _MOST_SIDE and 0 < height <= _MOST_SIDE else None


def untold(request: MediaRequest, told: Collection[str]) -> tuple[str, ...]:
    """What is wished and not told. A wish for nothing ("no watermark") is met by a model that lacks the thing."""
    wished = {slot for slot in _WORDS if getattr(request, slot) is not None and getattr(request, slot) is not False}
    return tuple(word for slot, word in _WORDS.items() if slot in wished and slot not in told)


def proportion(ratio: str) -> float | None:
    found = _RATIO.fullmatch(ratio)
    return int(found[1]) / int(found[2]) if found else None


def nearest_ratio(request: MediaRequest, choices: Iterable[str]) -> tuple[str | None, tuple[str, ...]]:
    """The model's ratio that is closest to the one asked for, by name or by width and height, and what that loses."""
    known = {choice: shape for choice in choices if (shape := proportion(choice)) is not None}
    if request.ratio is not None:
        if request.ratio in known:
            return request.ratio, ()
        wanted = proportion(request.ratio)
    elif (size := asked_size(request)) is not None:
        wanted = size[0] / size[1]
    else:
        return None, ()
    if wanted is None:
        return None, ("ratio",)
    nearest = min(known, key=lambda choice: abs(math.log(known[choice] / wanted)))
    return nearest, (f"exact {'ratio' if request.ratio else 'size'} (it gets {nearest})",)


def fit_size(
    width: int, height: int, *, step: int = 1, side: tuple[int, int] = (1, 1 << 20), area: tuple[int, int]
) -> tuple[int, int]:
    """The nearest size within a model's limits that keeps the shape; the same size when it is within them already."""
    scale = 1.0
    if width * height < area[0]:
        scale = math.sqrt(area[0] / (width * height))
    elif width * height > area[1]:
        scale = math.sqrt(area[1] / (width * height))
    scale = min(scale, side[1] / max(width, height))
    scale = max(scale, min(side[0] / min(width, height), side[1] / max(width, height)))
    rounded = math.ceil if scale > 1 else math.floor
    return _within(rounded(width * scale / step) * step, side), _within(rounded(height * scale / step) * step, side)


def _within(length: int, side: tuple[int, int]) -> int:
    return min(max(length, side[0]), side[1])
