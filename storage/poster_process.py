"""A process that turns one file on standard input into a small WebP on standard output.

`python -m storage.poster_process <extension>`. It binds its own hands before it looks at the file.
"""

import resource
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_PIXELS = 64_000_000
_MOST_BYTES = 1024 * 1024
_EDGE = 480
_FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tiff": "TIFF"}
_CONTAINERS = {"mp4": "mp4", "mov": "mov", "webm": "webm"}


def main() -> None:
    _limit_self()
    # Decoders are loaded only now, under the limits.
    extension = sys.argv[1]
    open_it = _open_picture if extension in _FORMATS else _first_frame
    picture = open_it(sys.stdin.buffer, extension)
    picture.thumbnail((_EDGE, _EDGE))
    if picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.save(sys.stdout.buffer, "WEBP", quality=80)


def _limit_self() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_BYTES, _MOST_BYTES))
    with suppress(ValueError, OSError):  # macOS knows the name and refuses the limit
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


def _open_picture(file: BinaryIO, extension: str) -> "Image":
    from PIL import Image, ImageOps  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    picture = Image.open(file, formats=[_FORMATS[extension]])
    picture.draft("RGB", (_EDGE, _EDGE))  # lets JPEG decode at a fraction of its size
    return ImageOps.exif_transpose(picture)


def _first_frame(file: BinaryIO, extension: str) -> "Image":
    import av  # noqa: PLC0415

    # One demuxer and no protocol: a playlist inside the file must not make the decoder open other files or addresses.
    with av.open(file, "r", format=_CONTAINERS[extension], options={"protocol_whitelist": "none"}) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        if stream.width * stream.height > _MOST_PIXELS:
            raise ValueError("too many pixels")
        picture: Image = next(container.decode(stream)).to_image()  # type: ignore[no-untyped-call]
    return picture


if __name__ == "__main__":
    main()
