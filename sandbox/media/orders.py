"""What can be ordered from the studio, and what comes back."""

from dataclasses import dataclass
from typing import Literal

Format = Literal["jpeg", "png", "webp"]

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "video/mp4": "mp4"}


@dataclass(frozen=True)
class PictureOrder:
    """The same order is the same bytes."""

    prompt: str
    seed: int
    width: int
    height: int
    format: Format
    references: tuple[bytes, ...] = ()
    watermark: bool = False


@dataclass(frozen=True)
class VideoOrder:
    prompt: str
    seed: int
    width: int
    height: int
    frames: int
    sound: bool
    first_frame: bytes | None = None
    last_frame: bytes | None = None
    wants_last_frame: bool = False
    watermark: bool = False
    frame_rate: int = 24


@dataclass(frozen=True)
class Medium:
    data: bytes
    type: str
    width: int
    height: int

    @property
    def extension(self) -> str:
        return _EXTENSIONS[self.type]
