"""A video's size, length, frame rate and sound from an ISO base media file (MP4, MOV), and whether it is whole.

ISO/IEC 14496-12: the file is a chain of boxes, each with its length and a four-letter name. Lengths come from
strangers, so every one is held against the space that is really there, and only `moov` is ever read into memory.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from storage.fields import big, malformed, read_at, truncated

_MOST_BOXES = 20_000
_MOST_MOOV = 16 * 1024 * 1024
_MOST_RUNS = 200_000


@dataclass(frozen=True)
class VideoFacts:
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    fps: float | None = None
    has_audio: bool | None = None


def read_video(file: BinaryIO, length: int) -> VideoFacts:
    """OutputInvalid unless the boxes add up to the file and there is a picture track with data."""
    boxes = dict(_file_boxes(file, length))
    if b"moov" not in boxes or b"mdat" not in boxes:
        raise truncated()
    start, end = boxes[b"moov"]
    if end - start > _MOST_MOOV:
        raise malformed("its index is too large")
    return _read_moov(memoryview(read_at(file, start, end - start)))


def _file_boxes(file: BinaryIO, length: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Name and content range of each box of the file. The last one of a name wins; names we need come once."""
    place = 0
    for _ in range(_MOST_BOXES):
        if place == length:
            return
        head = read_at(file, place, 8)
        size, content = big(head[:4]), place + 8
        if size == 1:
            size, content = big(read_at(file, content, 8)), place + 16
        elif size == 0:  # to the end of the file
            size = length - place
        if size < content - place:
            raise malformed("a box is shorter than its own head")
        if place + size > length:
            raise truncated()
        yield head[4:], (content, place + size)
        place += size
    raise malformed("it has too many boxes")


def _children(box: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    place = 0
    for _ in range(_MOST_BOXES):
        if len(box) - place < 8:
            return
        size = big(box[place : place + 4])
        if size < 8 or place + size > len(box):
            raise malformed("a box inside its index does not fit")
        yield bytes(box[place + 4 : place + 8]), box[place + 8 : place + size]
        place += size


def _find(box: memoryview, *path: bytes) -> memoryview | None:
    for name in path:
        found = next((content for key, content in _children(box) if key == name), None)
        if found is None:
            return None
        box = found
    return box


def _read_moov(moov: memoryview) -> VideoFacts:
    tracks = [content for name, content in _children(moov) if name == b"trak"]
    kinds = [_handler(track) for track in tracks]
    if b"vide" not in kinds:
        raise malformed("it has no picture track")
    video = tracks[kinds.index(b"vide")]
    width, height = _picture_size(video)
    seconds = _seconds(_find(video, b"mdia", b"mdhd")) or _seconds(_find(moov, b"mvhd"))
    return VideoFacts(
        width=width,
        height=height,
        seconds=None if seconds is None else round(seconds, 3),
        fps=_frame_rate(video),
        has_audio=b"soun" in kinds,
    )


def _handler(track: memoryview) -> bytes:
    handler = _find(track, b"mdia", b"hdlr")
    return b"" if handler is None else bytes(handler[8:12])


def _picture_size(track: memoryview) -> tuple[int, int]:
    head = _find(track, b"tkhd")
    if head is None or len(head) < 84:
        raise malformed("its picture track has no head")
    # 16.16 fixed point, the last two fields in both versions of the box.
    width, height = big(head[-8:-4]) >> 16, big(head[-4:]) >> 16
    if not (width and height):
        raise malformed("its picture has no size")
    return width, height


def _clock(head: memoryview | None) -> tuple[int, int] | None:
    """Ticks per second and length in ticks, from `mvhd` or `mdhd`."""
    if head is None:
        return None
    try:
        if head[0] == 1:
            scale, ticks = struct.unpack_from(">IQ", head, 20)
            unknown = 2**64 - 1
        else:
            scale, ticks = struct.unpack_from(">II", head, 12)
            unknown = 2**32 - 1
    except (struct.error, IndexError) as error:
        raise malformed("its clock is cut short") from error
    return (scale, ticks) if scale and ticks and ticks != unknown else None


def _seconds(head: memoryview | None) -> float | None:
    clock = _clock(head)
    return None if clock is None else clock[1] / clock[0]


def _frame_rate(track: memoryview) -> float | None:
    """Frames in the sample table over the track's own time; fragmented files have an empty table: None."""
    clock = _clock(_find(track, b"mdia", b"mdhd"))
    table = _find(track, b"mdia", b"minf", b"stbl", b"stts")
    if clock is None or table is None:
        return None
    runs = min(big(table[4:8]), (len(table) - 8) // 8, _MOST_RUNS)
    frames = sum(count for count, _ in struct.iter_unpack(">II", table[8 : 8 + runs * 8])) if runs > 0 else 0
    return round(frames * clock[0] / clock[1], 3) if frames else None
