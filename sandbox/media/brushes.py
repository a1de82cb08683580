"""Painting tools over Pillow: gradients, noise, ridges, soft-edged shapes. No numpy, so it is all whole-image work."""

import itertools
import math
from collections.abc import Callable, Sequence
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from sandbox.media.palettes import Colour, mixed

_FINE = 2  # shapes are drawn this much larger and reduced, because Pillow's polygons have hard edges

Size = tuple[int, int]
Box = tuple[float, float, float, float]
Points = Sequence[tuple[float, float]]


def gradient(size: Size, stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """Top to bottom through the colours; positions run from 0 to 1."""
    column = Image.new("RGB", (1, 512))
    for row in range(512):
        place = row / 511
        below = next((index for index, stop in enumerate(stops) if stop[0] >= place), len(stops) - 1)
        start, end = stops[max(0, below - 1)], stops[below]
        span = end[0] - start[0]
        column.putpixel((0, row), mixed(start[1], end[1], (place - start[0]) / span if span else 0))
    return column.resize(size, Image.Resampling.BICUBIC)


def fade(size: Size, top: int, bottom: int) -> Image.Image:
    """A mask running evenly from one strength to another."""
    return Image.linear_gradient("L").point([round(top + (bottom - top) * x / 255) for x in range(256)]).resize(size)


def glow(size: Size, centre: tuple[float, float], radius: float, strength: float) -> Image.Image:
    """A mask: bright in the centre, falling off softly and, unlike a plain radial gradient, without a visible rim."""
    side = max(2, round(radius * 2))
    disc = Image.radial_gradient("L").resize((256, 256)).point([_falloff(x, strength) for x in range(256)])
    mask = Image.new("L", size)
    mask.paste(
        disc.resize((side, side), Image.Resampling.BICUBIC), (round(centre[0] - radius), round(centre[1] - radius))
    )
    return mask


def _falloff(distance: int, strength: float) -> int:
    # Pillow's radial gradient reaches 255 in the corners; the inscribed circle ends at about 181.
    return round(255 * strength * math.pow(max(0.0, 1 - distance / 180), 2.2))


def noise(size: Size, random: Random, cells: Size, octaves: int = 4) -> Image.Image:
    """Fractal noise: random cells blown up smoothly, each octave finer and fainter than the last."""
    total: Image.Image | None = None
    for octave in range(octaves):
        columns, rows = cells[0] << octave, cells[1] << octave
        layer = Image.frombytes("L", (columns, rows), random.randbytes(columns * rows)).resize(
            size, Image.Resampling.BICUBIC
        )
        total = layer if total is None else Image.blend(total, layer, 1 / (2 ** (octave + 1) - 1))
    if total is None:
        raise ValueError("noise needs at least one octave")
    return total


def levels(mask: Image.Image, low: int, high: int, strength: float = 1.0) -> Image.Image:
    """Below `low` nothing, above `high` everything (times strength)."""
    return mask.point([round(255 * strength * min(1.0, max(0.0, (x - low) / (high - low)))) for x in range(256)])


def ridge(width: int, random: Random, base: float, height: float, roughness: float) -> list[tuple[float, float]]:
    """A skyline from left to right by midpoint displacement; small roughness gives dunes, large gives peaks."""
    heights = [random.random(), random.random(), random.random()]
    spread = 0.5
    while len(heights) < 260:
        finer = [heights[0]]
        for left, right in itertools.pairwise(heights):
            finer += [(left + right) / 2 + (random.random() - 0.5) * spread, right]
        heights = finer
        spread *= roughness
    low, high = min(heights), max(heights)
    step = width / (len(heights) - 1)
    return [(index * step, base - height * (value - low) / (high - low)) for index, value in enumerate(heights)]


def shape(size: Size, draw: Callable[[ImageDraw.ImageDraw, int], None]) -> Image.Image:
    """A mask drawn by `draw(canvas, scale)` with smooth edges."""
    large = Image.new("L", (size[0] * _FINE, size[1] * _FINE))
    draw(ImageDraw.Draw(large), _FINE)
    return large.reduce(_FINE)


def boxes(size: Size, boxes: Sequence[Box]) -> Image.Image:
    """A mask of filled rectangles."""

    def fill(canvas: ImageDraw.ImageDraw, scale: int) -> None:
        for box in boxes:
            left, top, right, bottom = (edge * scale for edge in box)
            canvas.rectangle((left, top, right, bottom), fill=255)

    return shape(size, fill)


def ground(size: Size, skyline: Points) -> Image.Image:
    """A mask of everything below a skyline."""

    def fill(canvas: ImageDraw.ImageDraw, scale: int) -> None:
        outline = [(x * scale, y * scale) for x, y in skyline]
        canvas.polygon([(0, size[1] * scale), *outline, (size[0] * scale, size[1] * scale)], fill=255)

    return shape(size, fill)


def lay(image: Image.Image, colour: Colour | Image.Image, mask: Image.Image) -> None:
    image.paste(colour, (0, 0), mask) if isinstance(colour, Image.Image) else image.paste(colour, mask=mask)


def finish(image: Image.Image, random: Random) -> Image.Image:
    """Darker corners and a little grain: the grain also breaks up the bands of long gradients."""
    width, height = image.size
    vignette = Image.radial_gradient("L").point([round(max(0, x - 110) * 0.5) for x in range(256)]).resize(image.size)
    image.paste((8, 6, 18), mask=vignette)
    quarter = (width // 2 + 1, height // 2 + 1)
    grain = Image.frombytes("L", quarter, random.randbytes(quarter[0] * quarter[1])).resize(image.size)
    grain = grain.point([round(128 + (x - 128) * 0.035) for x in range(256)])
    return ImageChops.add(image, Image.merge("RGB", (grain, grain, grain)), offset=-128)


def soft(mask: Image.Image, radius: float) -> Image.Image:
    return mask.filter(ImageFilter.GaussianBlur(radius))
