"""A Seedance create body: types and ranges, the rules of its model, and the old `--flags` behind the prompt text."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.providers.byteplus.errors import ArkError, invalid, raise_first, unsupported
from sandbox.providers.byteplus.models import VideoModel
from sandbox.webhooks import CallbackUrl

Ratio = Literal["16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive"]
_FLAG = re.compile(r"\s--([a-z_]+)(?:\s+(?!--)(\S+))?")
_FLAG_NAMES = {
    "rs": "resolution", "rt": "ratio", "dur": "duration", "seed": "seed", "cf": "camera_fixed", "wm": "watermark",
    "resolution": "resolution", "ratio": "ratio", "duration": "duration", "camerafixed": "camera_fixed",
    "watermark": "watermark", "frames": "frames",
}  # fmt: skip
_ROLES: dict[str, tuple[str | None, ...]] = {
    "text": (None,),
    "image_url": (None, "first_frame", "last_frame", "reference_image"),
    "video_url": ("reference_video",),
    "audio_url": ("reference_audio",),
    "draft_task": (None,),
}
_MOST_CLIPS = 3  # of videos, and of sounds
_CONSTRAINT = "InvalidParameter.TaskTypeConstraint"


class _Url(BaseModel):
    url: str  # of a picture anything may come: a wrong one has an error code of its own


class _ClipUrl(BaseModel):
    url: str = Field(pattern=r"^(https?://|asset://|data:).")


class _Draft(BaseModel):
    id: str = Field(min_length=1)


class Item(BaseModel):
    type: Literal["text", "image_url", "video_url", "audio_url", "draft_task"]
    text: str | None = None
    image_url: _Url | None = None
    video_url: _ClipUrl | None = None
    audio_url: _ClipUrl | None = None
    draft_task: _Draft | None = None
    role: Literal["first_frame", "last_frame", "reference_image", "reference_video", "reference_audio"] | None = None


class Body(BaseModel):
    """Strict in the fields it knows. Fields it does not know are not looked at, as with the real thing."""

    model_config = ConfigDict(strict=True)

    model: str
    content: list[Item] = Field(min_length=1)
    callback_url: CallbackUrl | None = None
    return_last_frame: bool = False
    service_tier: Literal["default", "flex"] = "default"
    execution_expires_after: int = Field(default=172_800, ge=3600, le=259_200)
    generate_audio: bool | None = None
    draft: bool = False
    resolution: str | None = None
    ratio: Ratio | None = None
    duration: int | None = None
    frames: int | None = None
    seed: int = Field(default=-1, ge=-1, le=4_294_967_295)
    camera_fixed: bool | None = None
    watermark: bool = False
    safety_identifier: str | None = Field(default=None, max_length=64)
    priority: int | None = Field(default=None, ge=0, le=9)


@dataclass(frozen=True)
class Content:
    """The items by what they are for."""

    prompt: str
    first_frame: str | None
    last_frame: str | None
    references: tuple[str, ...]
    videos: int
    sounds: int
    has_draft: bool

    @property
    def has_clips(self) -> bool:
        return bool(self.videos or self.sounds)

    @property
    def pictures(self) -> tuple[str, ...]:
        frames = [url for url in (self.first_frame, self.last_frame) if url is not None]
        return (*frames, *self.references)


def parse(raw: bytes, model: VideoModel) -> tuple[Body, Content]:
    try:
        body = Body.model_validate_json(raw)
    except ValidationError as error:
        raise_first(error)
    _check_items(body)
    prompt = " ".join(item.text or "" for item in body.content if item.type == "text")
    body = _with_flags(body, prompt, model)
    content = _sorted(body, _FLAG.sub("", f" {prompt}").strip())
    _check_fields(body, model)
    _check_content(body, content, model)
    return body, content


def _check_items(body: Body) -> None:
    for item in body.content:
        if getattr(item, item.type) is None:
            message = f"The request is missing the parameter `{item.type}`."
            raise ArkError(400, "MissingParameter", message, f"content.{item.type}")
        if item.role not in _ROLES[item.type]:
            raise invalid("content.role", f"{item.role or 'none'} is not a role of {item.type}")


def _with_flags(body: Body, prompt: str, model: VideoModel) -> Body:
    """Fields win over flags, and a flag with a wrong value is passed over in silence: both are documented."""
    for flag, value in _FLAG.findall(f" {prompt}"):
        name = _FLAG_NAMES.get(flag)
        if name is None or name in body.model_fields_set:
            continue
        try:
            candidate = Body.model_validate({**body.model_dump(exclude_unset=True), name: _read(value)})
            _check_fields(candidate, model)
        except (ValidationError, ArkError):
            continue
        body = candidate
    return body


def _read(value: str) -> Any:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.removeprefix("-").isdecimal() else value


def _sorted(body: Body, prompt: str) -> Content:
    images = [item for item in body.content if item.type == "image_url"]
    pictures = [(item.role, item.image_url.url) for item in images if item.image_url is not None]
    kinds = Counter(item.type for item in body.content)
    urls: dict[str, list[str]] = {"first_frame": [], "last_frame": [], "reference_image": []}
    for said, url in pictures:
        role = said or ("first_frame" if len(pictures) == 1 else None)
        if role not in urls:
            raise invalid("content.role", "only the one image of a request may be without a role")
        urls[role].append(url)
    if len(urls["first_frame"]) > 1 or len(urls["last_frame"]) > 1:
        raise invalid("content.role", "one first_frame and one last_frame at most")
    return Content(
        prompt=prompt,
        first_frame=next(iter(urls["first_frame"]), None),
        last_frame=next(iter(urls["last_frame"]), None),
        references=tuple(urls["reference_image"]),
        videos=kinds["video_url"],
        sounds=kinds["audio_url"],
        has_draft=kinds["draft_task"] > 0,
    )


def _check_fields(body: Body, model: VideoModel) -> None:
    asked = {
        "generate_audio": body.generate_audio is not None and not model.has_sound,
        "draft": body.draft and not model.has_draft,
        "frames": body.frames is not None and not model.has_frames,
        "camera_fixed": body.camera_fixed is not None and not model.has_camera_fixed,
        "service_tier": body.service_tier == "flex" and not model.has_flex,
    }
    for name, is_wrong in asked.items():
        if is_wrong:
            raise unsupported(name, body.model)
    if body.resolution is not None and body.resolution not in model.resolutions:
        raise invalid("resolution", f"one of {', '.join(model.resolutions)}")
    _check_length(body, model)
    if body.draft and (body.return_last_frame or body.service_tier == "flex" or body.resolution not in (None, "480p")):
        raise invalid("draft", "a draft is 480p, without last frame and not flex")


def _check_length(body: Body, model: VideoModel) -> None:
    low, high = model.durations
    decided_by_model = body.duration == -1 and model.decides_duration
    if body.duration is not None and not decided_by_model and not low <= body.duration <= high:
        raise invalid("duration", f"must be between {low} and {high}")
    if body.frames is not None and not (29 <= body.frames <= 289 and (body.frames - 25) % 4 == 0):
        raise invalid("frames", "must be 25 + 4n within 29 to 289")


def _check_content(body: Body, content: Content, model: VideoModel) -> None:
    holds_more = bool(content.pictures) or content.has_clips or content.has_draft
    if not content.prompt and not holds_more:
        raise ArkError(400, "MissingParameter", "The request is missing the parameter `content.text`.", "content")
    if not holds_more and not model.takes_text_only:
        raise _constraint(f"The model {body.model} needs an image.")
    if (
        (content.pictures and not model.takes_pictures)
        or (content.has_clips and not model.takes_clips)
        or (content.has_draft and not model.has_draft)
    ):
        raise ArkError(
            400, "InvalidParameter.TaskTypeMismatch", f"The model {body.model} does not take this content.", "content"
        )
    if content.last_frame is not None and (content.first_frame is None or not model.takes_last_frame):
        raise _constraint("A last_frame needs a first_frame and a model that takes both.")
    _check_references(body, content, model)


def _check_references(body: Body, content: Content, model: VideoModel) -> None:
    if content.first_frame is not None and (content.references or content.has_clips):
        raise _constraint("Frames and references exclude one another.")
    if len(content.references) > model.references:
        raise _constraint(f"At most {model.references} reference images.")
    if max(content.videos, content.sounds) > _MOST_CLIPS:
        raise _constraint(f"At most {_MOST_CLIPS} reference videos and {_MOST_CLIPS} reference sounds.")
    if content.sounds and not content.references and not content.videos:
        raise _constraint("A reference sound needs a reference image or a reference video.")
    if content.references and body.camera_fixed:
        raise ArkError(400, _CONSTRAINT, "camera_fixed does not go with reference images.", "camera_fixed")


def _constraint(message: str) -> ArkError:
    return ArkError(400, _CONSTRAINT, message, "content")
