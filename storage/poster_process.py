"""A process that turns one file on standard input into a small WebP on standard output.

`python -m storage.poster_process <extension>`. It binds its own hands before it looks at the file.
"""

import sys
from typing import TYPE_CHECKING, BinaryIO

from storage.decoder_limits import FORMATS, MOST_PIXELS, limit_self, open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_BYTES = 1024 * 1024
_CPU_SECONDS = 20
_MEMORY = 1 << 30
_EDGE = 480
_CONTAINERS = {"mp4": "mp4", "mov": "mov", "webm": "webm"}


def main() -> None:
    limit_self(most_bytes=_MOST_BYTES, seconds=_CPU_SECONDS, memory=_MEMORY)
    # Decoders are loaded only now, under the limits.
    extension = sys.argv[1]
    if extension in FORMATS:
        picture = open_picture(sys.stdin.buffer, extension, (_EDGE, _EDGE))
    else:
        picture = _first_frame(sys.stdin.buffer, extension)
    picture.thumbnail((_EDGE, _EDGE))
    if picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.save(sys.stdout.buffer, "WEBP", quality=80)


def _first_frame(file: BinaryIO, extension: str) -> "Image":
    import av  # noqa: PLC0415

    # One demuxer and no protocol: a playlist inside the file must not make the decoder open other files or addresses.
    with av.open(file, "r", format=_CONTAINERS[extension], options={"protocol_whitelist": "none"}) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        if stream.width * stream.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        picture: Image = next(container.decode(stream)).to_image()  # type: ignore[no-untyped-call]
    return picture


if __name__ == "__main__":
    main()
