"""Landscapes from a prompt and a seed: sky, light and clouds, then sea, mountains, forest, dunes or a city."""

import math
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from sandbox.media import brushes
from sandbox.media.palettes import Colour, Palette, mixed, palette_of, scene_of


def paint(prompt: str, random: Random, size: tuple[int, int]) -> Image.Image:
    palette = palette_of(prompt, random)
    scene = scene_of(prompt, random)
    horizon = round(size[1] * random.uniform(0.56, 0.66))
    light = (size[0] * random.uniform(0.25, 0.75), horizon - size[1] * random.uniform(0.1, 0.3))
    image = _sky(size, palette, random, horizon, light)
    _FOREGROUNDS[scene](image, palette, random, horizon, light)
    return brushes.finish(image, random)


def _sky(
    size: tuple[int, int], palette: Palette, random: Random, horizon: int, light: tuple[float, float]
) -> Image.Image:
    share = horizon / size[1]
    stops = [(0.0, palette.zenith), (share * 0.62, palette.sky), (share, palette.horizon), (1.0, palette.horizon)]
    image = brushes.gradient(size, stops)
    if palette.is_night:
        _stars(image, random, horizon)
    unit = min(size)
    weather = brushes.levels(brushes.noise((size[0], horizon), random, (2, 3), octaves=1), random.randint(70, 130), 215)
    _shade(image, palette, random, weather)
    brushes.lay(image, palette.light, brushes.glow(size, light, unit * 0.75, 0.55 if not palette.is_night else 0.28))
    brushes.lay(image, palette.light, brushes.glow(size, light, unit * 0.24, 0.85))
    radius = unit * (0.05 if palette.is_night else 0.062)
    disc = brushes.shape(
        size, lambda canvas, scale: canvas.circle((light[0] * scale, light[1] * scale), radius * scale, 255)
    )
    brushes.lay(image, mixed(palette.light, (255, 255, 255), 0.5), disc)
    _clouds(image, palette, random, weather)
    return image


def _stars(image: Image.Image, random: Random, horizon: int) -> None:
    def sprinkle(canvas: ImageDraw.ImageDraw, scale: int) -> None:
        for _ in range(image.width * image.height // 2600):
            x, y = random.uniform(0, image.width), horizon * random.random() ** 1.4
            radius = random.choice((0.45, 0.6, 0.6, 0.8, 1.3)) * image.height / 900
            canvas.circle((x * scale, y * scale), radius * scale, random.randint(90, 255))

    brushes.lay(image, (235, 240, 255), brushes.shape(image.size, sprinkle))


def _shade(image: Image.Image, palette: Palette, random: Random, weather: Image.Image) -> None:
    """The dark undersides of clouds; they belong behind the sun, which would look ill behind them."""
    shade = brushes.levels(brushes.noise(weather.size, random, (3, 8), octaves=5), 125, 215, 0.6)
    shade = ImageChops.multiply(ImageChops.multiply(shade, weather), brushes.fade(weather.size, 120, 230))
    image.paste(mixed(palette.sky, palette.far, 0.5), (0, 0), shade)


def _clouds(image: Image.Image, palette: Palette, random: Random, weather: Image.Image) -> None:
    """Long banks lit from below: noise stretched sideways, in some parts of the sky and not in others."""
    veil = brushes.levels(brushes.noise(weather.size, random, (3, 9), octaves=5), 120, 205, 0.85)
    veil = ImageChops.multiply(ImageChops.multiply(veil, weather), brushes.fade(weather.size, 120, 255))
    lit = mixed(palette.sky, palette.light, 0.25) if palette.is_night else mixed(palette.light, palette.horizon, 0.35)
    image.paste(lit, (0, 0), veil)


def _ridges(
    image: Image.Image, palette: Palette, random: Random, horizon: int, *, count: int, height: float, roughness: float
) -> list[brushes.Points]:
    """Ranges one before the other; air makes the far ones pale, and mist lies at the foot of each."""
    skylines: list[brushes.Points] = []
    for index in range(count):
        depth = index / (count - 1)
        base = horizon + image.height * (0.02 + 0.36 * depth**1.4)
        tall = image.height * height * (1.0 - 0.45 * depth)
        skyline = brushes.ridge(image.width, random, base, tall, roughness)
        colour = mixed(mixed(palette.far, palette.horizon, 0.35), palette.near, depth**0.8)
        top, foot = round(min(y for _, y in skyline)), image.height
        misty = brushes.gradient(
            (image.width, max(1, foot - top)),
            [(0.0, colour), (1.0, mixed(colour, palette.horizon, 0.55 * (1 - depth)))],
        )
        layer = Image.new("RGB", image.size)
        layer.paste(misty, (0, top))
        brushes.lay(image, layer, brushes.ground(image.size, skyline))
        skylines.append(skyline)
    return skylines


def _mountains(image: Image.Image, palette: Palette, random: Random, horizon: int, light: tuple[float, float]) -> None:
    skylines = _ridges(image, palette, random, horizon, count=5, height=0.27, roughness=0.52)
    _trees(image, palette.near, random, skylines[-1], tall=0.045, density=0.5)


def _dunes(image: Image.Image, palette: Palette, random: Random, horizon: int, light: tuple[float, float]) -> None:
    skylines = _ridges(image, palette, random, horizon, count=4, height=0.13, roughness=0.3)
    # The side towards the light shines along every crest.
    for skyline in skylines:
        crest = [(x, y + image.height * 0.03) for x, y in skyline]
        rim = ImageChops.subtract(brushes.ground(image.size, skyline), brushes.ground(image.size, crest))
        brushes.lay(
            image,
            palette.light,
            ImageChops.multiply(
                brushes.soft(rim.point(lambda x: x * 0.45), image.height / 90), brushes.ground(image.size, skyline)
            ),
        )


def _forest(image: Image.Image, palette: Palette, random: Random, horizon: int, light: tuple[float, float]) -> None:
    skylines = _ridges(image, palette, random, horizon, count=4, height=0.16, roughness=0.45)
    for index, skyline in enumerate(skylines[1:], start=1):
        depth = index / 3
        colour = mixed(mixed(palette.far, palette.horizon, 0.2), palette.near, depth**0.8)
        _trees(image, colour, random, skyline, tall=0.05 + 0.13 * depth**2, density=1.0)


def _trees(
    image: Image.Image, colour: Colour, random: Random, skyline: brushes.Points, *, tall: float, density: float
) -> None:
    def plant(canvas: ImageDraw.ImageDraw, scale: int) -> None:
        spacing = image.height * tall * 0.34 / density
        x = -spacing
        while x < image.width + spacing:
            x += spacing * random.uniform(0.4, 1.6)
            ground = skyline[min(len(skyline) - 1, max(0, round(x / image.width * (len(skyline) - 1))))][1]
            _pine(
                canvas, scale, x, ground + image.height * 0.01, image.height * tall * random.uniform(0.55, 1.1), random
            )

    brushes.lay(image, colour, brushes.shape(image.size, plant))


def _pine(canvas: ImageDraw.ImageDraw, scale: int, x: float, foot: float, tall: float, random: Random) -> None:
    tiers = 6
    for tier in range(tiers):
        top = foot - tall + tall * 0.15 * tier
        bottom = top + tall * 0.27
        reach = tall * (0.05 + 0.032 * tier) * random.uniform(0.85, 1.15)
        corners = [(x, top), (x + reach, bottom), (x - reach, bottom)]
        canvas.polygon([(a * scale, b * scale) for a, b in corners], fill=255)
    trunk = tall * 0.018
    canvas.rectangle(
        ((x - trunk) * scale, (foot - tall * 0.1) * scale, (x + trunk) * scale, (foot + tall * 0.05) * scale), fill=255
    )


def _sea(image: Image.Image, palette: Palette, random: Random, horizon: int, light: tuple[float, float]) -> None:
    width, height = image.size
    coast = brushes.ridge(width, random, horizon + 1, height * 0.09, 0.5)
    brushes.lay(image, mixed(palette.far, palette.horizon, 0.3), brushes.ground(image.size, coast))
    _water(image, palette, random, horizon)
    _glitter(image, palette, random, horizon, light[0])
    shift = -1 if light[0] > width / 2 else 1
    _boat(
        image,
        palette,
        (light[0] + shift * width * random.uniform(0.16, 0.26), horizon + height * random.uniform(0.07, 0.14)),
        height * 0.17,
    )


def _water(image: Image.Image, palette: Palette, random: Random, horizon: int) -> None:
    """The sky upside down, darker towards us and broken up by ripples that grow with nearness."""
    width, height = image.size
    depth = height - horizon
    mirrored = ImageOps.flip(image.crop((0, max(0, horizon - depth), width, horizon))).resize((width, depth))
    mirrored = mirrored.filter(ImageFilter.GaussianBlur((height / 500, height / 45)))
    deep = mixed(palette.zenith, palette.near, 0.45)
    mirrored.paste(deep, (0, 0), brushes.fade((width, depth), 70, 215))
    ripples = brushes.noise((width, depth), random, (5, 40), octaves=3)
    perspective = (1.0, 0.0, 0.0, 0.0, 0.55, depth * 0.02)
    ripples = ripples.transform((width, depth), Image.Transform.AFFINE, perspective, Image.Resampling.BICUBIC)
    mirrored.paste(mixed(palette.horizon, palette.sky, 0.4), (0, 0), brushes.levels(ripples, 135, 205, 0.5))
    mirrored.paste(deep, (0, 0), brushes.levels(ImageOps.invert(ripples), 140, 210, 0.5))
    image.paste(mirrored, (0, horizon))


def _glitter(image: Image.Image, palette: Palette, random: Random, horizon: int, x: float) -> None:
    """The path of light under the sun: short streaks, wider and sparser the nearer they are."""
    width, height = image.size

    def streaks(canvas: ImageDraw.ImageDraw, scale: int) -> None:
        for _ in range(420):
            near = random.random() ** 1.7
            y = horizon + (height - horizon) * near
            spread = width * (0.018 + 0.11 * near)
            centre = random.gauss(x, spread * 0.6)
            length = width * (0.006 + 0.03 * near) * random.uniform(0.4, 1.4)
            thick = height * (0.0007 + 0.0022 * near)
            box = ((centre - length) * scale, (y - thick) * scale, (centre + length) * scale, (y + thick) * scale)
            canvas.ellipse(box, fill=round(230 * (1 - 0.6 * near)))

    brushes.lay(image, palette.light, brushes.soft(brushes.shape(image.size, streaks), height / 1400))


def _boat(image: Image.Image, palette: Palette, place: tuple[float, float], tall: float) -> None:
    x, y = place
    hull = [(-0.42, -0.12), (0.46, -0.12), (0.3, 0.04), (-0.28, 0.04)]
    mainsail, jib = [(0.03, -0.16), (0.03, -1.0), (0.4, -0.18)], [(-0.02, -0.9), (-0.02, -0.18), (-0.36, -0.18)]

    def draw(parts: list[list[tuple[float, float]]], flip: float) -> Image.Image:
        def fill(canvas: ImageDraw.ImageDraw, scale: int) -> None:
            for part in parts:
                canvas.polygon([((x + a * tall) * scale, (y + b * tall * flip) * scale) for a, b in part], fill=255)

        return brushes.shape(image.size, fill)

    reflection = brushes.soft(draw([hull, mainsail, jib], -0.7), tall * 0.03).point(lambda v: v * 0.4)
    brushes.lay(image, palette.near, reflection)
    brushes.lay(image, mixed(palette.light, palette.horizon, 0.3), draw([mainsail], 1))
    brushes.lay(image, mixed(palette.light, palette.far, 0.45), draw([jib], 1))
    brushes.lay(image, palette.near, draw([hull], 1))


def _city(image: Image.Image, palette: Palette, random: Random, horizon: int, light: tuple[float, float]) -> None:
    """Rows of towers, their windows lit, over water that mirrors them."""
    width, height = image.size
    waterline = round(horizon + height * 0.12)
    for row in range(3):
        depth = row / 2
        colour = mixed(mixed(palette.far, palette.horizon, 0.3), mixed(palette.near, (0, 0, 0), 0.2), depth**0.7)
        towers = _towers(width, random, waterline, height * (0.4 - 0.11 * row), width * (0.045 + 0.02 * row))
        brushes.lay(image, colour, brushes.boxes(image.size, towers))
        windows = _windows(towers, random, height * (0.006 + 0.002 * row), share=0.16 + 0.16 * depth)
        lit = brushes.boxes(image.size, windows)
        brushes.lay(image, (255, 214, 140), brushes.soft(lit, height / 250))
        brushes.lay(image, (255, 226, 168), lit.point(lambda v: v * 0.9))
    _water(image, palette, random, waterline)
    _glitter(image, palette, random, waterline, light[0])


def _towers(width: int, random: Random, base: float, tall: float, broad: float) -> list[brushes.Box]:
    towers: list[brushes.Box] = []
    x = -broad
    while x < width:
        wide = broad * random.uniform(0.5, 1.3)
        crowd = math.exp(-(((x / width) - 0.5) ** 2) / 0.09)  # the centre of town is the tallest
        top = base - tall * (0.25 + 0.75 * crowd) * random.uniform(0.35, 1.0)
        towers.append((x, top, x + wide, base))
        if random.random() < 0.3:
            towers.append((x + wide * 0.42, top - tall * 0.12, x + wide * 0.46, top))
        x += wide * random.uniform(0.8, 1.15)
    return towers


def _windows(towers: list[brushes.Box], random: Random, pane: float, share: float) -> list[brushes.Box]:
    windows: list[brushes.Box] = []
    for left, top, right, bottom in towers:
        if right - left < pane * 4:
            continue
        for row in range(1, int((bottom - top) / (pane * 2.4))):
            for column in range(1, int((right - left) / (pane * 2))):
                if random.random() < share:
                    x, y = left + column * pane * 2 - pane * 0.5, top + row * pane * 2.4
                    windows.append((x, y, x + pane * 0.8, y + pane * 1.1))
    return windows


_FOREGROUNDS = {"sea": _sea, "mountains": _mountains, "forest": _forest, "dunes": _dunes, "city": _city}
