"""The catalogue: what each model takes, who can serve it, and what it costs.

BabySea shows these lists in its live catalogue only. Where no page names a figure, it is the model's maker's, or ours.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4")
_PER_SECOND = {"480p": 0.030, "720p": 0.062, "1080p": 0.166}


@dataclass(frozen=True)
class Model:
    kind: Literal["image", "video"]
    upstreams: tuple[str, ...]
    price: float | dict[str, float]  # a picture, or a second at each resolution
    files: int = 0
    formats: tuple[str, ...] = ("png", "jpg", "webp")
    ratios: tuple[str, ...] = _RATIOS
    most: int = 4  # pictures in one generation
    seconds: range = range(0)
    resolutions: tuple[str, ...] = ()
    has_sound: bool = False
    takes_last_frame: bool = False
    words: dict[str, Any] = field(default_factory=dict)  # `generation_*` words of this model alone

    @property
    def shown_price(self) -> Any:
        return dict(self.price) if isinstance(self.price, dict) else self.price

    def cost(self, *, count: int, seconds: int, resolution: str | None, audio: bool) -> float:
        return round(count * self.each(seconds, resolution, audio=audio), 3)

    def each(self, seconds: int, resolution: str | None, *, audio: bool) -> float:
        return round(self.per_second(resolution, audio=audio) * seconds if self.kind == "video" else self._flat, 3)

    def per_second(self, resolution: str | None, *, audio: bool) -> float:
        if not isinstance(self.price, dict):
            return self.price
        name = resolution or next(iter(self.price))
        return self.price.get(f"{name}_audio", self.price[name]) if audio else self.price[name]

    @property
    def _flat(self) -> float:
        return self.price if isinstance(self.price, float) else 0.0


def _clip(*, seconds: range, sound: bool = False) -> Model:
    audio = {f"{name}_audio": round(price * 1.5, 3) for name, price in _PER_SECOND.items()} if sound else {}
    return Model(
        "video",
        ("byteplus", "replicate", "fal"),
        _PER_SECOND | audio,
        files=1,
        formats=("mp4",),
        ratios=(*_RATIOS, "21:9"),
        most=1,
        seconds=seconds,
        resolutions=tuple(_PER_SECOND),
        has_sound=sound,
        takes_last_frame=True,
        words={"generation_camera_fixed": {"type": "boolean"}},
    )


_FLUX = ("bfl", "replicate", "cloudflare")
_SEEDREAM = ("byteplus", "replicate", "fal")

MODELS = {
    "bfl/flux-schnell": Model("image", _FLUX, 0.004),
    "bfl/flux-1.1-pro": Model("image", _FLUX, 0.052, files=1),
    "bfl/flux-1.1-pro-ultra": Model("image", _FLUX[:2], 0.078, files=1),
    "bfl/flux-2-klein-4b": Model("image", _FLUX, 0.018, files=4),
    "bfl/flux-2-klein-9b": Model("image", _FLUX, 0.020, files=4),
    "bfl/flux-2-flex": Model(
        "image", _FLUX[:2], 0.065, files=8, words={"generation_steps": {"type": "integer", "minimum": 1, "maximum": 50}}
    ),
    "bfl/flux-2-pro": Model("image", _FLUX[:2], 0.039, files=8),
    "bfl/flux-2-max": Model("image", _FLUX[:2], 0.091, files=8),
    "bytedance/seedream-4": Model("image", _SEEDREAM, 0.039, files=10, most=15),
    "bytedance/seedream-4.5": Model("image", _SEEDREAM, 0.052, files=10, most=15),
    "bytedance/seedream-5-lite": Model("image", _SEEDREAM, 0.046, files=10, most=15),
    "bytedance/seedance-1-pro": _clip(seconds=range(2, 13)),
    "bytedance/seedance-1-pro-fast": _clip(seconds=range(2, 13)),
    "bytedance/seedance-1.5-pro": _clip(seconds=range(4, 13), sound=True),
    # Priced by the second alone, so it asks for no resolution.
    "google/veo-2": Model(
        "video",
        ("fal", "replicate"),
        0.65,
        files=1,
        formats=("mp4",),
        ratios=("16:9", "9:16"),
        most=1,
        seconds=range(5, 9),
        resolutions=("720p",),
    ),
}

UPSTREAMS = ("alibabacloud", "bfl", "byteplus", "cloudflare", "fal", "openai", "replicate", "runway")


def shown(id: str, model: Model) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "generation_ratio": list(model.ratios),
        "generation_output_format": list(model.formats),
        "generation_output_number": list(range(1, model.most + 1)),
    }
    if model.kind == "video":
        schema |= {"generation_duration": list(model.seconds), "generation_resolution": list(model.resolutions)}
    return {
        "model_type": model.kind,
        "model_identifier": id,
        "model_pricing": model.shown_price,
        "model_supported_provider": list(model.upstreams),
        "schema": schema,
        "specific_schema": model.words,
    }


def sides(model: Model, ratio: str | None, resolution: str | None, picture: tuple[int, int]) -> tuple[int, int]:
    """`480p` and the like are the short side. Without a ratio the result follows the picture."""
    across, down = map(int, ratio.split(":")) if ratio else picture if all(picture) else (1, 1)
    shape = min(max(across / down, 0.4), 2.5)
    short = 1024 if model.kind == "image" else int((resolution or "720p").removesuffix("p"))
    return (_even(short * shape), short) if shape >= 1 else (short, _even(short / shape))


def _even(length: float) -> int:
    """H.264 halves the sides for colour."""
    return round(length / 2) * 2
