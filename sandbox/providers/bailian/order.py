"""A create body: what each model takes, and the picture and sound that it names."""

import io
import math
from dataclasses import dataclass
from typing import Any, Literal

import av
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.inputs import InputPicture, UnusableInput
from sandbox.providers.bailian.errors import WanError, invalid

_PICTURE_FORMATS = frozenset({"JPEG", "PNG", "BMP", "WEBP"})
_MOST_PICTURE_BYTES = 10 * 1024 * 1024
_MOST_SOUND_BYTES = 15 * 1024 * 1024
_SOUND_SECONDS = (3.0, 30.0)


@dataclass(frozen=True)
class Model:
    areas: dict[str, int]  # pixels of a frame, by resolution
    durations: range | tuple[int, ...]
    has_audio_switch: bool = False
    has_several_shots: bool = True
    old_usage: bool = False


_AREAS = {"480P": 832 * 480, "720P": 1280 * 720, "1080P": 1920 * 1080}
_26 = {name: _AREAS[name] for name in ("720P", "1080P")}

MODELS = {
    "wan2.6-i2v": Model(_26, range(2, 16)),
    "wan2.6-i2v-flash": Model(_26, range(2, 16), has_audio_switch=True),
    "wan2.5-i2v-preview": Model(_AREAS, (5, 10), has_several_shots=False, old_usage=True),
}


class Input(BaseModel):
    model_config = ConfigDict(strict=True)

    prompt: str
    img_url: str
    audio_url: str | None = None
    negative_prompt: str | None = None
    template: str | None = None


class Parameters(BaseModel):
    """Strict in the fields it knows. Others are not looked at (inferred)."""

    model_config = ConfigDict(strict=True)

    resolution: str
    duration: int
    prompt_extend: bool = True
    shot_type: Literal["single", "multi"] = "single"
    seed: int | None = Field(None, ge=0, le=2_147_483_647)
    audio: bool | None = None
    watermark: bool = False


class Order(BaseModel):
    model: str
    input: Input
    parameters: Parameters

    @property
    def has_sound(self) -> bool:
        """A sound that is given beats the switch; without one, models make their own."""
        return self.input.audio_url is not None or self.parameters.audio is not False


_NATIVE_DEFAULTS = {"resolution": "1080P", "duration": 5}
"""The gateway demands both."""


def parse(body: Any, *, native: bool) -> Order:
    if native and isinstance(body, dict) and isinstance(given := body.get("parameters", {}), dict):
        body = {**body, "parameters": {**_NATIVE_DEFAULTS, **given}}
    model = body.get("model") if isinstance(body, dict) else None
    if isinstance(model, str) and model not in MODELS:
        raise WanError(404, "ModelNotFound", f"Model {model} can not be found.")
    try:
        order = Order.model_validate(body)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in problem["loc"]) or "body"
        raise invalid(f"{problem['msg']}: {field}") from error
    _check_parameters(order, MODELS[order.model])
    if "[moderate]" in order.input.prompt:
        raise moderated()
    return order


def moderated() -> WanError:
    return WanError(400, "DataInspectionFailed", "Input data may contain inappropriate content.")


def _check_parameters(order: Order, model: Model) -> None:
    parameters = order.parameters
    if not order.input.prompt.strip():
        raise invalid("Field required: input.prompt")
    if parameters.resolution not in model.areas:
        raise invalid(f"resolution must be one of {', '.join(model.areas)}: parameters.resolution")
    if parameters.duration not in model.durations:
        raise invalid(f"{order.model} makes no videos of {parameters.duration} seconds: parameters.duration")
    if parameters.audio is not None and not model.has_audio_switch:
        raise invalid(f"{order.model} has no such switch: parameters.audio")
    if parameters.shot_type == "multi" and not model.has_several_shots:
        raise invalid(f"{order.model} makes single shots: parameters.shot_type")


def check_picture(picture: InputPicture, sides: tuple[int, int]) -> None:
    """Of a picture that has not been looked at, nothing is wrong."""
    if picture.data is None:
        return
    if picture.format not in _PICTURE_FORMATS or (picture.format == "PNG" and picture.has_alpha):
        raise invalid("The image format is not supported: input.img_url")
    if len(picture.data) > _MOST_PICTURE_BYTES:
        raise invalid("The image is larger than 10 MB: input.img_url")
    low, high = sides
    if not low <= min(picture.width, picture.height) <= max(picture.width, picture.height) <= high:
        raise invalid(f"The image's sides must be {low} to {high} pixels: input.img_url")


def check_sound(data: bytes) -> None:
    if len(data) > _MOST_SOUND_BYTES:
        raise invalid("The audio is larger than 15 MB: input.audio_url")
    try:
        with av.open(io.BytesIO(data), "r") as container:
            kind, seconds = container.format.name, (container.duration or 0) / av.time_base
    except av.FFmpegError as problem:
        raise UnusableInput("the data is not a sound") from problem
    if kind not in ("wav", "mp3"):
        raise invalid(f"The audio is {kind}, not wav or mp3: input.audio_url")
    low, high = _SOUND_SECONDS
    if not low <= seconds <= high:
        raise invalid(f"The audio must last {low:g} to {high:g} seconds: input.audio_url")


def video_size(model: Model, resolution: str, picture: InputPicture) -> tuple[int, int]:
    """The resolution says how many pixels, the picture in which shape; 16:9 where that is unknown."""
    ratio = picture.width / picture.height if picture.height else 16 / 9
    area = model.areas[resolution]
    return round(math.sqrt(area * ratio) / 2) * 2, round(math.sqrt(area / ratio) / 2) * 2
