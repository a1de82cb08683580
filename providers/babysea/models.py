"""What BabySea's models take and cost. Their native parameters are the contract's own `generation_*` words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from domain.errors import Fault
from domain.media import MediaKind, MediaRequest, PictureLimits
from domain.money import Cost, Micros
from domain.provider import Inputs, Looks, Mapped, ModelCard, Params, PriceNote
from providers._neutral import asked_size, nearest_ratio, proportion, untold
from providers._params import NativeParams, NotBlank, Prompt

NAME = "babysea"
API = "https://api.us.babysea.ai"
SUBMIT_TIMEOUT = 60.0
ESTIMATE_TIMEOUT = 3.0

INPUT_FILE, LAST_FRAME = "generation_input_file", "generation_input_file_last_content"
PREFIX = "generation_"

# ---- parameters ---------------------------------------------------------------------------------------------------


def _jpg(value: object) -> object:
    """BabySea knows the shorter spelling only; callers write both."""
    return "jpg" if value == "jpeg" else value


class Words(NativeParams):
    """A model may have words of its own (`specific_schema` of BabySea's catalogue), which nobody here can know: any
    word that starts with `generation_` is passed on, with a warning. Anything else is never sent.
    """

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"additionalProperties": False, "patternProperties": {f"^{PREFIX}": {}}},
    )

    generation_prompt: Prompt = Field(description="What the picture should show, or what should happen.")
    generation_ratio: Annotated[str, NotBlank] | None = Field(None, description="Width to height, such as 16:9.")
    generation_resolution: Annotated[str, NotBlank] | None = Field(None, description="Such as 720p.")
    generation_provider_order: Annotated[str, NotBlank] | None = Field(
        None, description="`fastest`, or upstreams in the order to try them, such as `bfl, replicate`."
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_other_words(cls, value: Any) -> Any:
        others = [name for name in value if name not in cls.model_fields and not name.startswith(PREFIX)]
        if others:
            raise ValidationError.from_exception_data(
                cls.__name__,
                [InitErrorDetails(type="extra_forbidden", loc=(name,), input=value[name]) for name in others],
            )
        return value


class Picture(Words):
    generation_output_format: Annotated[Literal["png", "jpg", "webp"] | None, BeforeValidator(_jpg)] = Field(
        None, description="File format."
    )
    generation_output_number: int = Field(1, ge=1, description="How many pictures. The chain hands on the first.")


class Clip(Words):
    generation_duration: int | None = Field(None, ge=1, description="Seconds. BabySea requires it.")
    generation_generate_audio: bool | None = Field(None, description="Make a sound track too.")
    generation_output_format: Literal["mp4"] = Field("mp4", description="File format.")
    generation_output_number: int = Field(1, ge=1, le=1, description="One clip at a time.")
    generation_input_file_last_content: str | None = Field(
        None, pattern="^https?://", description="Address of the last frame, where the model takes one."
    )


def defaults(card: ModelCard) -> dict[str, Any]:
    """What the contract has the server add."""
    shape = {"generation_output_format": "mp4"} if card.kind is MediaKind.VIDEO else {}
    return {"generation_output_number": 1, **shape}


def read_files(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    files = params.get(INPUT_FILE)
    if not isinstance(files, list) or not all(isinstance(url, str) for url in files):
        return (), dict(params)
    return tuple(files), {name: value for name, value in params.items() if name != INPUT_FILE}


# ---- rules --------------------------------------------------------------------------------------------------------

_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4")
_RESOLUTIONS = ("480p", "720p", "1080p")
_UPSTREAMS = frozenset({"alibabacloud", "bfl", "byteplus", "cloudflare", "fal", "openai", "replicate", "runway"})
_MOST_UPSTREAMS = 3


def upstreams(order: str) -> list[str]:
    return [name.strip() for name in order.split(",")]


def check_picture(params: Params) -> list[Fault]:
    return _check_files(params)


def check_clip(params: Params) -> list[Fault]:
    """Required by BabySea, and by the contract: here, or as `video_duration` beside the models."""
    faults = _check_files(params)
    if params.get("generation_duration") is None:
        faults.append(Fault(("generation_duration",), "is missing: give the seconds here or as video_duration"))
    return faults


def _check_files(params: Params) -> list[Fault]:
    """A list of addresses was taken out before: what still stands here is none."""
    return [Fault((INPUT_FILE,), "must be a list of picture addresses")] if INPUT_FILE in params else []


@dataclass(frozen=True)
class Rules:
    """What tells one model from another. Each model's own lists stand in BabySea's live catalogue only."""

    seconds: tuple[int, int] | None = None
    """What the model's maker takes."""
    each: tuple[Micros, Micros] | None = None
    """Low and high price of one picture."""


def warn_of(rules: Rules, params_type: type[Words]) -> Callable[[Params], list[Fault]]:
    def warn(params: Params) -> list[Fault]:
        return [Fault((name,), said) for name, said in _warn(rules, params_type, params)]

    return warn


def _warn(rules: Rules, params_type: type[Words], params: Params) -> Iterable[tuple[str, str]]:
    ratio, resolution = params.get("generation_ratio"), params.get("generation_resolution")
    seconds, order = params.get("generation_duration"), params.get("generation_provider_order")
    if ratio is not None and ratio not in _RATIOS:
        yield "generation_ratio", f"generation_ratio {ratio}: BabySea's models often take {', '.join(_RATIOS)} only"
    if resolution is not None and resolution not in _RESOLUTIONS:
        known = ", ".join(_RESOLUTIONS)
        yield "generation_resolution", f"generation_resolution {resolution}: BabySea documents {known}"
    if resolution is None and params_type is Clip:
        yield "generation_resolution", "generation_resolution: BabySea requires it of models that it prices by it"
    if seconds is not None and rules.seconds is not None and not rules.seconds[0] <= seconds <= rules.seconds[1]:
        low, high = rules.seconds
        yield "generation_duration", f"generation_duration {seconds}: the model's maker takes {low} to {high} seconds"
    if order is not None:
        yield from (("generation_provider_order", said) for said in _warn_order(order))
    for name in params:
        if name not in params_type.model_fields:
            yield name, f"{name}: not a word that all models of BabySea take; its edge refuses what this one does not"


def _warn_order(order: str) -> Iterable[str]:
    names = upstreams(order)
    if unknown := [name for name in names if name not in _UPSTREAMS | {"fastest"}]:
        yield f"generation_provider_order: BabySea's upstreams are {', '.join(sorted(_UPSTREAMS))}, not {unknown}"
    if len(names) > _MOST_UPSTREAMS:
        yield f"generation_provider_order: BabySea tries at most {_MOST_UPSTREAMS} upstreams"


# ---- prices -------------------------------------------------------------------------------------------------------

PRICED = PriceNote(date(2026, 1, 1), "BabySea's published examples")


def price_of(rules: Rules) -> Callable[[Params, int], Cost]:
    """1 credit is 1 USD. Where no figure is published, BabySea's own estimate is asked when the job is started."""

    def price(params: Params, pictures: int) -> Cost:
        if rules.each is None:
            return Cost.unknown()
        low, high = (each * params.get("generation_output_number", 1) for each in rules.each)
        return Cost(low, high)

    return price


# ---- between providers --------------------------------------------------------------------------------------------

_USUAL_SECONDS = 5


def read_neutral_of(kind: MediaKind) -> Callable[[Params], MediaRequest]:
    def read_neutral(params: Params) -> MediaRequest:
        written = params.get("generation_output_format")
        return MediaRequest(
            kind=kind,
            prompt=params.get("generation_prompt"),
            last_frame=params.get(LAST_FRAME),
            ratio=params.get("generation_ratio"),
            resolution=params.get("generation_resolution"),
            seconds=params.get("generation_duration"),
            audio=params.get("generation_generate_audio"),
            output_format="jpeg" if written == "jpg" else written,
        )

    return read_neutral


def picture_from_neutral(request: MediaRequest) -> Mapped:
    params, told, lost = _common(request)
    if request.output_format in ("jpeg", "png", "webp"):
        params["generation_output_format"] = _jpg(request.output_format)
        told.add("output_format")
    return Mapped(params, untold(request, told) + lost)


def clip_from_neutral(request: MediaRequest) -> Mapped:
    params, told, lost = _common(request)
    if request.resolution in _RESOLUTIONS:
        params["generation_resolution"] = request.resolution
        told.add("resolution")
    if request.seconds is not None and request.seconds > 0:
        params["generation_duration"] = request.seconds
        told.add("seconds")
    if request.audio is not None:
        params["generation_generate_audio"] = request.audio
        told.add("audio")
    if request.last_frame is not None:
        params[LAST_FRAME] = request.last_frame
        told.add("last_frame")
    if request.output_format == "mp4":
        told.add("output_format")
    if params:
        # Another provider's model has a length of its own where none was said; BabySea asks for one.
        params.setdefault("generation_duration", _USUAL_SECONDS)
    return Mapped(params, untold(request, told) + lost)


def _common(request: MediaRequest) -> tuple[dict[str, Any], set[str], tuple[str, ...]]:
    params: dict[str, Any] = {} if request.prompt is None else {"generation_prompt": request.prompt}
    told = {"ratio"} | ({"width", "height"} if asked_size(request) else set())
    ratio, lost = request.ratio, tuple[str, ...]()
    if ratio is None or proportion(ratio) is None:
        ratio, lost = nearest_ratio(request, _RATIOS)
    if ratio is not None:
        params["generation_ratio"] = ratio
    return params, told, lost


# ---- models -------------------------------------------------------------------------------------------------------

# "JPEG, PNG, WebP only" is documented of every input.
_PICTURES = PictureLimits(formats=("image/jpeg", "image/png", "image/webp"))
_NOTES = ("Each model's own lists of ratios, seconds and resolutions stand in BabySea's live catalogue only.",)


def _picture(id: str, vendor: str, pictures: int, rules: Rules = Rules()) -> ModelCard:
    return ModelCard(
        id=id,
        # BabySea's identifiers are the public ones.
        raw_id=id,
        provider=NAME,
        vendor=vendor,
        kind=MediaKind.IMAGE,
        params=Picture,
        endpoint=f"{API}/v1/generate/image/{id}",
        price=price_of(rules),
        priced=PRICED,
        read_neutral=read_neutral_of(MediaKind.IMAGE),
        from_neutral=picture_from_neutral,
        read_inputs=read_files,
        inputs=Inputs(maximum=pictures),
        pictures=_PICTURES,
        check=check_picture,
        warn=warn_of(rules, Picture),
        # A webhook may be late, and its own SDK looks every 2 seconds.
        looks=Looks(grace=3.0, quick_window=10.0, quick_pause=2.0, pause=5.0, longest_pause=20.0),
        submit_timeout=SUBMIT_TIMEOUT + ESTIMATE_TIMEOUT,
        # Three upstreams of 60 s and their pauses make 210; the SDK waits 10 minutes in all.
        deadline=600.0,
        honours_key=True,
        webhook=True,
        modes=("babysea",),
        speaks_words=True,
        notes=_NOTES,
    )


def _clip(id: str, vendor: str, rules: Rules) -> ModelCard:
    return ModelCard(
        id=id,
        raw_id=id,
        provider=NAME,
        vendor=vendor,
        kind=MediaKind.VIDEO,
        params=Clip,
        endpoint=f"{API}/v1/generate/video/{id}",
        price=price_of(rules),
        priced=PRICED,
        read_neutral=read_neutral_of(MediaKind.VIDEO),
        from_neutral=clip_from_neutral,
        read_inputs=read_files,
        inputs=Inputs(maximum=1),
        pictures=_PICTURES,
        check=check_clip,
        warn=warn_of(rules, Clip),
        looks=Looks(grace=8.0, quick_window=10.0, quick_pause=2.0, pause=5.0, longest_pause=20.0),
        submit_timeout=SUBMIT_TIMEOUT + ESTIMATE_TIMEOUT,
        # Three upstreams of 250 s and their pauses make 790.
        deadline=1800.0,
        honours_key=True,
        webhook=True,
        modes=("babysea",),
        speaks_words=True,
        notes=_NOTES,
    )


_BFL, _BYTEPLUS = "black-forest-labs", "byteplus"

# How many pictures a model takes, and the seconds of its clips, are its maker's figures: inferred to hold here too.
MODELS: dict[str, ModelCard] = {
    card.id: card
    for card in (
        _picture("bfl/flux-schnell", _BFL, 0, Rules(each=(4_000, 5_000))),
        _picture("bfl/flux-1.1-pro", _BFL, 1, Rules(each=(52_000, 52_000))),
        _picture("bfl/flux-1.1-pro-ultra", _BFL, 1),
        _picture("bfl/flux-2-klein-4b", _BFL, 4),
        _picture("bfl/flux-2-klein-9b", _BFL, 4),
        _picture("bfl/flux-2-flex", _BFL, 8),
        _picture("bfl/flux-2-pro", _BFL, 8),
        _picture("bfl/flux-2-max", _BFL, 8),
        _picture("bytedance/seedream-4", _BYTEPLUS, 10),
        _picture("bytedance/seedream-4.5", _BYTEPLUS, 10),
        _picture("bytedance/seedream-5-lite", _BYTEPLUS, 10),
        _clip("bytedance/seedance-1-pro", _BYTEPLUS, Rules((2, 12))),
        _clip("bytedance/seedance-1-pro-fast", _BYTEPLUS, Rules((2, 12))),
        _clip("bytedance/seedance-1.5-pro", _BYTEPLUS, Rules((4, 12))),
        _clip("google/veo-2", "google", Rules((5, 8))),
    )
}
