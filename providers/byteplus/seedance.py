"""Seedance: what the video models take and cost, and how their words and ours translate into each other."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import Field

from domain.errors import Fault
from domain.media import MediaKind, MediaRequest
from domain.money import Cost, Micros
from domain.provider import Inputs, Looks, Mapped, ModelCard, Params, PriceNote
from providers._neutral import asked_size, nearest_ratio, untold
from providers._params import NativeParams, Prompt
from providers.byteplus.ark import API, NAME, WebSearch
from providers.byteplus.frames import FURTHER, PICTURES, check_frame, read_first_frame

PATH = "/contents/generations/tasks"
SUBMIT_TIMEOUT = 60.0

_MILLION = 1_000_000
_MOST_SEED = 4_294_967_295

# ---- parameters ---------------------------------------------------------------------------------------------------


class Address(NativeParams):
    url: str = Field(min_length=1, description="An https address, an asset:// id or a data URI.")


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
    seed: int = Field(-1, ge=-1, le=_MOST_SEED, description="The same seed gives a similar video again. -1: random.")
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
    "image_url": (None, "first_frame", "last_frame", "reference_image"),
    "video_url": ("reference_video",),
    "audio_url": ("reference_audio",),
    "draft_task": (None,),
}


def check_seedance(rules: VideoRules) -> Callable[[Params], list[Fault]]:
    def check(params: Params) -> list[Fault]:
        return [
            *_check_items(rules, params.get("content", [])),
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
        if role == "last_frame" and not rules.last_frame:
            yield Fault(("content", index, "role"), "must not be last_frame: this model takes a first frame only")
    roles = [item.get("role") for item in content]
    if roles.count("last_frame") > 1:
        yield Fault(("content",), "must hold one last_frame at most")
    if "last_frame" in roles and any(str(role).startswith("reference_") for role in roles):
        yield Fault(("content",), "must hold either a last_frame or references: they are different ways to work")


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
        if item.get("role") == "reference_image" and not rules.references:
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


# ---- prices (US dollars per million tokens, list prices of July and August 2026) --------------------------

PRICED = PriceNote(date(2026, 8, 1), "https://docs.byteplus.com/en/docs/ModelArk, list prices")

_WIDE_AREAS_1 = {"480p": 864 * 480, "720p": 1248 * 704, "1080p": 1920 * 1088}
_WIDE_AREAS = {"480p": 864 * 496, "720p": 1280 * 720, "1080p": 1920 * 1080}
"""Pixels of a frame at 16:9. The other ratios are published for 720p only, and lie within the percentages below."""
_OTHER_RATIOS = (95, 110)
_FRAMES_PER_SECOND = 24


def token_rate(rules: VideoRules, params: Params) -> Micros | None:
    """Micro-dollars per million tokens. Reads a task as well, since BytePlus repeats these fields in it."""
    rates = rules.rates.get(rules.resolution(params))
    if rates is None:
        return None
    full, reduced = rates
    rate = reduced if rules.is_reduced(params) else full
    return rate // 2 if params.get("service_tier") == "flex" else rate


def cost_of_tokens(tokens: int, rate: Micros) -> Micros:
    return -(-tokens * rate // _MILLION)


def seedance_price(rules: VideoRules) -> Callable[[Params, int], Cost]:
    """Tokens are frames x pixels / 1024, which gives exactly the 108900 of the documented sample."""

    def price(params: Params, pictures: int) -> Cost:
        area = rules.areas.get(rules.resolution(params))
        rate = token_rate(rules, params)
        if area is None or rate is None or has_video(params):
            return Cost.unknown()
        shapes = (100, 100) if params.get("ratio") in ("16:9", "9:16") else _OTHER_RATIOS
        low, high = (
            cost_of_tokens(_draft_tokens(-(-frames * area * shape // (1024 * 100)), params), rate)
            for frames, shape in zip(_frames(rules, params), shapes, strict=True)
        )
        return Cost(low, None if params.get("tools") else high)

    return price


def _frames(rules: VideoRules, params: Params) -> tuple[int, int]:
    if (frames := params.get("frames")) is not None:
        return int(frames), int(frames)
    seconds = int(params.get("duration", 5))
    low, high = rules.seconds if seconds == -1 else (seconds, seconds)
    return low * _FRAMES_PER_SECOND + 1, high * _FRAMES_PER_SECOND + 1


def _draft_tokens(tokens: int, params: Params) -> int:
    if not params.get("draft"):
        return tokens
    tenths = 7 if is_silent(params) else 6
    return -(-tokens * tenths // 10)


# ---- between providers --------------------------------------------------------------------------------------------

_RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
_PLAIN_SLOTS = {"watermark": "watermark", "audio": "generate_audio", "camera_fixed": "camera_fixed"}


def read_neutral_video(params: Params) -> MediaRequest:
    content = params.get("content", [])
    texts = [item["text"] for item in content if item.get("text")]
    last = [item["image_url"]["url"] for item in content if item.get("role") == "last_frame"]
    seconds = params.get("duration")
    if (frames := params.get("frames")) is not None:
        seconds = frames // _FRAMES_PER_SECOND
    return MediaRequest(
        kind=MediaKind.VIDEO,
        prompt="\n".join(texts) or None,
        last_frame=last[0] if last else None,
        # What adaptive and -1 say is that the caller wishes nothing in particular.
        ratio=params.get("ratio") if params.get("ratio") != "adaptive" else None,
        resolution=params.get("resolution"),
        seconds=seconds if seconds != -1 else None,
        seed=params.get("seed") if params.get("seed") != -1 else None,
        audio=params.get("generate_audio"),
        watermark=params.get("watermark"),
        camera_fixed=params.get("camera_fixed"),
    )


def seedance_from_neutral(rules: VideoRules) -> Callable[[MediaRequest], Mapped]:
    def from_neutral(request: MediaRequest) -> Mapped:
        params: dict[str, Any] = {}
        told = {"ratio", "seconds"} | ({"width", "height"} if asked_size(request) else set())
        if content := _content_from_neutral(rules, request):
            params["content"] = content
        for wish, slot in _PLAIN_SLOTS.items():
            if (value := getattr(request, wish)) is not None and rules.has(slot):
                params[slot] = value
                told.add(wish)
        if request.resolution in rules.rates:
            params["resolution"] = request.resolution
            told.add("resolution")
        if request.seed is not None and 0 <= request.seed <= _MOST_SEED:
            params["seed"] = request.seed
            told.add("seed")
        if rules.last_frame:
            told.add("last_frame")
        if request.output_format == "mp4":
            told.add("output_format")
        ratio, inexact_ratio = _ratio_from_neutral(request)
        seconds, inexact_seconds = _seconds_from_neutral(rules, request)
        return Mapped(params | ratio | seconds, untold(request, told) + inexact_ratio + inexact_seconds)

    return from_neutral


def _content_from_neutral(rules: VideoRules, request: MediaRequest) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    if request.prompt is not None:
        content.append({"type": "text", "text": request.prompt})
    if request.last_frame is not None and rules.last_frame:
        content.append({"type": "image_url", "image_url": {"url": request.last_frame}, "role": "last_frame"})
    return content


def _ratio_from_neutral(request: MediaRequest) -> tuple[dict[str, Any], tuple[str, ...]]:
    if request.ratio == "adaptive":
        return {"ratio": "adaptive"}, ()
    ratio, lost = nearest_ratio(request, _RATIOS)
    return ({"ratio": ratio} if ratio else {}), lost


def _seconds_from_neutral(rules: VideoRules, request: MediaRequest) -> tuple[dict[str, Any], tuple[str, ...]]:
    if request.seconds is None:
        return {}, ()
    seconds = min(max(request.seconds, rules.seconds[0]), rules.seconds[1])
    lost = () if seconds == request.seconds else (f"exact duration (it gets {seconds} seconds)",)
    return {"duration": seconds}, lost


# ---- models -------------------------------------------------------------------------------------------------------


def _seedance(id: str, rules: VideoRules) -> ModelCard:
    return ModelCard(
        id=id,
        raw_id=rules.raw_id,
        provider=NAME,
        vendor=NAME,
        kind=MediaKind.VIDEO,
        params=rules.params,
        endpoint=API + PATH,
        price=seedance_price(rules),
        priced=PRICED,
        read_neutral=read_neutral_video,
        from_neutral=seedance_from_neutral(rules),
        read_inputs=read_first_frame,
        inputs=Inputs(maximum=1),
        further=FURTHER if rules.references else None,
        pictures=PICTURES,
        # The identifier carries the token by which a lost submit is found again.
        owned=frozenset({"model", "callback_url", "safety_identifier"}),
        check=check_seedance(rules),
        check_pictures=check_frame,
        warn=warn_seedance(rules),
        merge=merge_content,
        # A video of 4 seconds was seen to take 108 seconds, one of 14 up to 25 minutes.
        looks=Looks(grace=45.0, quick_window=10.0, quick_pause=2.0, pause=10.0, longest_pause=30.0),
        submit_timeout=SUBMIT_TIMEOUT,
        deadline=3600.0,
        findable=True,
        webhook=True,
        modes=("byok",) if rules.references else ("babysea", "byok"),
        aliases=(f"byteplus/{rules.raw_id}",),
    )


def _rates(full: Micros, reduced: Micros | None = None, *, resolutions: str = "480p 720p 1080p") -> dict[str, Rates]:
    return dict.fromkeys(resolutions.split(), (full, full if reduced is None else reduced))


VIDEO_RULES = {
    "bytedance/seedance-1-pro": VideoRules(
        "seedance-1-0-pro-250528", Seedance1, (2, 12), (2, 12), _rates(2_500_000), areas=_WIDE_AREAS_1
    ),
    "bytedance/seedance-1-pro-fast": VideoRules(
        "seedance-1-0-pro-fast-251015",
        Seedance1,
        (2, 12),
        (2, 12),
        _rates(1_000_000),
        areas=_WIDE_AREAS_1,
        last_frame=False,
    ),
    "bytedance/seedance-1.5-pro": VideoRules(
        "seedance-1-5-pro-251215",
        Seedance15,
        (4, 12),
        (1, 12),
        _rates(2_400_000, 1_200_000),
        is_reduced=is_silent,
        areas=_WIDE_AREAS,
        drafts=True,
    ),
    "bytedance/seedance-2.0": VideoRules(
        "dreamina-seedance-2-0-260128",
        Seedance20,
        (4, 15),
        (4, 15),
        {
            **_rates(7_000_000, 4_300_000, resolutions="480p 720p"),
            "1080p": (7_700_000, 4_700_000),
            "4k": (4_000_000, 2_400_000),
        },
        is_reduced=has_video,
        areas=_WIDE_AREAS,
        references=True,
    ),
    "bytedance/seedance-2.0-fast": VideoRules(
        "dreamina-seedance-2-0-fast-260128",
        Seedance20Fast,
        (4, 15),
        (4, 15),
        _rates(5_600_000, 3_300_000, resolutions="480p 720p"),
        is_reduced=has_video,
        areas=_WIDE_AREAS,
        references=True,
    ),
}

MODELS: dict[str, ModelCard] = {name: _seedance(name, rules) for name, rules in VIDEO_RULES.items()}
