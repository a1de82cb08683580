"""Pictures and videos as facts: what was asked for, how an input travels, what a stored file is."""

from dataclasses import dataclass
from enum import StrEnum


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"


class InputForm(StrEnum):
    """How an input picture reaches a provider."""

    URL = "url"
    INLINE = "inline"
    UPLOAD = "upload"


@dataclass(frozen=True)
class InputFile:
    """One input picture on its way to a provider: an address it can fetch, or the bytes themselves."""

    url: str | None = None
    data: bytes | None = None
    media_type: str | None = None


@dataclass(frozen=True)
class InputRef:
    """An input picture as plans and histories carry it: one of our assets, or a public address."""

    asset: str | None = None
    url: str | None = None
    source: str | None = None
    """Where the provider that made the asset keeps it, for a while. Handed on only where nothing of ours will do."""


@dataclass(frozen=True)
class PictureLimits:
    """The input pictures that a model takes, as far as its provider documents it."""

    formats: tuple[str, ...] = ()
    """Media types. Empty: none are documented, so any goes."""
    bytes: int | None = None
    together: int | None = None
    """Bytes of all pictures of one request, where they travel inside it."""
    least_side: int = 1
    most_side: int | None = None
    pixels: int | None = None
    """The most, width times height."""
    ratio: tuple[float, float] | None = None
    """The least and most of width divided by height."""
    opaque_png: bool = False
    """A PNG must have no alpha channel."""


ANY_PICTURE = PictureLimits()


@dataclass(frozen=True)
class AssetFacts:
    """What is known of a stored file. The id is its hash and its true extension: `<sha256>.<ext>`."""

    id: str
    sha256: str
    bytes: int
    type: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    fps: float | None = None
    has_audio: bool | None = None


@dataclass(frozen=True)
class MediaRequest:
    """What a caller wants, said in no provider's words. Failover to another model goes through this."""

    kind: MediaKind
    prompt: str | None = None
    negative_prompt: str | None = None
    images: tuple[str, ...] = ()
    last_frame: str | None = None
    width: int | None = None
    height: int | None = None
    ratio: str | None = None
    resolution: str | None = None
    seconds: int | None = None
    seed: int | None = None
    audio: bool | None = None
    watermark: bool | None = None
    output_format: str | None = None
    camera_fixed: bool | None = None
    enhance_prompt: bool | None = None
