"""What counts as media, told by the first bytes. Whatever is not in this table is not stored: no SVG, no HTML."""

from dataclasses import dataclass

from domain.errors import OutputInvalid
from domain.media import MediaKind


@dataclass(frozen=True)
class MediaType:
    extension: str
    name: str
    kind: MediaKind


_TYPES = {
    extension: MediaType(extension, name, MediaKind(name.partition("/")[0]))
    for extension, name in {
        "jpg": "image/jpeg",
        "png": "image/png",
        "webp": "image/webp",
        "gif": "image/gif",
        "bmp": "image/bmp",
        "tiff": "image/tiff",
        "mp4": "video/mp4",
        "mov": "video/quicktime",
        "webm": "video/webm",
    }.items()
}

# HEIF and AVIF pictures and audio books are ISO base media files too; these brands are the ones that mean video.
_MP4_BRANDS = frozenset(
    {b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9"}
    | {b"mp41", b"mp42", b"avc1", b"av01", b"hvc1", b"dash", b"M4V ", b"M4VH", b"M4VP", b"MSNV", b"f4v ", b"3gp5"}
)
_STILL_OR_SOUND_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"M4A ", b"M4B "})

HEAD_BYTES = 4096


def invalid(reason: str, message: str) -> OutputInvalid:
    """Every refusal of a file names its reason; none repeats the file's content."""
    return OutputInvalid(message, facts={"reason": reason})


def sniff(head: bytes) -> MediaType:
    """The type that the first `HEAD_BYTES` show, whatever a header or a name promised."""
    extension = _extension(head)
    if extension is not None:
        return _TYPES[extension]
    if not head:
        raise invalid("empty", "The file is empty.")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        raise invalid("html", "The file is a web page, not media.")
    if start.startswith((b"<?xml", b"<svg", b"<!--")):
        raise invalid("markup", "The file is markup (XML or SVG), not media.")
    raise invalid("not_media", "The file is no image or video type that is accepted.")


def _extension(head: bytes) -> str | None:
    for signature, extension in (
        (b"\xff\xd8\xff", "jpg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
        (b"II*\0", "tiff"),
        (b"MM\0*", "tiff"),
    ):
        if head.startswith(signature):
            return extension
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "bmp"
    if head[4:8] == b"ftyp":
        return _iso_extension(head)
    if head[:4] == b"\x1a\x45\xdf\xa3" and b"\x42\x82\x84webm" in head[:64]:
        return "webm"
    return None


def _iso_extension(head: bytes) -> str | None:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {major, *(head[place : place + 4] for place in range(16, end - 3, 4))}
    if major == b"qt  ":
        return "mov"
    if major in _STILL_OR_SOUND_BRANDS or not brands & _MP4_BRANDS:
        return None
    return "mp4"
