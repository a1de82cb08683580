"""Real media files of every type that is stored, small, made once."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from fractions import Fraction
from functools import cache

import av
from PIL import Image

WIDTH, HEIGHT = 66, 48

PICTURES = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tiff": "TIFF"}
VIDEOS = {"mp4": "mpeg4", "mov": "mpeg4", "webm": "libvpx"}
EVERY_EXTENSION = [*PICTURES, *VIDEOS]


@cache
def sample(extension: str) -> bytes:
    return picture(PICTURES[extension]) if extension in PICTURES else video(extension)


def picture(form: str, size: tuple[int, int] = (WIDTH, HEIGHT), **options: object) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, form, **options)
    return out.getvalue()


@cache
def video(container: str = "mp4", *, sound: bool = False, fragmented: bool = False) -> bytes:
    """One second, 24 pictures."""
    out = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov"} if fragmented else {}
    with av.open(out, "w", format=container, options=options) as file:
        pictures = file.add_stream(VIDEOS[container], rate=24)
        assert isinstance(pictures, av.VideoStream)
        pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # Streams are declared before the first packet is written.
        tones = file.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for index in range(24):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([index * 10]) * plane.buffer_size)
            frame.pts, frame.time_base = index, Fraction(1, 24)
            file.mux(pictures.encode(frame))
        file.mux(pictures.encode(None))
        if isinstance(tones, av.AudioStream):
            file.mux(tones.encode(_silence()))
            file.mux(tones.encode(None))
    return out.getvalue()


def _silence() -> av.AudioFrame:
    frame = av.AudioFrame("fltp", "mono", 1024)
    frame.sample_rate, frame.pts = 48_000, 0
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


def png(width: int, height: int) -> bytes:
    """A well-formed PNG of any promised size with next to no pixel data."""

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", pixels) + part(b"IEND", b"")


def box(name: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(content) if size is None else size) + name + content


async def in_chunks(data: bytes, length: int = 65_536) -> AsyncIterator[bytes]:
    for place in range(0, len(data), length):
        yield data[place : place + length]
