"""An edited picture: the caller's own, recognisable, in the light the new prompt asks for."""

from random import Random

from PIL import Image, ImageChops, ImageFilter, ImageOps

from sandbox.media import brushes
from sandbox.media.palettes import mixed, palette_of

_SHOWN_BESIDE = 3


def restyle(pictures: list[Image.Image], prompt: str, random: Random, size: tuple[int, int]) -> Image.Image:
    """The first picture in broad strokes and a new palette; further references hang in a row in the corner."""
    palette = palette_of(prompt, random)
    image = ImageOps.fit(pictures[0], size, Image.Resampling.BICUBIC)
    # Broad strokes come from filters that are slow on large pictures and no worse on half the size.
    half = image.reduce(2).filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.ModeFilter(5))
    strokes = ImageOps.posterize(half.resize(size, Image.Resampling.BICUBIC), 5)
    strokes = strokes.filter(ImageFilter.GaussianBlur(min(size) / 600))
    toned = ImageOps.colorize(
        ImageOps.autocontrast(ImageOps.grayscale(strokes)),
        palette.near,
        mixed(palette.light, (255, 255, 255), 0.3),
        palette.sky,
    )
    image = Image.blend(strokes, toned, 0.62)
    light = (size[0] * random.uniform(0.1, 0.9), size[1] * random.uniform(0.0, 0.2))
    image.paste(mixed(palette.horizon, palette.light, 0.4), mask=brushes.glow(size, light, max(size) * 0.9, 0.35))
    bloom = image.filter(ImageFilter.GaussianBlur(min(size) / 60))
    image = Image.blend(image, ImageChops.screen(image, bloom), 0.35)
    for place, picture in enumerate(pictures[1 : 1 + _SHOWN_BESIDE]):
        _hang(image, picture, place)
    return brushes.finish(image, random)


def _hang(image: Image.Image, picture: Image.Image, place: int) -> None:
    side = min(image.size) // 6
    margin = side // 6
    frame = ImageOps.expand(
        ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC), max(2, side // 24), (250, 248, 240)
    )
    image.paste(frame, (image.width - (place + 1) * (frame.width + margin), margin))
