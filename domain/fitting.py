"""Whether a picture fits a model, and how a copy of it is made that does.

A copy is scaled, converted or compressed, and always keeps its shape. A picture of a shape that the model excludes
is refused: to crop or to pad it would change what it shows, and that is the caller's to decide.
"""

import math
from dataclasses import dataclass

from domain.errors import StepError
from domain.media import AssetFacts, PictureLimits

MOST_ENLARGED = 4.0
"""A picture enlarged more than this is a blur: it counts as too small."""

MOST_COPY_BYTES = 30_000_000

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
_WRITABLE = (JPEG, PNG, WEBP)


@dataclass(frozen=True)
class Picture:
    """What is known of a picture. Of one that is only planned, neither type nor bytes are."""

    width: int
    height: int
    type: str | None = None
    bytes: int = 0
    has_alpha: bool = False

    @classmethod
    def of(cls, facts: AssetFacts, *, has_alpha: bool = False) -> "Picture":
        return cls(facts.width or 0, facts.height or 0, facts.type, facts.bytes, has_alpha)

    @property
    def size(self) -> str:
        return f"{self.width}×{self.height}"


@dataclass(frozen=True)
class Copy:
    """The copy to make. Where its type can't be kept within the bytes it becomes a JPEG, then a smaller one."""

    width: int
    height: int
    type: str
    most_bytes: int
    least_side: int
    opaque: bool
    """Transparent parts turn white."""


class Unfit(StepError):
    """A picture of which no copy fits the model. Another model may take it."""

    code = "chain_step_params_failed"


def fit(picture: Picture, limits: PictureLimits) -> Copy | None:
    """None: it fits as it is. Unfit says what is wrong where no scaling or conversion helps."""
    if fits(picture, limits):
        return None
    _refuse_shape(picture, limits)
    scale = _scale(picture, limits)
    width, height = _in_shape(
        _scaled(picture.width, scale, limits), _scaled(picture.height, scale, limits), limits.ratio
    )
    made, opaque = _type(picture, limits)
    return Copy(width, height, made, min(limits.bytes or MOST_COPY_BYTES, MOST_COPY_BYTES), limits.least_side, opaque)


def misfit(facts: AssetFacts, limits: PictureLimits) -> str | None:
    """Why no copy of a stored picture would fit."""
    try:
        fit(Picture.of(facts), limits)
    except Unfit as error:
        return error.message.rstrip(".")
    return None


def fits(picture: Picture, limits: PictureLimits) -> bool:
    return (
        _is_sized(picture, limits)
        and _has_shape(picture, limits)
        and (picture.type is None or not limits.formats or picture.type in limits.formats)
        and (limits.bytes is None or picture.bytes <= limits.bytes)
        and not (limits.opaque_png and picture.type == PNG and picture.has_alpha)
    )


def describe(before: Picture, after: Picture) -> str:
    """`scaled from 2048×2048 to 2000×2000, converted from image/png to image/jpeg`"""
    changes = []
    if (after.width, after.height) != (before.width, before.height):
        changes.append(f"scaled from {before.size} to {after.size}")
    if after.type != before.type:
        changes.append(f"converted from {before.type} to {after.type}")
    elif before.has_alpha and not after.has_alpha:
        changes.append("laid on white where it was transparent")
    return ", ".join(changes) or f"compressed from {before.bytes} to {after.bytes} bytes"


def describe_limits(limits: PictureLimits) -> str:
    """For messages: what a caller has to keep to."""
    parts = []
    if limits.most_side is not None:
        parts.append(f"sides of {limits.least_side} to {limits.most_side} pixels")
    elif limits.least_side > 1:
        parts.append(f"sides of at least {limits.least_side} pixels")
    if limits.pixels is not None:
        parts.append(f"at most {limits.pixels} pixels in all")
    if limits.ratio is not None:
        low, high = limits.ratio
        parts.append(f"width to height of {low:g} to {high:g}")
    return ", ".join(parts) or "pictures of any size"


def _is_sized(picture: Picture, limits: PictureLimits) -> bool:
    low, high = sorted((picture.width, picture.height))
    return (
        low >= limits.least_side
        and (limits.most_side is None or high <= limits.most_side)
        and (limits.pixels is None or low * high <= limits.pixels)
    )


def _has_shape(picture: Picture, limits: PictureLimits) -> bool:
    if limits.ratio is None:
        return True
    low, high = limits.ratio
    return low <= picture.width / picture.height <= high


def _refuse_shape(picture: Picture, limits: PictureLimits) -> None:
    if not _has_shape(picture, limits):
        raise Unfit(f"A picture of {picture.size} has a shape that can't be scaled to fit: {describe_limits(limits)}.")


def _scale(picture: Picture, limits: PictureLimits) -> float:
    """As little as possible, and never so far down that the shorter side is too short."""
    low, high = sorted((picture.width, picture.height))
    most = min(
        limits.most_side / high if limits.most_side else math.inf,
        math.sqrt(limits.pixels / (low * high)) if limits.pixels else math.inf,
    )
    least = limits.least_side / low
    if least > most * (1 + 1 / high):
        raise Unfit(f"A picture of {picture.size} is too long for its width to fit: {describe_limits(limits)}.")
    if least > MOST_ENLARGED:
        raise Unfit(f"A picture of {picture.size} is too small: {describe_limits(limits)}.")
    return min(max(1.0, least), most)


def _scaled(length: int, scale: float, limits: PictureLimits) -> int:
    rounded = math.floor(length * scale + 1e-6) if scale < 1 else math.ceil(length * scale - 1e-6)
    return max(limits.least_side, min(rounded, limits.most_side or rounded))


def _in_shape(width: int, height: int, ratio: tuple[float, float] | None) -> tuple[int, int]:
    """Rounding can carry a picture at the very end of the ratios over it, by a pixel of its longer side."""
    if ratio is None:
        return width, height
    low, high = ratio
    return min(width, math.floor(height * high)), min(height, math.floor(width / low))


def _type(picture: Picture, limits: PictureLimits) -> tuple[str, bool]:
    """Its own type where that may be; else PNG, which loses nothing; else JPEG, which has no transparency."""
    choices = [name for name in _WRITABLE if not limits.formats or name in limits.formats]
    made = picture.type if picture.type in choices else PNG if PNG in choices else JPEG
    return made, made == JPEG or (made == PNG and limits.opaque_png)
