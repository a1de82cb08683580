"""What each Seedream and Seedance model takes: the tables of the API reference."""

import math
from dataclasses import dataclass, replace

Size = tuple[int, int]

_RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
_2K = (
    (2048, 2048),
    (2304, 1728),
    (1728, 2304),
    (2496, 1664),
    (1664, 2496),
    (2848, 1600),
    (1600, 2848),
    (3136, 1344),
    (1344, 3136),
)


@dataclass(frozen=True)
class ImageModel:
    presets: tuple[str, ...]
    pixels: tuple[int, int]
    references: int = 14
    streams: bool = True
    has_output_format: bool = False
    is_3: bool = False  # the only ones with `seed` and `guidance_scale`
    has_fast_mode: bool = False


_PRO = ImageModel(("1K", "2K"), (921_600, 4_624_220), references=10, streams=False, has_output_format=True)
_LITE = ImageModel(("2K", "3K", "4K"), (3_686_400, 16_777_216), has_output_format=True)
_THREE = ImageModel((), (512 * 512, 2048 * 2048), references=1, streams=False, is_3=True)

IMAGE_MODELS = {
    "seedream-4-0-250828": ImageModel(("1K", "2K", "4K"), (921_600, 16_777_216), has_fast_mode=True),
    "seedream-4-5-251128": ImageModel(("2K", "4K"), (3_686_400, 16_777_216)),
    "seedream-5-0-260128": _LITE,
    "seedream-5-0-lite-260128": _LITE,
    "dola-seedream-5-0-pro-260628": _PRO,
    "dola-seedream-5-0-flash-260915": _PRO,
    "seedream-3-0-t2i-250415": _THREE,
    "seededit-3-0-i2i-250628": _THREE,
}


@dataclass(frozen=True)
class VideoModel:
    durations: tuple[int, int]
    resolutions: tuple[str, ...] = ("480p", "720p", "1080p")
    default_resolution: str = "720p"
    text_ratio: str = "adaptive"  # the default when there is no picture
    takes_text_only: bool = True
    takes_pictures: bool = True
    takes_last_frame: bool = True
    references: int = 0
    takes_clips: bool = False  # reference videos and sounds
    decides_duration: bool = False  # takes -1
    has_sound: bool = False
    has_draft: bool = False
    has_frames: bool = False
    has_camera_fixed: bool = True
    has_flex: bool = True
    sizes: str = "1.5"


_ONE = VideoModel(durations=(2, 12), text_ratio="16:9", has_frames=True, sizes="1.0")
_TWO = VideoModel(
    durations=(4, 15),
    decides_duration=True,
    has_sound=True,
    references=9,
    takes_clips=True,
    has_camera_fixed=False,
    has_flex=False,
)

# The documented range of 1.5 pro is 4..12. A publicly shown real run with `duration: 3` succeeded, so 2 and 3 pass:
# a sandbox stricter than the service would forbid what works.
_PRO_1_5 = VideoModel(durations=(2, 12), decides_duration=True, has_sound=True, has_draft=True)

VIDEO_MODELS = {
    "seedance-1-0-lite-t2v-250428": replace(_ONE, takes_pictures=False, takes_last_frame=False),
    "seedance-1-0-lite-i2v-250428": replace(_ONE, takes_text_only=False, references=4),
    "seedance-1-0-pro-250528": replace(_ONE, default_resolution="1080p"),
    "seedance-1-0-pro-fast-251015": replace(_ONE, default_resolution="1080p", takes_last_frame=False),
    "seedance-1-5-pro-251215": _PRO_1_5,
    "dreamina-seedance-2-0-260128": replace(_TWO, resolutions=("480p", "720p", "1080p", "4k")),
    "dreamina-seedance-2-0-fast-260128": replace(_TWO, resolutions=("480p", "720p")),
    "dreamina-seedance-2-0-mini-260615": replace(_TWO, resolutions=("480p", "720p")),
}

# Landscape and square; portrait is the mirror image. 4k is 1080p doubled.
_SIZES: dict[tuple[str, str], dict[str, Size]] = {
    ("1.0", "480p"): {"16:9": (864, 480), "4:3": (736, 544), "1:1": (640, 640), "21:9": (960, 416)},
    ("1.0", "720p"): {"16:9": (1248, 704), "4:3": (1120, 832), "1:1": (960, 960), "21:9": (1504, 640)},
    ("1.0", "1080p"): {"16:9": (1920, 1088), "4:3": (1664, 1248), "1:1": (1440, 1440), "21:9": (2176, 928)},
    ("1.5", "480p"): {"16:9": (864, 496), "4:3": (752, 560), "1:1": (640, 640), "21:9": (992, 432)},
    ("1.5", "720p"): {"16:9": (1280, 720), "4:3": (1112, 834), "1:1": (960, 960), "21:9": (1470, 630)},
    ("1.5", "1080p"): {"16:9": (1920, 1080), "4:3": (1664, 1248), "1:1": (1440, 1440), "21:9": (2206, 946)},
    ("1.5", "4k"): {"16:9": (3840, 2160), "4:3": (3328, 2496), "1:1": (2880, 2880), "21:9": (4412, 1892)},
}


def video_size(sizes: str, resolution: str, ratio: str) -> Size:
    table = _SIZES[sizes, resolution]
    if ratio in table:
        return table[ratio]
    across, down = ratio.split(":")
    height, width = table[f"{down}:{across}"]
    return width, height


def nearest_ratio(width: int, height: int) -> str:
    """What `adaptive` comes to. A picture of unknown size counts as 16:9."""
    if not width or not height:
        return "16:9"
    return min(_RATIOS, key=lambda ratio: abs(math.log(_value(ratio) / (width / height))))


def preset_size(preset: str, width: int, height: int) -> Size:
    """`2K` and the like follow the first picture's shape, or are square. The documented 2K sizes are scaled."""
    ratio = width / height if width and height else 1.0
    across, down = min(_2K, key=lambda size: abs(math.log(size[0] / size[1] / ratio)))
    scale = int(preset[0]) / 2
    return round(across * scale), round(down * scale)


def _value(ratio: str) -> float:
    across, down = ratio.split(":")
    return int(across) / int(down)
