"""Colours and subjects: which scene a prompt asks for, and in which light."""

from dataclasses import dataclass
from random import Random

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    zenith: Colour
    sky: Colour
    horizon: Colour
    light: Colour  # sun or moon
    far: Colour
    near: Colour
    is_night: bool = False


_PALETTES = {
    "dawn": Palette((58, 76, 132), (204, 138, 158), (255, 214, 170), (255, 240, 208), (150, 120, 152), (38, 38, 66)),
    "day": Palette((38, 112, 188), (122, 184, 228), (226, 240, 240), (255, 252, 232), (128, 164, 188), (24, 62, 66)),
    "gold": Palette((66, 80, 118), (232, 164, 96), (255, 222, 150), (255, 244, 204), (188, 132, 98), (58, 34, 34)),
    "dusk": Palette((24, 24, 70), (148, 66, 122), (255, 152, 98), (255, 214, 150), (104, 56, 104), (22, 16, 40)),
    "rose": Palette((74, 92, 156), (236, 164, 178), (255, 228, 214), (255, 246, 228), (162, 128, 164), (52, 40, 72)),
    "mist": Palette((96, 126, 140), (168, 192, 194), (232, 236, 224), (255, 250, 232), (138, 162, 162), (30, 52, 56)),
    "night": Palette(
        (6, 10, 32), (20, 38, 82), (72, 98, 142), (246, 244, 226), (36, 54, 96), (6, 9, 22), is_night=True
    ),
    "aurora": Palette(
        (4, 10, 30), (14, 54, 74), (60, 142, 130), (240, 248, 230), (24, 66, 80), (5, 11, 20), is_night=True
    ),
}
_LIGHTS = {
    "night": ("night", "moon", "star", "midnight", "cosmic", "space", "galaxy", "dark", "neon", "cyberpunk"),
    "aurora": ("aurora", "northern", "arctic", "ice"),
    "dusk": ("dusk", "sunset", "evening", "rain", "rainy"),
    "dawn": ("dawn", "sunrise", "morning"),
    "gold": ("gold", "golden", "warm", "desert", "autumn", "sand", "dune", "dunes"),
    "mist": ("mist", "misty", "fog", "foggy", "snow", "winter", "storm"),
    "day": ("day", "sunny", "blue", "noon", "summer", "bright"),
    "rose": ("pink", "rose", "spring", "blossom", "cherry"),
}
_SCENES = {
    "sea": (
        "sea",
        "ocean",
        "boat",
        "ship",
        "sail",
        "lake",
        "beach",
        "wave",
        "waves",
        "harbour",
        "harbor",
        "lighthouse",
        "water",
        "river",
        "island",
        "coast",
    ),
    "city": (
        "city",
        "street",
        "skyline",
        "town",
        "lamp",
        "tokyo",
        "neon",
        "building",
        "cyberpunk",
        "car",
        "robot",
        "office",
        "cafe",
    ),
    "forest": ("forest", "tree", "trees", "wood", "fox", "deer", "jungle", "cabin", "bear", "garden", "owl"),
    "dunes": ("desert", "dune", "dunes", "sand", "camel", "mars", "canyon"),
    "mountains": ("mountain", "mountains", "valley", "hill", "hills", "peak", "alps", "castle", "dragon", "snow"),
}


def scene_of(prompt: str, random: Random) -> str:
    return _asked(prompt, _SCENES) or random.choice(("sea", "sea", "mountains", "mountains", "forest", "dunes", "city"))


def palette_of(prompt: str, random: Random) -> Palette:
    return _PALETTES[_asked(prompt, _LIGHTS) or random.choice(tuple(_PALETTES))]


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other colour, the rest of the one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _asked(prompt: str, table: dict[str, tuple[str, ...]]) -> str | None:
    words = ["".join(letter for letter in word if letter.isalpha()) for word in prompt.lower().split()]
    for word in words:
        for name, known in table.items():
            if word in known:
                return name
    return None
