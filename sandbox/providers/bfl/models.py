"""FLUX models: what each takes, the size it gives, and what it costs. 1 credit is 0.01 USD."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sandbox.inputs import InputPicture
from sandbox.webhooks import CallbackUrl

_MOST_PIXELS = 2048 * 2048
_MEGAPIXEL = 1024 * 1024

Side2 = Annotated[int, Field(ge=0, multiple_of=16)]
Side1 = Annotated[int, Field(ge=256, le=1440, multiple_of=32)]
Safety2 = Annotated[int, Field(ge=0, le=5)]
Safety1 = Annotated[int, Field(ge=0, le=6)]
Size = tuple[int, int]


class Order(BaseModel):
    """What every model takes. The older endpoints ignore what they do not know."""

    prompt: str
    seed: int | None = None
    webhook_url: Annotated[CallbackUrl, Field(min_length=1, max_length=2083)] | None = None
    webhook_secret: str | None = None
    output_format: Literal["jpeg", "png", "webp"] = "jpeg"

    def pictures(self) -> list[str]:
        names = ("input_image", *(f"input_image_{number}" for number in range(2, 9)), "image_prompt")
        given = [getattr(self, name, None) for name in names]
        return [picture for picture in given if picture]

    def size(self, first: InputPicture | None) -> Size:
        raise NotImplementedError


class Flux2(Order):
    """Strict about unknown fields, so that a field of another model (`steps` is flex's alone) does not go unnoticed."""

    model_config = ConfigDict(extra="forbid")

    input_image: str | None = None
    input_image_2: str | None = None
    input_image_3: str | None = None
    input_image_4: str | None = None
    width: Side2 = 0
    height: Side2 = 0
    safety_tolerance: Safety2 = 2
    transparent_bg: bool = False

    @field_validator("width", "height")
    @classmethod
    def _zero_or_large_enough(cls, side: int) -> int:
        if 0 < side < 64:
            raise ValueError("Input should be greater than or equal to 64")
        return side

    @model_validator(mode="after")
    def _fits(self) -> "Flux2":
        if self.width * self.height > _MOST_PIXELS:
            raise ValueError("width and height together exceed 4 megapixels")
        if self.transparent_bg and self.output_format == "jpeg":
            raise ValueError("transparent_bg needs output_format png or webp")
        return self

    def size(self, first: InputPicture | None) -> Size:
        """A side of 0 follows the input picture, or is 1024."""
        width, height = (
            (1024, 1024) if first is None or not first.width else _at_most(first.width, first.height, _MOST_PIXELS)
        )
        return self.width or width, self.height or height


class Flux2Large(Flux2):
    input_image_5: str | None = None
    input_image_6: str | None = None
    input_image_7: str | None = None
    input_image_8: str | None = None
    prompt_upsampling: bool = False


class Flux2Flex(Flux2Large):
    input_image_blob_path: str | None = None
    prompt_upsampling: bool = True
    guidance: Annotated[float, Field(ge=1.5, le=10)] = 5.0
    steps: Annotated[int, Field(ge=1, le=50)] = 50


class Flux1(Order):
    prompt: str = ""
    image_prompt: str | None = None
    width: Side1 = 1024
    height: Side1 = 768
    prompt_upsampling: bool = False
    safety_tolerance: Safety1 = 2
    output_format: Literal["jpeg", "png"] = "jpeg"

    def size(self, first: InputPicture | None) -> Size:
        return self.width, self.height


class FluxDev(Flux1):
    steps: Annotated[int, Field(ge=1, le=50)] = 28
    guidance: Annotated[float, Field(ge=1.5, le=5)] = 3.0


class _ByRatio(Order):
    aspect_ratio: str | None = None
    prompt_upsampling: bool = False
    safety_tolerance: Safety1 = 2

    @field_validator("aspect_ratio")
    @classmethod
    def _between_extremes(cls, ratio: str | None) -> str | None:
        if ratio is not None and not 9 / 21 <= _ratio(ratio) <= 21 / 9:
            raise ValueError("aspect_ratio must be between 21:9 and 9:21")
        return ratio


class FluxUltra(_ByRatio):
    prompt: str = ""
    aspect_ratio: str | None = "16:9"
    raw: bool = False
    image_prompt: str | None = None
    image_prompt_strength: Annotated[float, Field(ge=0, le=1)] = 0.1
    output_format: Literal["jpeg", "png"] = "jpeg"

    def size(self, first: InputPicture | None) -> Size:
        return _of_area(_ratio(self.aspect_ratio or "16:9"), 4 * _MEGAPIXEL)


class Kontext(_ByRatio):
    input_image: str | None = None
    input_image_2: str | None = None
    input_image_3: str | None = None
    input_image_4: str | None = None
    output_format: Literal["jpeg", "png"] = "png"

    def size(self, first: InputPicture | None) -> Size:
        if self.aspect_ratio is not None:
            return _of_area(_ratio(self.aspect_ratio), _MEGAPIXEL)
        return _of_area(first.width / first.height if first is not None and first.height else 1.0, _MEGAPIXEL)


@dataclass(frozen=True)
class Model:
    order: type[Order]
    cost: Callable[[float, float], float]  # credits, from input and output megapixels
    active_limit: int = 24


def _per_megapixel(first: float, further: float) -> Callable[[float, float], float]:
    """Whole megapixels upwards, which is what the one published answer (1.98 MP of pro for 4.5 credits) comes to."""
    return lambda inputs, output: round(first + (math.ceil(output) - 1 + math.ceil(inputs)) * further, 2)


def _flat(price: float) -> Callable[[float, float], float]:
    return lambda inputs, output: price


MODELS = {
    "flux-2-pro": Model(Flux2Large, _per_megapixel(3, 1.5)),
    "flux-2-pro-preview": Model(Flux2Large, _per_megapixel(3, 1.5)),
    "flux-2-max": Model(Flux2Large, _per_megapixel(7, 3)),
    "flux-2-flex": Model(Flux2Flex, _per_megapixel(5, 5)),
    "flux-2-klein-4b": Model(Flux2, _per_megapixel(1.4, 0.1)),
    "flux-2-klein-9b": Model(Flux2, _per_megapixel(1.5, 0.2)),
    "flux-2-klein-9b-preview": Model(Flux2, _per_megapixel(1.5, 0.2)),
    "flux-pro-1.1": Model(Flux1, _flat(4.0)),
    "flux-pro-1.1-ultra": Model(FluxUltra, _flat(6)),
    "flux-kontext-pro": Model(Kontext, _flat(4)),
    "flux-kontext-max": Model(Kontext, _flat(8), active_limit=6),
    "flux-dev": Model(FluxDev, _flat(2.5)),
}


def _ratio(text: str) -> float:
    width, colon, height = text.partition(":")
    if not colon or not width.isdecimal() or not height.isdecimal() or not int(height):
        raise ValueError("aspect_ratio must be written as width:height")
    return int(width) / int(height)


def _of_area(ratio: float, pixels: int) -> Size:
    return _rounded(math.sqrt(pixels * ratio)), _rounded(math.sqrt(pixels / ratio))


def _at_most(width: int, height: int, pixels: int) -> Size:
    scale = min(1.0, math.sqrt(pixels / (width * height)))
    return max(64, int(width * scale) // 16 * 16), max(64, int(height * scale) // 16 * 16)


def _rounded(side: float) -> int:
    return round(side / 32) * 32
