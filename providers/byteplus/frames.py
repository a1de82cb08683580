"""Seedance's pictures: a first frame, or references beside which the chain's own picture is the first reference."""

from collections.abc import Callable
from typing import Any

from domain.errors import Fault
from domain.media import PictureLimits
from domain.provider import Further, Params

Pictures = tuple[tuple[str, ...], dict[str, Any]]
"""The addresses, and the parameters without them."""

PICTURES = PictureLimits(
    formats=("image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/gif"),
    bytes=29_999_999,
    together=45_000_000,
    least_side=300,
    most_side=6_000,
    ratio=(0.4, 2.5),
)
"""Under 30 MB each; 64 MB for a whole request, in which Base64 takes a third more."""


def read_first_frame(params: Params) -> Pictures:
    """The pictures that a caller put into `content` as first frame; without a role, a picture is one."""
    return _taken_out(params, _first_frame_of)


def read_references(params: Params) -> Pictures:
    return _taken_out(params, _reference_of)


def is_reference_place(path: tuple[str | int, ...], params: Params) -> bool:
    match path, params.get("content"):
        case ("content", int(index), "image_url"), list(content) if index < len(content):
            return _reference_of(content[index]) is not None
    return False


def check_frame(params: Params, pictures: int) -> list[Fault]:
    """A lone picture is the first frame; several are references, and go with references of every kind."""
    roles = [str(item.get("role")) for item in params.get("content", [])]
    if pictures != 1 or not any(role.startswith("reference_") for role in roles):
        return []
    return [Fault(("content",), "must not hold references beside a first frame: they are different ways to work")]


def _taken_out(params: Params, url_of: Callable[[object], str | None]) -> Pictures:
    content = params.get("content")
    if not isinstance(content, list):
        return (), dict(params)
    urls = [url_of(item) for item in content]
    rest = [item for item, url in zip(content, urls, strict=True) if url is None]
    return tuple(url for url in urls if url is not None), {**params, "content": rest}


def _first_frame_of(item: object) -> str | None:
    match item:
        case {"role": role} if role not in (None, "first_frame"):
            return None
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return url
    return None


def _reference_of(item: object) -> str | None:
    match item:
        case {"type": "image_url", "role": "reference_image", "image_url": {"url": str(url)}}:
            return url
    return None


FURTHER = Further(
    most=8,
    read=read_references,
    is_place=is_reference_place,
    note="beside reference pictures of yours the picture handed on is the first reference, not the first frame",
)
