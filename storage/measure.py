"""From the bytes of a file to what is known of it."""

from typing import BinaryIO

from domain.media import AssetFacts, MediaKind
from storage.media_types import HEAD_BYTES, invalid, sniff
from storage.mp4 import VideoFacts, read_video
from storage.pictures import read_picture
from storage.webm import check_webm


def measure(file: BinaryIO, length: int, sha256: str, kinds: frozenset[MediaKind]) -> AssetFacts:
    """OutputInvalid, with `facts["reason"]`, unless the file is whole media of one of the kinds."""
    file.seek(0)
    media = sniff(file.read(HEAD_BYTES))
    if media.kind not in kinds:
        wanted = " or ".join(sorted(kinds))
        raise invalid("wrong_kind", f"The file is {media.name}, and {wanted} was expected.")
    if media.kind is MediaKind.IMAGE:
        width, height = read_picture(media.extension, file, length)
        video = VideoFacts(width=width, height=height)
    elif media.extension == "webm":
        check_webm(file, length)
        video = VideoFacts()
    else:
        video = read_video(file, length)
    return AssetFacts(
        id=f"{sha256}.{media.extension}",
        sha256=sha256,
        bytes=length,
        type=media.name,
        width=video.width,
        height=video.height,
        seconds=video.seconds,
        fps=video.fps,
        has_audio=video.has_audio,
    )
