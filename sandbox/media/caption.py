"""Small print on pictures: the prompt, so that one knows which is which, and a provider's watermark."""

import textwrap

from PIL import Image, ImageDraw, ImageFont

_SMALLEST = 11


def write(image: Image.Image, text: str) -> None:
    """The prompt in the lower left corner, one or two lines."""
    width, height = image.size
    size = _text_size(image)
    lines = textwrap.wrap(" ".join(text.split()), width=max(16, round(width * 0.72 / (size * 0.52))))[:2]
    if lines and len(" ".join(lines)) < len(" ".join(text.split())):
        lines[-1] = lines[-1].rstrip(" .,;") + "…"
    _shadowed(image, (round(size * 1.3), height - round(size * (1.3 + 1.35 * len(lines)))), "\n".join(lines), size)


def mark(image: Image.Image) -> None:
    """The lower right corner, as providers do it."""
    size = _text_size(image)
    text = "AI generated"
    width = round(ImageFont.load_default(size).getlength(text))
    place = (image.width - width - round(size * 1.3), image.height - round(size * 2.65))
    _shadowed(image, place, text, size)


def _text_size(image: Image.Image) -> int:
    return max(_SMALLEST, round(min(image.size) * 0.019))


def _shadowed(image: Image.Image, place: tuple[int, int], text: str, size: int) -> None:
    draw = ImageDraw.Draw(image, "RGBA")
    font = ImageFont.load_default(size)
    shift = max(1, size // 14)
    draw.multiline_text((place[0] + shift, place[1] + shift), text, (0, 0, 0, 120), font, spacing=size * 0.35)
    draw.multiline_text(place, text, (255, 255, 255, 215), font, spacing=size * 0.35)
