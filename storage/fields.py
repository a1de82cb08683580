"""Reading numbers and pieces out of a file that may be cut short or may lie about its lengths."""

from typing import BinaryIO

from domain.errors import OutputInvalid
from storage.media_types import invalid


def truncated() -> OutputInvalid:
    return invalid("truncated", "The file is cut short.")


def malformed(what: str) -> OutputInvalid:
    return invalid("malformed", f"The file is damaged: {what}.")


def read_at(file: BinaryIO, place: int, length: int) -> bytes:
    """Exactly `length` bytes. Callers ask for small, fixed lengths, never for one that the file names."""
    file.seek(place)
    found = file.read(length)
    if len(found) < length:
        raise truncated()
    return found


def big(data: bytes | memoryview) -> int:
    return int.from_bytes(data, "big")


def little(data: bytes) -> int:
    return int.from_bytes(data, "little")
