"""Read a picture or a video back from disk, all of it, and say what it is."""

from pathlib import Path

from PIL import Image


def describe_picture(file: Path) -> str:
    with Image.open(file) as picture:
        # Decodes every pixel: a cut-off file fails here.
        picture.load()
        return f"{picture.format} {picture.width}×{picture.height}, {_size(file)}"


def describe_video(file: Path) -> str:
    try:
        import av  # noqa: PLC0415 - an optional package
    except ImportError:
        return f"{_size(file)} (install PyAV to have its length checked)"
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        seconds = frames / float(stream.average_rate or 1)
        shape = f"{stream.codec_context.name} {stream.width}×{stream.height}"
        return f"{shape}, {frames} frames, {seconds:.1f} s, {_size(file)}"


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 1024:,.0f} KiB"
