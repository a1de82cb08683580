"""How a decoding process binds its own hands, and opens a picture: the part that both of them share."""

import resource
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 64_000_000
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tiff": "TIFF"}


def limit_self(*, most_bytes: int, seconds: int, memory: int) -> None:
    """Before the file is looked at, and before a decoder is loaded."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    with suppress(ValueError, OSError):  # macOS knows the name and refuses the limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def open_picture(file: BinaryIO, extension: str, size: tuple[int, int]) -> "Image":
    """The right way up. `size` lets JPEG decode at a fraction of its own, not below this."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    picture = Image.open(file, formats=[FORMATS[extension]])
    picture.draft("RGB", size)
    ImageOps.exif_transpose(picture, in_place=True)  # a copy of what needs no turning would take as much memory again
    return picture
