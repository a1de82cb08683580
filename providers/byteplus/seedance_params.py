"""What Seedance's video models take: their parameters, and what is wrong or doubtful in a caller's."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from domain.errors import Fault
from domain.money import Micros
from domain.provider import Params
from providers._params import UPLOAD, NativeParams, Prompt
from providers.byteplus.ark import WebSearch
from providers.byteplus.frames import (
    FIRST_FRAME,
    LAST_FRAME,
    MOST_REFERENCES,
    REFERENCE,
    REFERENCE_AUDIO,
    REFERENCE_VIDEO,
    REFERENCES,
    both_ways,
)

MOST_SEED = 4_294_967_295

# ---- parameters ---------------------------------------------------------------------------------------------------


_ADDRESS = r"^(https?://|asset://|data:)."


class Address(NativeParams):
    url: str = Field(
        pattern=_ADDRESS,
        description="An https address, an asset:// id or a data URI; for a picture also the id of an upload.",
        json_schema_extra={"pattern": f"{_ADDRESS}|{UPLOAD}"},
    )


class DraftTask(NativeParams):
    id: str = Field(min_length=1, description="The id of a draft.")


class ContentItem(NativeParams):
    """One model for all five types, so that a fault's path is the caller's own: a union would put its tags into it."""

    type: Literal["text", "image_url", "video_url", "audio_url", "draft_task"] = Field(
        description="Which one of the other fields holds the content."
    )
    text: Prompt | None = Field(None, description="The prompt.")
    image_url: Address | None = Field(None, description="A picture.")
    video_url: Address | None = Field(None, description="A video to refer to.")
    audio_url: Address | None = Field(None, description="A sound to refer to.")
    draft_task: DraftTask | None = Field(None, description="A draft to finish.")
    role: Literal["first_frame", "last_frame", "reference_image", "reference_video", "reference_audio"] | None = Field(
        None, description="What the item is for."
    )


class Seedance(NativeParams):
    content: list[ContentItem] = Field(
        [], description="The prompt as a text item, then pictures. A chain adds its picture as the first frame."
    )
    ratio: Literal["16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive"] = Field(
        "adaptive", description="Width to height; adaptive follows the picture."
    )
    seed: int = Field(-1, ge=-1, le=MOST_SEED, description="The same seed gives a similar video again. -1: random.")
    watermark: bool = Field(False, description="A visible mark in the corner.")
    return_last_frame: bool = Field(False, description="Also give the last frame as a PNG.")
    execution_expires_after: int = Field(
        172_800, ge=3_600, le=259_200, description="Seconds after which BytePlus gives the task up."
    )


class Seedance1(Seedance):
    resolution: Literal["480p", "720p", "1080p"] = Field("1080p", description="Lines of the video.")
    ratio: Literal["16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "adaptive"] = Field(
        "16:9", description="Width to height; adaptive follows the picture."
    )
    duration: int = Field(5, ge=2, le=12, description="Seconds.")
    frames: int | None = Field(None, ge=29, le=289, description="29, 33 ... 289 frames at 24 a second, over duration.")
    camera_fixed: bool = Field(False, description="Keep the camera still.")
    service_tier: Literal["default", "flex"] = Field("default", description="flex: half the price, hours of waiting.")


class Seedance15(Seedance):
    resolution: Literal["480p", "720p", "1080p"] = Field("720p", description="Lines of the video.")
    # Documented: 4..12. A published real run was made with 3, so the lower end is a warning.
    duration: int = Field(5, ge=-1, le=12, description="Seconds, 4 to 12. -1: the model decides.")
    generate_audio: bool = Field(True, description="Make a sound track too.")
    draft: bool = Field(False, description="A cheap 480p draft to look at first.")
    camera_fixed: bool = Field(False, description="Keep the camera still.")
    service_tier: Literal["default", "flex"] = Field("default", description="flex: half the price, hours of waiting.")


class Seedance20(Seedance):
    # 4k stands in one of BytePlus' pages and not in its schema, hence a warning; the small k is inferred.
    resolution: Literal["480p", "720p", "1080p", "4k"] = Field("720p", description="Lines of the video.")
    duration: int = Field(5, ge=-1, le=15, description="Seconds, 4 to 15. -1: the model decides.")
    generate_audio: bool = Field(True, description="Make a sound track too.")
    priority: int = Field(0, ge=0, le=9, description="Higher goes first in the queue.")
    tools: list[WebSearch] | None = Field(None, description="Tools that the model may use; each search is charged.")


class Seedance20Fast(Seedance20):
    resolution: Literal["480p", "720p"] = Field("720p", description="Lines of the video.")


def is_silent(params: Params) -> bool:
    return params.get("generate_audio") is False


def has_video(params: Params) -> bool:
    return any(item.get("type") == "video_url" for item in params.get("content", []) if isinstance(item, dict))


def _never(params: Params) -> bool:
    return False


Rates = tuple[Micros, Micros]


@dataclass(frozen=True)
class VideoRules:
    """What tells one Seedance from another."""

    raw_id: str
    params: type[Seedance]
    seconds: tuple[int, int]
    """As documented."""
    accepted: tuple[int, int]
    """As the model was seen to take them."""
    rates: Mapping[str, Rates]
    """By resolution: micro-dollars per million tokens, and the reduced rate."""
    areas: Mapping[str, int]
    is_reduced: Callable[[Params], bool] = _never
    last_frame: bool = True
    references: bool = False
    """Reference pictures, videos and sounds."""
    drafts: bool = False

    def has(self, slot: str) -> bool:
        return slot in self.params.model_fields

    def resolution(self, params: Params) -> str:
        default = "480p" if params.get("draft") else self.params.model_fields["resolution"].default
        return str(params.get("resolution") or default)


_ROLES = {
    "text": (None,),
    "image_url": (None, FIRST_FRAME, LAST_FRAME, REFERENCE),
    "video_url": (REFERENCE_VIDEO,),
    "audio_url": (REFERENCE_AUDIO,),
    "draft_task": (None,),
}
_MOST = {FIRST_FRAME: 1, LAST_FRAME: 1, REFERENCE: MOST_REFERENCES, REFERENCE_VIDEO: 3, REFERENCE_AUDIO: 3}


def check_seedance(rules: VideoRules) -> Callable[[Params], list[Fault]]:
    def check(params: Params) -> list[Fault]:
        return [
            *_check_items(rules, params.get("content", [])),
            *_check_together(params.get("content", [])),
            *_check_length(rules, params),
            *_check_draft(params),
        ]

    return check


def _check_items(rules: VideoRules, content: list[dict[str, Any]]) -> Iterable[Fault]:
    for index, item in enumerate(content):
        kind = item["type"]
        if item.get(kind) is None:
            yield Fault(("content", index, kind), f"is missing: an item of type {kind} holds it")
        for other in _ROLES:
            if other != kind and item.get(other) is not None:
                yield Fault(("content", index, other), f"does not belong into an item of type {kind}")
        if (role := item.get("role")) not in _ROLES[kind]:
            wanted = " or ".join(role or "no role" for role in _ROLES[kind])
            yield Fault(("content", index, "role"), f"must be {wanted} in an item of type {kind}")
        if kind in ("video_url", "audio_url") and not rules.references:
            yield Fault(("content", index, "type"), f"must not be {kind}: only Seedance 2 takes it")
        if kind == "draft_task" and not rules.drafts:
            yield Fault(("content", index, "type"), "must not be draft_task: only Seedance 1.5 makes drafts")
        if role == LAST_FRAME and not rules.last_frame:
            yield Fault(("content", index, "role"), "must not be last_frame: this model takes a first frame only")


def _check_together(content: list[dict[str, Any]]) -> Iterable[Fault]:
    roles = [item.get("role") for item in content]
    for role, most in _MOST.items():
        if roles.count(role) > most:
            yield Fault(("content",), f"must hold at most {most} of role {role}")
    # Without a role a picture is the first frame.
    frames = [item for item in content if item["type"] == "image_url" and item.get("role") not in REFERENCES]
    if frames and any(role in REFERENCES for role in roles):
        yield both_ways()


def _check_length(rules: VideoRules, params: Params) -> Iterable[Fault]:
    low, high = rules.accepted
    if params.get("duration", 5) in range(low):
        yield Fault(("duration",), f"must be {low} to {high}, or -1 to let the model decide")
    if params.get("frames") is not None and (params["frames"] - 25) % 4:
        yield Fault(("frames",), "must be 25 plus a multiple of 4")


def _check_draft(params: Params) -> Iterable[Fault]:
    if not params.get("draft"):
        return
    if params.get("resolution") not in (None, "480p"):
        yield Fault(("resolution",), "must be 480p for a draft")
    if params.get("return_last_frame"):
        yield Fault(("return_last_frame",), "must be false for a draft")
    if params.get("service_tier") == "flex":
        yield Fault(("service_tier",), "must be default for a draft")


_SUFFIX = re.compile(
    r"(?:^|\s)--(?:rs|rt|dur|fps|seed|cf|wm|resolution|ratio|duration|frames|camerafixed|watermark)\b", re.IGNORECASE
)


def warn_seedance(rules: VideoRules) -> Callable[[Params], list[Fault]]:
    def warn(params: Params) -> list[Fault]:
        return [*_warn_items(rules, params.get("content", [])), *_warn_values(rules, params)]

    return warn


def _warn_items(rules: VideoRules, content: list[dict[str, Any]]) -> Iterable[Fault]:
    for index, item in enumerate(content):
        if _SUFFIX.search(item.get("text") or ""):
            # Inferred: BytePlus reads them as parameters, and a wrong one is ignored in silence.
            yield Fault(
                ("content", index, "text"), "the prompt holds `--` parameters, which BytePlus takes out; use the fields"
            )
        if item.get("role") == REFERENCE and not rules.references:
            yield Fault(
                ("content", index, "role"),
                "role reference_image: not documented for this model, though it is in its schema",
            )


def _warn_values(rules: VideoRules, params: Params) -> Iterable[Fault]:
    seconds = params.get("duration", 5)
    low, high = rules.seconds
    if seconds != -1 and not low <= seconds <= high:
        yield Fault(("duration",), f"duration {seconds}: documented range is {low}..{high}")
    if params.get("resolution") == "4k":
        yield Fault(("resolution",), "resolution 4k: not in the published schema of this model")
    if params.get("service_tier") == "flex":
        yield Fault(
            ("service_tier",),
            "service_tier flex: may take longer than this server waits for a video, "
            "and a lost submit can't be looked up",
        )


def merge_content(mapped: Params, native: Params) -> dict[str, Any]:
    """Native fields win; the caller's content stays first and gets the prompt and last frame that it lacks itself."""
    merged = {**mapped, **native}
    own = native.get("content")
    if isinstance(own, list) and "content" in mapped:
        kinds = [_kind_of(item) for item in own]
        merged["content"] = [*own, *(item for item in mapped["content"] if _kind_of(item) not in kinds)]
    return merged


def _kind_of(item: object) -> tuple[object, object]:
    return (item.get("type"), item.get("role")) if isinstance(item, dict) else (None, None)
