"""Seedance's two ways to work, which exclude each other: from a first frame, or from references.

Beside references of the caller's the step's own picture is the first of them.
"""

from collections.abc import Callable, Iterable
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

FIRST_FRAME, LAST_FRAME, REFERENCE = "first_frame", "last_frame", "reference_image"
REFERENCE_VIDEO, REFERENCE_AUDIO = "reference_video", "reference_audio"
REFERENCES = frozenset({REFERENCE, REFERENCE_VIDEO, REFERENCE_AUDIO})
MOST_REFERENCES = 9

# ---- reading ------------------------------------------------------------------------------------------------------


def read_first_frame(params: Params) -> Pictures:
    """The pictures that a caller put into `content` as first frame; without a role, a picture is one.

    Beside references they also stay where they are: the card's `check` has something to say about it.
    """
    urls, rest = _taken_out(params, _first_frame_of)
    return urls, dict(params) if has_references(params) else rest


def read_references(params: Params) -> Pictures:
    return _taken_out(params, _reference_of)


def is_reference_place(path: tuple[str | int, ...], params: Params) -> bool:
    match path, params.get("content"):
        case ("content", int(index), "image_url"), list(content) if index < len(content):
            return _reference_of(content[index]) is not None
        case ("content", int(index), "video_url"), list(content) if index < len(content):
            item = content[index]
            return isinstance(item, dict) and item.get("role") == REFERENCE_VIDEO
    return False


def has_references(params: Params) -> bool:
    return any(is_reference(item) for item in _items(params))


def is_reference(item: object) -> bool:
    return isinstance(item, dict) and isinstance(role := item.get("role"), str) and role in REFERENCES


def _items(params: Params) -> list[Any]:
    content = params.get("content")
    return content if isinstance(content, list) else []


def _taken_out(params: Params, url_of: Callable[[object], str | None]) -> Pictures:
    content = params.get("content")
    if not isinstance(content, list):
        return (), dict(params)
    urls = [url_of(item) for item in content]
    rest = [item for item, url in zip(content, urls, strict=True) if url is None]
    return tuple(url for url in urls if url is not None), {**params, "content": rest}


def _first_frame_of(item: object) -> str | None:
    match item:
        case {"role": role} if role not in (None, FIRST_FRAME):
            return None
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return url
    return None


def _reference_of(item: object) -> str | None:
    match item:
        case {"type": "image_url", "role": "reference_image", "image_url": {"url": str(url)}}:
            return url
    return None


# ---- judging, once the step's own pictures are counted --------------------------------------------------------------


def check_pictures(*, references: bool) -> Callable[[Params, int], list[Fault]]:
    def check(params: Params, pictures: int) -> list[Fault]:
        return list(_check_pictures(params, pictures, references=references))

    return check


def _check_pictures(params: Params, pictures: int, *, references: bool) -> Iterable[Fault]:
    items = _items(params)
    roles = [item.get("role") for item in items]
    if pictures and not references and has_references(params):
        yield both_ways()
    if pictures > 1 and LAST_FRAME in roles:
        yield both_ways()
    if has_references(params) and pictures + roles.count(REFERENCE) > MOST_REFERENCES:
        yield Fault(("content",), f"must hold at most {MOST_REFERENCES} reference pictures, the step's own among them")
    if pictures:
        return
    if LAST_FRAME in roles and FIRST_FRAME not in roles:
        yield Fault(("content",), "must hold a first_frame before a last_frame")
    if REFERENCE_AUDIO in roles and REFERENCE not in roles and REFERENCE_VIDEO not in roles:
        yield Fault(("content",), "must hold a reference_image or a reference_video beside a sound: it is none alone")
    if not items:
        yield Fault(("content",), "must hold a text: there is no picture to start from")


def both_ways() -> Fault:
    return Fault(
        ("content",),
        "must hold either references or a first frame, with or without a last one: they are different ways to work",
    )


def warn_pictures(*, references: bool) -> Callable[[Params, int], list[Fault]]:
    def warn(params: Params, pictures: int) -> list[Fault]:
        if not references or not pictures or (pictures == 1 and not has_references(params)):
            return []
        message = "beside references of yours the step's own picture is the first reference, not the first frame"
        return [Fault(("content",), message)]

    return warn


FURTHER = Further(most=MOST_REFERENCES - 1, read=read_references, is_place=is_reference_place)
