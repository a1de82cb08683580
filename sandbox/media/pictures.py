"""A picture on order: a painted scene, or the caller's own picture seen anew; with its caption."""

import io
from random import Random

from PIL import Image

from sandbox.media import caption, encoding, restyle, scenes
from sandbox.media.orders import Medium, PictureOrder

_LONGEST_PAINTED = 1536  # a larger picture is painted at this size and enlarged: the eye hardly sees it, the clock does


def draw(order: PictureOrder) -> Medium:
    return encoding.picture(compose(order), order.format)


def compose(order: PictureOrder) -> Image.Image:
    random = Random(f"{order.prompt}\n{order.seed}")  # noqa: S311 - the same order must be the same picture
    size = (order.width, order.height)
    scale = min(1.0, _LONGEST_PAINTED / max(size))
    painted = (max(64, round(order.width * scale)), max(64, round(order.height * scale)))
    if order.references:
        opened = [opened_picture(data) for data in order.references]
        image = restyle.restyle(opened, order.prompt, random, painted)
    else:
        image = scenes.paint(order.prompt, random, painted)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    caption.write(image, order.prompt)
    if order.watermark:
        caption.mark(image)
    return image


def opened_picture(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.convert("RGB")
