"""Width and height of a picture, and whether the file is whole: from its structure, without decoding a pixel.

A decoder is the most attacked code there is, so none runs in the process that holds the keys. Each reader walks its
format from the first byte to the last. Bytes after the end are refused: that is where a second file hides.
"""

import zlib
from collections.abc import Callable
from typing import BinaryIO

from storage.fields import big, little, malformed, read_at, truncated
from storage.media_types import invalid

MOST_PIXELS = 64_000_000

# Bounds the walk through a file made of nothing but tiny parts; a 50 MB GIF has 200,000.
_MOST_PARTS = 200_000

Size = tuple[int, int]


def read_picture(extension: str, file: BinaryIO, length: int) -> Size:
    """Width and height. OutputInvalid for a file that is cut short, damaged, or too large to ever be decoded."""
    width, height = _READERS[extension](file, length)
    if width < 1 or height < 1:
        raise malformed("it has no pixels")
    if width * height > MOST_PIXELS:
        raise invalid("too_many_pixels", f"The picture has {width} x {height} pixels; {MOST_PIXELS} are allowed.")
    return width, height


def _read_jpeg(file: BinaryIO, length: int) -> Size:
    place, size = 2, None
    for _ in range(_MOST_PARTS):
        marker = read_at(file, place, 2)
        if marker[0] != 0xFF:
            raise malformed("a JPEG marker is missing")
        code = marker[1]
        if code == 0xFF:  # padding before a marker
            place += 1
            continue
        part = big(read_at(file, place + 2, 2))
        if part < 2:
            raise malformed("a JPEG segment is too short")
        if code in range(0xC0, 0xD0) and code not in (0xC4, 0xC8, 0xCC):
            frame = read_at(file, place + 5, 4)
            size = big(frame[2:]), big(frame[:2])
        if code == 0xDA:
            break
        place += 2 + part
    # Pixel data runs from here to the end mark. Some cameras pad the file with zeros.
    if size is None:
        raise malformed("the JPEG names no size")
    tail = read_at(file, max(length - 64, place), length - max(length - 64, place))
    if not tail.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise truncated()
    return size


def _read_png(file: BinaryIO, length: int) -> Size:
    first = read_at(file, 8, 25)
    if first[:8] != b"\0\0\0\x0dIHDR" or zlib.crc32(first[4:21]) != big(first[21:]):
        raise malformed("the PNG header is wrong")
    place, has_pixels = 33, False
    for _ in range(_MOST_PARTS):
        part = read_at(file, place, 8)
        place += 12 + big(part[:4])
        if place > length:
            raise truncated()
        has_pixels = has_pixels or part[4:] == b"IDAT"
        if part[4:] == b"IEND":
            if place != length or not has_pixels:
                raise malformed("the PNG does not end where it should")
            return big(first[8:12]), big(first[12:16])
    raise malformed("the PNG has too many parts")


def has_alpha(png: bytes) -> bool:
    """Whether a whole PNG has an alpha channel, or names a colour that is transparent."""
    place = 8
    while png[place + 4 : place + 8] not in (b"IDAT", b"tRNS", b""):
        place += 12 + big(png[place : place + 4])
    return png[25] in (4, 6) or png[place + 4 : place + 8] == b"tRNS"


def _read_webp(file: BinaryIO, length: int) -> Size:
    promised = little(read_at(file, 4, 4)) + 8
    if promised > length:
        raise truncated()
    if length > promised + promised % 2:
        raise malformed("bytes follow the end of the WebP")
    head = read_at(file, 12, 18)
    if 20 + little(head[4:8]) > length:
        raise truncated()
    match head[:4]:
        case b"VP8X":
            return 1 + little(head[12:15]), 1 + little(head[15:18])
        case b"VP8L" if head[8] == 0x2F:
            bits = little(head[9:13])
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 " if head[11:14] == b"\x9d\x01\x2a":
            return little(head[14:16]) & 0x3FFF, little(head[16:18]) & 0x3FFF
    raise malformed("the WebP has no picture")


def _read_gif(file: BinaryIO, length: int) -> Size:
    head = read_at(file, 6, 7)
    place = 13 + _colour_table(head[4])
    has_picture = is_in_blocks = False
    for _ in range(_MOST_PARTS):
        part = read_at(file, place, 1)[0]
        if is_in_blocks:  # a chain of blocks of at most 255 bytes each; an empty one ends it
            place += 1 + part
            is_in_blocks = part != 0
        elif part == 0x21:
            place += 2
            is_in_blocks = True
        elif part == 0x2C:
            place += 11 + _colour_table(read_at(file, place + 9, 1)[0])
            has_picture = is_in_blocks = True
        elif part == 0x3B and has_picture and place + 1 == length:
            return little(head[:2]), little(head[2:4])
        else:
            raise malformed("the GIF does not end where it should")
    raise malformed("the GIF has too many parts")


def _colour_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _read_bmp(file: BinaryIO, length: int) -> Size:
    head = read_at(file, 0, 30)
    promised, pixels, kind = little(head[2:6]), little(head[10:14]), little(head[14:18])
    if kind < 40:
        raise malformed("the BMP is of an old kind")
    width = int.from_bytes(head[18:22], "little", signed=True)
    height = abs(int.from_bytes(head[22:26], "little", signed=True))  # negative: rows from top to bottom
    row = (width * little(head[28:30]) + 31) // 32 * 4
    is_plain = little(read_at(file, 30, 4)) in (0, 3)
    if promised > length or pixels >= length or (is_plain and pixels + row * height > length):
        raise truncated()
    return width, height


_TIFF_SIZES = {3: 2, 4: 4}
_TIFF_MOST_STRIPS = 65_536


def _read_tiff(file: BinaryIO, length: int) -> Size:
    number = little if read_at(file, 0, 2) == b"II" else big
    directory = number(read_at(file, 4, 4))
    tags: dict[int, tuple[int, ...]] = {}
    for index in range(number(read_at(file, directory, 2))):
        entry = read_at(file, directory + 2 + 12 * index, 12)
        tag, kind, count = number(entry[:2]), number(entry[2:4]), number(entry[4:8])
        # Width, height, and where strips (273, 279) or tiles (324, 325) lie.
        if tag in (256, 257, 273, 279, 324, 325) and kind in _TIFF_SIZES:
            if count > _TIFF_MOST_STRIPS:
                raise malformed("the TIFF has too many parts")
            one = _TIFF_SIZES[kind]
            data = entry[8:] if one * count <= 4 else read_at(file, number(entry[8:]), one * count)
            tags[tag] = tuple(number(data[place : place + one]) for place in range(0, one * count, one))
    offsets, lengths = tags.get(273, tags.get(324, ())), tags.get(279, tags.get(325, ()))
    if not (tags.get(256) and tags.get(257) and offsets and len(offsets) == len(lengths)):
        raise malformed("the TIFF has no picture")
    if any(offset + part > length for offset, part in zip(offsets, lengths, strict=True)):
        raise truncated()
    return tags[256][0], tags[257][0]


_READERS: dict[str, Callable[[BinaryIO, int], Size]] = {
    "jpg": _read_jpeg,
    "png": _read_png,
    "webp": _read_webp,
    "gif": _read_gif,
    "bmp": _read_bmp,
    "tiff": _read_tiff,
}
