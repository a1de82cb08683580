"""Pillow pictures to files: JPEG, PNG and WebP, and H.264 in an MP4 that a browser can play while it loads."""

import io
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from sandbox.media.orders import Format, Medium

FRAME_RATE = 24
SOUND_RATE = 24_000
_SAMPLES_PER_FRAME = 1024  # what AAC encodes at a time


def picture(image: Image.Image, format: Format) -> Medium:
    file = io.BytesIO()
    options = {"jpeg": {"quality": 90}, "png": {"compress_level": 4}, "webp": {"quality": 88, "method": 2}}[format]
    image.save(file, format, **options)
    return Medium(file.getvalue(), f"image/{format}", *image.size)


def film(frames: Iterable[Image.Image], size: tuple[int, int], samples: bytes | None, rate: int = FRAME_RATE) -> Medium:
    """`samples`: mono, 16 bit. Goes through a file, since `faststart` reads back what was written to move the index."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        with av.open(str(path), "w", format="mp4", options=options) as container:
            # One thread: two are quicker alone, but there are other films to make, and the bytes stay the same.
            settings = {"preset": "superfast", "crf": "24", "threads": "1"}
            video = container.add_stream("libx264", rate=rate, options=settings)
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
            video.time_base = Fraction(1, rate)
            audio = container.add_stream("aac", rate=SOUND_RATE, layout="mono") if samples is not None else None
            for index, image in enumerate(frames):
                frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
                frame.pts = index
                container.mux(video.encode(frame))
            container.mux(video.encode())
            if audio is not None and samples is not None:
                for frame in _sound_frames(samples):
                    container.mux(audio.encode(frame))
                container.mux(audio.encode())
        return Medium(path.read_bytes(), "video/mp4", *size)


def _sound_frames(samples: bytes) -> Iterable[av.AudioFrame]:
    step = 2 * _SAMPLES_PER_FRAME
    for start in range(0, len(samples), step):
        chunk = samples[start : start + step]
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(chunk) // 2)
        frame.planes[0].update(chunk)
        frame.sample_rate = SOUND_RATE
        frame.pts = start // 2
        frame.time_base = Fraction(1, SOUND_RATE)
        yield frame
