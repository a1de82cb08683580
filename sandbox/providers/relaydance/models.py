"""What each model takes, as clients of the gateway found it, and the size of the clip it gives."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    seconds: tuple[int, int]
    resolutions: tuple[str, ...]
    sound: bool | None = None  # None: `generate_audio` decides
    needs_picture: bool = False
    sides: tuple[int, int] = (300, 6000)  # of pictures; as Seedance's maker has it, as the ratio below is
    ratio: tuple[float, float] = (0.4, 2.5)


_ALL = ("480p", "720p", "1080p")

MODELS = {
    "seedance-1-5-pro-with-audio": Model((4, 12), _ALL, sound=True),
    "seedance-1-5-pro-no-audio": Model((4, 12), _ALL, sound=False),
    "doubao-seedance-2-0-1080p": Model((4, 15), ("1080p",)),
    # Inferred: a model "dedicated to image-to-video" makes nothing of a text alone; and its clips are silent here.
    "happyhorse-1.0-i2v": Model(
        (3, 15), ("720p", "1080p"), sound=False, needs_picture=True, sides=(1, 1 << 16), ratio=(0, math.inf)
    ),
}


def takes(model: Model, width: int, height: int) -> bool:
    low, high = model.sides
    flattest, widest = model.ratio
    return low <= min(width, height) <= max(width, height) <= high and flattest <= width / height <= widest


def clip_size(resolution: str, ratio: str | None, picture: tuple[int, int]) -> tuple[int, int]:
    """`480p` and the like are the short side. Without a ratio the clip follows the picture; an unknown one is 16:9."""
    if ratio not in (None, "adaptive"):
        across, down = map(int, str(ratio).split(":"))
    else:
        across, down = picture if all(picture) else (16, 9)
    short, shape = int(resolution.removesuffix("p")), min(max(across / down, 0.4), 2.5)
    return (_even(short * shape), short) if shape >= 1 else (short, _even(short / shape))


def _even(length: float) -> int:
    """H.264 halves the sides for colour."""
    return round(length / 2) * 2
