"""What RelayDance's video models take and cost, and how their words and ours translate into each other."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.errors import Fault
from domain.media import MediaKind, MediaRequest, PictureLimits
from domain.money import Cost
from domain.provider import Inputs, Looks, Mapped, ModelCard, Params
from providers._neutral import asked_size, nearest_ratio, untold
from providers._params import UPLOAD, NativeParams, Prompt
from providers.relaydance.citations import both_ways, check_pictures, cites_beyond, warn_pictures
from providers.relaydance.references import (
    FIRST_FRAME,
    FURTHER,
    LAST_FRAME,
    MOST_PICTURES,
    REFERENCE,
    REFERENCE_AUDIO,
    REFERENCE_VIDEO,
    content_of,
    read_pictures,
)

NAME = "relaydance"
API = "https://relaydance.com/v1"
PATH = "/video/generations"

UPLOADS_TIMEOUT = 15.0
"""Less than a submit has to prepare itself (`activities.fence.PREPARATION`)."""
SUBMIT_TIMEOUT = 60.0

# ---- parameters ---------------------------------------------------------------------------------------------------

# `asset://` names a file of the account's own library. Only clients of the gateway know it, its pages do not.
_HOSTED = r"^(https?|asset)://"
Hosted = Annotated[
    str,
    Field(
        pattern=_HOSTED,
        description="A hosted address; a data URI is none. For a picture also the id of an upload.",
        json_schema_extra={"pattern": f"{_HOSTED}|{UPLOAD}"},
    ),
]


class Address(NativeParams):
    url: Hosted


class ContentItem(NativeParams):
    """One model for all three types, so that a fault's path is the caller's own: a union would put its tags into it."""

    type: Literal["image_url", "video_url", "audio_url"] = Field(
        description="Which one of the other fields holds the content."
    )
    image_url: Address | None = Field(None, description="A picture.")
    video_url: Address | None = Field(None, description="A video to refer to, of 15 seconds at most.")
    audio_url: Address | None = Field(None, description="A sound to refer to, of 15 seconds at most.")
    role: Literal["reference_image", "first_frame", "last_frame", "reference_video", "reference_audio"] = Field(
        description="What the item is for. A first_frame is the start picture of a step that no other feeds."
    )


class Metadata(NativeParams):
    """Whatever is not the gateway's own. The answer to a read repeats it."""

    ratio: Literal["16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "adaptive"] | None = Field(
        None, description="Width to height; adaptive follows the picture."
    )
    resolution: Literal["480p", "720p", "1080p"] | None = Field(None, description="Lines of the video.")
    watermark: bool | None = Field(None, description="A visible mark in the corner.")
    content: list[ContentItem] = Field(
        [],
        description="Up to 9 pictures, 3 videos and 3 sounds. A chain puts its own picture first, as @image1.",
    )


class MetadataWithSound(Metadata):
    generate_audio: bool | None = Field(None, description="Make a sound track too.")


class Clip(NativeParams):
    prompt: Prompt = Field(
        description="What should happen. @image1, @image2 ... cite the pictures in their order; "
        "a prompt that cites none gets @image1 put in front."
    )
    # 15 is documented as the most of any model; what each model takes is known from clients only, hence a warning.
    seconds: str | None = Field(None, pattern=r"^([1-9]|1[0-5])$", description='Length as a string, such as "5".')
    metadata: Metadata = Field(default_factory=Metadata, description="Shape, references and the model's own switches.")


class ClipWithSound(Clip):
    metadata: MetadataWithSound = Field(
        default_factory=MetadataWithSound, description="Shape, references and the model's own switches."
    )


# RelayDance publishes no limits. For uploads these are inferred; for Seedance they are its maker's.
UPLOADS = PictureLimits(formats=("image/jpeg", "image/png", "image/webp"), bytes=20_000_000)
SEEDANCE_PICTURES = replace(UPLOADS, least_side=300, most_side=6_000, ratio=(0.4, 2.5))


@dataclass(frozen=True)
class Rules:
    """What tells one model from another, as clients of the gateway found it; its pages give no table."""

    seconds: tuple[int, int]
    resolutions: tuple[str, ...]
    sound: bool | None = None
    """Whether the id itself decides that there is a sound track."""
    params: type[Clip] = Clip
    least_pictures: int = 0
    at_its_maker: int | None = None
    """How many pictures the model takes at its maker, where that is fewer than RelayDance takes."""
    pictures: PictureLimits = SEEDANCE_PICTURES
    notes: tuple[str, ...] = ()

    @property
    def can_be_told_of_sound(self) -> bool:
        return self.params is ClipWithSound


# ---- rules --------------------------------------------------------------------------------------------------------

_ROLES = {
    "image_url": (REFERENCE, FIRST_FRAME, LAST_FRAME),
    "video_url": (REFERENCE_VIDEO,),
    "audio_url": (REFERENCE_AUDIO,),
}
# Inferred for the frames: there is one beginning and one end.
_MOST = {REFERENCE: MOST_PICTURES, REFERENCE_VIDEO: 3, REFERENCE_AUDIO: 3, FIRST_FRAME: 1, LAST_FRAME: 1}


def check_clip(params: Params) -> list[Fault]:
    content = content_of(params)
    faults = [*_check_items(content), *_check_together(content)]
    if cites_beyond(params.get("prompt", ""), MOST_PICTURES):
        faults.append(Fault(("prompt",), f"must cite pictures as @image1 to @image{MOST_PICTURES}"))
    return faults


def _check_items(content: list[dict[str, Any]]) -> Iterable[Fault]:
    for index, item in enumerate(content):
        kind = item["type"]
        place = ("metadata", "content", index)
        if item.get(kind) is None:
            yield Fault((*place, kind), f"is missing: an item of type {kind} holds it")
        for other in _ROLES:
            if other != kind and item.get(other) is not None:
                yield Fault((*place, other), f"does not belong into an item of type {kind}")
        if item["role"] not in _ROLES[kind]:
            yield Fault((*place, "role"), f"must be {' or '.join(_ROLES[kind])} in an item of type {kind}")


def _check_together(content: list[dict[str, Any]]) -> Iterable[Fault]:
    roles = [item["role"] for item in content]
    if REFERENCE in roles and not {FIRST_FRAME, LAST_FRAME}.isdisjoint(roles):
        yield both_ways()
    for role, most in _MOST.items():
        if roles.count(role) > most:
            yield Fault(("metadata", "content"), f"must hold at most {most} of role {role}")
    if _repeats(content):
        yield Fault(("metadata", "content"), "names the same picture twice; cite it twice instead")


def _repeats(content: list[dict[str, Any]]) -> bool:
    urls = [item["image_url"]["url"] for item in content if item["role"] == REFERENCE and item.get("image_url")]
    return len(set(urls)) < len(urls)


_DOCUMENTED_RATIOS = ("16:9", "9:16", "1:1")
_LONGEST_PROMPT = 2_000


def warn_clip(rules: Rules) -> Callable[[Params], list[Fault]]:
    def warn(params: Params) -> list[Fault]:
        return list(_warn(rules, params, params.get("metadata", {})))

    return warn


def _warn(rules: Rules, params: Params, metadata: Mapping[str, Any]) -> Iterable[Fault]:
    seconds, resolution, ratio = params.get("seconds"), metadata.get("resolution"), metadata.get("ratio")
    low, high = rules.seconds
    if seconds is not None and not low <= int(seconds) <= high:
        yield Fault(("seconds",), f"seconds {seconds}: clients of RelayDance know {low} to {high} for this model")
    if resolution is not None and resolution not in rules.resolutions:
        known = ", ".join(rules.resolutions)
        yield Fault(("metadata", "resolution"), f"resolution {resolution}: clients know {known} for this model")
    if ratio is not None and ratio not in _DOCUMENTED_RATIOS:
        yield Fault(("metadata", "ratio"), f"ratio {ratio}: used by clients, not in RelayDance's documentation")
    if metadata.get("watermark") is not None:
        yield Fault(("metadata", "watermark"), "watermark: used by clients, not in RelayDance's documentation")
    for index, item in enumerate(content_of(params)):
        if item["role"] in (FIRST_FRAME, LAST_FRAME):
            where = ("metadata", "content", index, "role")
            yield Fault(where, f"role {item['role']}: used by clients, not in RelayDance's documentation")
    if len(params["prompt"]) > _LONGEST_PROMPT:
        yield Fault(("prompt",), f"prompt: a client of RelayDance cuts it at {_LONGEST_PROMPT} characters")


# ---- words of our own beside native ones ----------------------------------------------------------------------------


def merge_metadata(mapped: Params, native: Params) -> dict[str, Any]:
    """Native fields win, in `metadata` one by one."""
    merged = {**mapped, **native}
    if isinstance(native.get("metadata"), dict):
        merged["metadata"] = {**mapped.get("metadata", {}), **native["metadata"]}
    return merged


# ---- prices -------------------------------------------------------------------------------------------------------


def price(params: Params, pictures: int) -> Cost:
    """RelayDance charges by clip, and publishes no figure in its pages, only a live feed of its gateway (2026-11-20).

    What its models cost at their makers says little: RelayDance advertises 30 percent and more below that.
    """
    return Cost.unknown()


# ---- between providers --------------------------------------------------------------------------------------------

_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")


def clip_to_neutral(rules: Rules) -> Callable[[Params], MediaRequest]:
    def read_neutral(params: Params) -> MediaRequest:
        metadata = params.get("metadata", {})
        first, last = (
            tuple(item["image_url"]["url"] for item in content_of(params) if item["role"] == role)
            for role in (FIRST_FRAME, LAST_FRAME)
        )
        seconds, ratio = params.get("seconds"), metadata.get("ratio")
        return MediaRequest(
            kind=MediaKind.VIDEO,
            prompt=params.get("prompt"),
            images=first,
            last_frame=last[0] if last else None,
            # Adaptive says that the caller wishes nothing in particular.
            ratio=ratio if ratio != "adaptive" else None,
            resolution=metadata.get("resolution"),
            seconds=None if seconds is None else int(seconds),
            audio=metadata.get("generate_audio") if rules.can_be_told_of_sound else rules.sound,
            watermark=metadata.get("watermark"),
        )

    return read_neutral


def clip_from_neutral(rules: Rules) -> Callable[[MediaRequest], Mapped]:
    def from_neutral(request: MediaRequest) -> Mapped:
        told = {"ratio", "seconds"} | ({"width", "height"} if asked_size(request) else set())
        metadata: dict[str, Any] = {}
        ratio, lost = ("adaptive", ()) if request.ratio == "adaptive" else nearest_ratio(request, _RATIOS)
        if ratio is not None:
            metadata["ratio"] = ratio
        if request.resolution in rules.resolutions:
            metadata["resolution"] = request.resolution
            told.add("resolution")
        if request.watermark is not None:
            metadata["watermark"] = request.watermark
            told.add("watermark")
        sound, silence_lost = _sound_from_neutral(rules, request)
        if sound is not None:
            metadata["generate_audio"] = sound
        if sound is not None or rules.sound:
            told.add("audio")
        if request.output_format == "mp4":
            told.add("output_format")
        seconds, inexact = _seconds_from_neutral(rules, request)
        params = ({} if request.prompt is None else {"prompt": request.prompt}) | seconds
        # A last frame is not told: the chain's picture goes as a reference, and references exclude frames.
        return Mapped(
            params | ({"metadata": metadata} if metadata else {}),
            untold(request, told) + lost + inexact + silence_lost,
        )

    return from_neutral


def _sound_from_neutral(rules: Rules, request: MediaRequest) -> tuple[bool | None, tuple[str, ...]]:
    if rules.can_be_told_of_sound:
        return request.audio, ()
    return None, ("silence",) if rules.sound and request.audio is False else ()


def _seconds_from_neutral(rules: Rules, request: MediaRequest) -> tuple[dict[str, Any], tuple[str, ...]]:
    if request.seconds is None:
        return {}, ()
    seconds = min(max(request.seconds, rules.seconds[0]), rules.seconds[1])
    lost = () if seconds == request.seconds else (f"exact duration (it gets {seconds} seconds)",)
    return {"seconds": str(seconds)}, lost


# ---- models -------------------------------------------------------------------------------------------------------


def _card(raw_id: str, rules: Rules) -> ModelCard:
    return ModelCard(
        id=f"{NAME}/{raw_id}",
        raw_id=raw_id,
        provider=NAME,
        vendor=NAME,
        kind=MediaKind.VIDEO,
        params=rules.params,
        endpoint=API + PATH,
        price=price,
        read_neutral=clip_to_neutral(rules),
        from_neutral=clip_from_neutral(rules),
        read_inputs=read_pictures,
        inputs=Inputs(minimum=rules.least_pictures, maximum=MOST_PICTURES),
        further=FURTHER,
        pictures=rules.pictures,
        owned=frozenset({"model", "callback_url"}),
        check=check_clip,
        check_pictures=check_pictures,
        warn=warn_clip(rules),
        warn_pictures=warn_pictures(at_its_maker=rules.at_its_maker),
        merge=merge_metadata,
        # RelayDance's samples ask every 5 seconds.
        looks=Looks(grace=30.0, quick_window=10.0, quick_pause=2.0, pause=5.0, longest_pause=15.0),
        submit_timeout=UPLOADS_TIMEOUT + SUBMIT_TIMEOUT,
        deadline=1200.0,
        webhook=True,
        modes=("byok",),
        hints=(
            "The chain's picture is @image1; pictures of your own follow in the order of metadata.content.",
            "Reference pictures exclude first and last frames, and a picture that the chain hands on is a reference.",
        ),
        notes=rules.notes,
    )


_ALL_RESOLUTIONS = ("480p", "720p", "1080p")

MODELS: dict[str, ModelCard] = {
    card.id: card
    for card in (
        _card("seedance-1-5-pro-with-audio", Rules((4, 12), _ALL_RESOLUTIONS, sound=True)),
        _card("seedance-1-5-pro-no-audio", Rules((4, 12), _ALL_RESOLUTIONS, sound=False)),
        _card("doubao-seedance-2-0-1080p", Rules((4, 15), ("1080p",), params=ClipWithSound)),
        _card(
            "happyhorse-1.0-i2v",
            Rules(
                (3, 15),
                ("720p", "1080p"),
                least_pictures=1,
                at_its_maker=1,
                pictures=UPLOADS,
                notes=("At its maker it takes exactly one picture.",),
            ),
        ),
    )
}
