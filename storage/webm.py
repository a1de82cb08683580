"""Whether a WebM file is whole. Its size and length are not read: no provider we know answers with WebM."""

from typing import BinaryIO

from storage.fields import big, malformed, read_at, truncated

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


def check_webm(file: BinaryIO, length: int) -> None:
    """EBML (RFC 8794): one header, then one segment that reaches to the end of the file."""
    segment = _after_element(file, 0, _EBML)
    if segment is None or segment >= length:
        raise truncated()
    end = _after_element(file, segment, _SEGMENT)
    if end is not None and end > length:
        raise truncated()
    if end is not None and end < length:
        raise malformed("bytes follow the end of the WebM")


def _after_element(file: BinaryIO, place: int, name: bytes) -> int | None:
    """The place after an element, or None when it was streamed and its length was left open."""
    if read_at(file, place, 4) != name:
        raise malformed("a WebM element is missing")
    first = read_at(file, place + 4, 1)[0]
    width = 9 - first.bit_length()
    if width > 8:
        raise malformed("a WebM length is wrong")
    # The leading one bit tells how many bytes the length has; all other bits set means unknown.
    mask = (1 << 7 * width) - 1
    value = big(read_at(file, place + 4, width)) & mask
    return None if value == mask else place + 4 + width + value
