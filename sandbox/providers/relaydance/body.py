"""A submit's body: types and ranges, the rules of its model, and the pictures that the prompt cites."""

import re
from collections import Counter
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.providers.relaydance.errors import Refusal
from sandbox.providers.relaydance.models import MODELS, Model
from sandbox.webhooks import CallbackUrl

_MOST = {"image_url": 9, "video_url": 3, "audio_url": 3}
_ROLES = {
    "image_url": {"reference_image", "first_frame", "last_frame"},
    "video_url": {"reference_video"},
    "audio_url": {"reference_audio"},
}
_CITATION = re.compile(r"@image([0-9]+)")


class _Url(BaseModel):
    url: Annotated[str, Field(pattern=r"^(https?|asset)://")]  # hosted: a data URI is none


class Item(BaseModel):
    type: Literal["image_url", "video_url", "audio_url"]
    image_url: _Url | None = None
    video_url: _Url | None = None
    audio_url: _Url | None = None
    role: str


class Metadata(BaseModel):
    model_config = ConfigDict(strict=True)

    ratio: Literal["16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "adaptive"] | None = None
    resolution: str | None = None
    generate_audio: bool | None = None
    watermark: bool | None = None
    callback_url: CallbackUrl | None = None
    content: list[Item] = []


class Body(BaseModel):
    """Strict in the fields it knows. Those it does not know are not looked at: a `callback_url` here calls nobody."""

    model_config = ConfigDict(strict=True)

    model: str
    prompt: str = Field(min_length=1)
    seconds: str = Field(default="5", pattern=r"^[0-9]+$")  # a string: a number is refused
    metadata: Metadata = Metadata()

    @property
    def pictures(self) -> list[str]:
        return [item.image_url.url for item in self.metadata.content if item.image_url is not None]


def parse(raw: bytes) -> Body:
    try:
        body = Body.model_validate_json(raw)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise Refusal(400, f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
    model = MODELS.get(body.model)
    if model is None:
        raise Refusal(404, f"The model {body.model!r} does not exist.")
    _check_values(body, model)
    _check_content(body, model)
    return body


def _check_values(body: Body, model: Model) -> None:
    low, high = model.seconds
    if not low <= int(body.seconds[:3]) <= high:
        raise Refusal(400, f"seconds: must be between {low} and {high} for {body.model}")
    if body.metadata.resolution not in (None, *model.resolutions):
        raise Refusal(400, f"metadata.resolution: {body.model} takes {', '.join(model.resolutions)}")
    if body.metadata.generate_audio is not None and model.sound is not None:
        raise Refusal(400, f"metadata.generate_audio: not supported by {body.model}")


def _check_content(body: Body, model: Model) -> None:
    items = body.metadata.content
    for item in items:
        if getattr(item, item.type) is None:
            raise Refusal(400, f"metadata.content.{item.type}: Field required")
        if item.role not in _ROLES[item.type]:
            raise Refusal(400, f"metadata.content.role: {item.role!r} is not a role of {item.type}")
    for kind, count in Counter(item.type for item in items).items():
        if count > _MOST[kind]:
            raise Refusal(400, f"metadata.content: at most {_MOST[kind]} of type {kind}")
    roles = Counter(item.role for item in items)
    if roles["reference_image"] and roles["first_frame"] + roles["last_frame"]:
        raise Refusal(400, "metadata.content: reference images and first or last frames exclude each other")
    if max(roles["first_frame"], roles["last_frame"]) > 1:
        raise Refusal(400, "metadata.content: one first_frame and one last_frame at most")
    if model.needs_picture and not body.pictures:
        raise Refusal(400, f"metadata.content: {body.model} needs an image")
    if beyond := set(_CITATION.findall(body.prompt)) - {str(number + 1) for number in range(len(body.pictures))}:
        raise Refusal(400, f"prompt: @image{min(beyond)[:3]} is not among the {len(body.pictures)} images")
