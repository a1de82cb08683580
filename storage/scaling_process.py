"""A process that turns one picture on standard input into a copy that fits, on standard output.

`python -m storage.scaling_process <extension> <width> <height> <type> <most bytes> <least side> <opaque: 0 or 1>`.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from storage.decoder_limits import limit_self, open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

_CPU_SECONDS = 12
_MEMORY = 3 << 29
"""The largest picture that is stored takes 256 MB decoded, and as much again for each step of the way."""

_BEST = 95
_WORSE = (88, 78, 65)
_SMALLER = 0.8
_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


def main() -> None:
    extension, name, opaque = sys.argv[1], sys.argv[4], sys.argv[7] == "1"
    width, height, most_bytes, least_side = (int(sys.argv[place]) for place in (2, 3, 5, 6))
    limit_self(most_bytes=most_bytes, seconds=_CPU_SECONDS, memory=_MEMORY)
    picture = open_picture(sys.stdin.buffer, extension, (width, height))
    if (picture.width > picture.height) != (width > height):
        width, height = height, width  # the file says how it is to be turned, and its plain sides were measured
    profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA", "P") else None
    picture = _resized(_plain(picture, opaque=opaque), (width, height))
    for data in _attempts(picture, _NAMES[name], least_side, {"icc_profile": profile} if profile else {}):
        if len(data) <= most_bytes:
            sys.stdout.buffer.write(data)
            return
    sys.exit(1)


def _plain(picture: "Image", *, opaque: bool) -> "Image":
    """Eight bits a channel, red, green and blue, and transparency where there is any and it may stay."""
    from PIL import Image  # noqa: PLC0415

    if picture.mode.startswith("I"):
        # Sixteen bits of grey: a plain conversion would cut off at 255, and all would be white.
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if not picture.has_transparency_data:
        return _converted(picture, "RGB")
    picture = _converted(picture, "RGBA")
    if not opaque:
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def _converted(picture: "Image", mode: str) -> "Image":
    """Converting a picture to its own mode would copy it, and the largest ones barely fit into memory once."""
    return picture if picture.mode == mode else picture.convert(mode)


def _resized(picture: "Image", size: tuple[int, int]) -> "Image":
    from PIL import Image  # noqa: PLC0415

    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)


def _attempts(picture: "Image", name: str, least_side: int, more: dict[str, Any]) -> Iterator[bytes]:
    """As asked; then as a JPEG, worse and worse to a point; then smaller."""
    yield _written(picture, name, _BEST, more)
    picture = _plain(picture, opaque=True)
    for quality in _WORSE:
        yield _written(picture, "JPEG", quality, more)
    while min(picture.size) * _SMALLER >= least_side:
        picture = _resized(picture, (round(picture.width * _SMALLER), round(picture.height * _SMALLER)))
        yield _written(picture, "JPEG", _WORSE[1], more)


def _written(picture: "Image", name: str, quality: int, more: dict[str, Any]) -> bytes:
    out = BytesIO()
    picture.save(out, name, quality=quality, **more)
    return out.getvalue()


if __name__ == "__main__":
    main()
