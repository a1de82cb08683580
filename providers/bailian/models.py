"""What Wan's image-to-video models take and cost, and how their words and ours translate into each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from domain.errors import Fault
from domain.media import MediaKind, MediaRequest, PictureLimits
from domain.money import Cost, Micros
from domain.provider import Inputs, Looks, Mapped, ModelCard, Params, PriceNote
from providers._neutral import untold
from providers._params import NativeParams, Prompt

NAME = "bailian"
GATEWAY = "https://api.gpt.ge"
CREATE_PATH = "/task/bailian/image2video"
SUBMIT_TIMEOUT = 60.0

# ---- parameters ---------------------------------------------------------------------------------------------------

# The gateway demands both; these are the maker's own defaults, so both ways in make the same video.
RESOLUTION: Literal["1080P"] = "1080P"
SECONDS: Literal[5] = 5
_MOST_SEED = 2_147_483_647

PICTURES = PictureLimits(
    formats=("image/jpeg", "image/png", "image/bmp", "image/webp"),
    bytes=10_000_000,
    least_side=360,
    most_side=2_000,
    opaque_png=True,
)
"""Newer pages allow 20 MB and larger sides for wan2.6; the strict values are right everywhere."""


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise PydanticCustomError("address", "must be an http or https address")
    return text


class Input(NativeParams):
    """`img_url` is no field here: the chain fills it, or the caller's own is read out of the parameters first."""

    prompt: Prompt = Field(description="What moves, and how the camera moves. Characters after the 1500th are cut off.")
    negative_prompt: Prompt | None = Field(None, description="What the video should not show; 500 characters.")
    audio_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        None, description="A sound to move to, instead of one of the model's own: wav or mp3, 3-30 seconds, 15 MB."
    )
    # An open list, so names are passed on as they come.
    template: Prompt | None = Field(None, description="Name of a video effect; the prompt is then ignored.")


class Parameters(NativeParams):
    prompt_extend: bool = Field(True, description="Let a language model rewrite the prompt.")
    seed: int | None = Field(
        None, ge=0, le=_MOST_SEED, description="The same seed gives a similar video again. Random when left out."
    )
    watermark: bool = Field(False, description="A visible mark; documented by DashScope itself alone.")


class Parameters25(Parameters):
    resolution: Literal["480P", "720P", "1080P"] = Field(RESOLUTION, description="Pixels in all, with a capital P.")
    duration: Literal[5, 10] = Field(SECONDS, description="Seconds.")
    shot_type: Literal["single"] = Field("single", description="One shot: several are for wan2.6.")


class Parameters26(Parameters):
    resolution: Literal["720P", "1080P"] = Field(RESOLUTION, description="Pixels in all, with a capital P.")
    duration: int = Field(SECONDS, ge=2, le=15, description="Seconds.")
    shot_type: Literal["single", "multi"] = Field("single", description="multi: several shots, with prompt_extend.")


class Parameters26Flash(Parameters26):
    audio: bool = Field(True, description="Make a sound track too; a silent video costs half.")


_INPUT = "The prompt, and what else the model is given. A chain adds its picture as img_url."
_PARAMETERS = "How the video is made."


class Wan25(NativeParams):
    input: Input = Field(description=_INPUT)
    parameters: Parameters25 = Field(default_factory=Parameters25, description=_PARAMETERS)


class Wan26(NativeParams):
    input: Input = Field(description=_INPUT)
    parameters: Parameters26 = Field(default_factory=Parameters26, description=_PARAMETERS)


class Wan26Flash(NativeParams):
    input: Input = Field(description=_INPUT)
    parameters: Parameters26Flash = Field(default_factory=Parameters26Flash, description=_PARAMETERS)


@dataclass(frozen=True)
class Rates:
    """Micro-dollars a second."""

    sound: Micros
    silent: Micros | None = None


@dataclass(frozen=True)
class WanRules:
    """What tells one Wan from another."""

    raw_id: str
    params: type[NativeParams]
    rates: Mapping[str, Rates]
    """By resolution."""
    seconds: range | tuple[int, ...]
    approved: tuple[int, ...]
    """Durations that every version of the documentation has."""
    can_be_silent: bool = False


def part(params: Params, name: str) -> Mapping[str, Any]:
    """`input` or `parameters`; empty where there is none, or no object."""
    found = params.get(name)
    return found if isinstance(found, dict) else {}


def warn_wan(rules: WanRules) -> Callable[[Params], list[Fault]]:
    def warn(params: Params) -> list[Fault]:
        return [*_warn_input(part(params, "input")), *_warn_parameters(rules, params)]

    return warn


def _warn_input(given: Params) -> list[Fault]:
    faults = []
    # Some copies of the reference say 2000.
    for slot, most in (("prompt", 1500), ("negative_prompt", 500)):
        if len(given.get(slot) or "") > most:
            faults.append(Fault(("input", slot), f"{slot}: what follows the first {most} characters is cut off"))
    if given.get("template") is not None:
        faults.append(Fault(("input", "template"), "template: with a video effect the prompt is ignored"))
    suffix = PurePosixPath(urlsplit(given.get("audio_url") or "").path).suffix.lower()
    if suffix not in ("", ".wav", ".mp3"):
        faults.append(Fault(("input", "audio_url"), "audio_url: documented are wav and mp3"))
    return faults


def _warn_parameters(rules: WanRules, params: Params) -> list[Fault]:
    given, faults = part(params, "parameters"), []
    if (seconds := given.get("duration", SECONDS)) not in rules.approved:
        known = ", ".join(map(str, rules.approved))
        faults.append(Fault(("parameters", "duration"), f"duration {seconds}: older pages know {known} only"))
    if given.get("shot_type") == "multi" and given.get("prompt_extend") is False:
        faults.append(Fault(("parameters", "shot_type"), "shot_type multi: has no effect without prompt_extend"))
    if given.get("audio") is False and part(params, "input").get("audio_url"):
        faults.append(Fault(("parameters", "audio"), "audio false: has no effect with an audio_url"))
    if given.get("watermark"):
        faults.append(Fault(("parameters", "watermark"), "watermark: documented by DashScope, not by the gateway"))
    return faults


_AREAS = {"480P": 832 * 480, "720P": 1280 * 720, "1080P": 1920 * 1080}


def advise(params: Params, width: int, height: int) -> str | None:
    """The video has the picture's shape and the resolution's area: a smaller picture only looks blurred in it."""
    resolution = part(params, "parameters").get("resolution", RESOLUTION)
    if width * height >= (area := _AREAS[resolution]):
        return None
    return f"its maker advises as many pixels as {resolution} makes, {area} in all"


def read_img_url(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    given = part(params, "input")
    picture = given.get("img_url")
    if not isinstance(picture, str):
        return (), dict(params)
    rest = {slot: value for slot, value in given.items() if slot != "img_url"}
    return (picture,), {**params, "input": rest}


def merge_parts(mapped: Params, native: Params) -> dict[str, Any]:
    """Native values win one by one, within `input` and within `parameters`."""
    merged = {**mapped, **native}
    for name in mapped.keys() & native.keys():
        if isinstance(native[name], dict):
            merged[name] = {**mapped[name], **native[name]}
    return merged


# ---- prices (the maker's list prices in US dollars a second, September 2026; the gateway's own are not published) --

PRICED = PriceNote(date(2026, 9, 1), "the maker's list prices, by resellers; the gateway's own are not published")


def rate_of(rules: WanRules, params: Params) -> Micros:
    given = part(params, "parameters")
    rates = rules.rates[given.get("resolution", RESOLUTION)]
    is_silent = given.get("audio") is False and not part(params, "input").get("audio_url")
    return rates.silent if is_silent and rates.silent is not None else rates.sound


def wan_price(rules: WanRules) -> Callable[[Params, int], Cost]:
    def price(params: Params, pictures: int) -> Cost:
        return Cost.exactly(rate_of(rules, params) * part(params, "parameters").get("duration", SECONDS))

    return price


# ---- between providers --------------------------------------------------------------------------------------------


def read_neutral(params: Params) -> MediaRequest:
    given, parameters = part(params, "input"), part(params, "parameters")
    resolution = parameters.get("resolution")
    return MediaRequest(
        kind=MediaKind.VIDEO,
        prompt=given.get("prompt"),
        negative_prompt=given.get("negative_prompt"),
        resolution=resolution.lower() if resolution else None,
        seconds=parameters.get("duration"),
        seed=parameters.get("seed"),
        audio=parameters.get("audio"),
        enhance_prompt=parameters.get("prompt_extend"),
    )


def wan_from_neutral(rules: WanRules) -> Callable[[MediaRequest], Mapped]:
    """There is no field for the ratio: the video has the picture's."""

    def from_neutral(request: MediaRequest) -> Mapped:
        texts = {"prompt": request.prompt, "negative_prompt": request.negative_prompt}
        parameters: dict[str, Any] = {}
        told = {"prompt", "negative_prompt", "seconds", "enhance_prompt", "audio"}
        lost: tuple[str, ...] = ()
        resolution = (request.resolution or "").upper()
        if resolution in rules.rates:
            parameters["resolution"] = resolution
            told.add("resolution")
        if request.seconds is not None:
            seconds = min(rules.seconds, key=lambda choice: abs(choice - request.seconds))
            parameters["duration"] = seconds
            lost += () if seconds == request.seconds else (f"exact duration (it gets {seconds} seconds)",)
        if request.seed is not None and 0 <= request.seed <= _MOST_SEED:
            parameters["seed"] = request.seed
            told.add("seed")
        if request.enhance_prompt is not None:
            parameters["prompt_extend"] = request.enhance_prompt
        if request.audio is not None and rules.can_be_silent:
            parameters["audio"] = request.audio
        elif request.audio is False:
            lost += ("silence (it always makes sound)",)
        if request.output_format == "mp4":
            told.add("output_format")
        parts = {"input": {slot: text for slot, text in texts.items() if text is not None}, "parameters": parameters}
        return Mapped({name: values for name, values in parts.items() if values}, untold(request, told) + lost)

    return from_neutral


# ---- models -------------------------------------------------------------------------------------------------------

_HINTS = (
    "Picture: JPEG, PNG without transparency, BMP or WebP, 360 to 2000 pixels on each side, at most 10 MB. It should "
    "have as many pixels as the resolution makes; the video keeps its shape, so 720P of a square is about 960 by 960.",
    "In a chain: the step before is asked for a picture within those limits, or this model gets a scaled copy.",
    "Prompt: describe the motion and the camera; the picture already shows the rest.",
    "Sound: audio_url replaces the model's own; what is longer than the video is cut, what is shorter ends in silence.",
)
_PRICE = "The price is the maker's list price. What the gateway charges is not published."


def _wan(rules: WanRules) -> ModelCard:
    return ModelCard(
        id=f"{NAME}/{rules.raw_id}",
        raw_id=rules.raw_id,
        provider=NAME,
        vendor="alibaba",
        kind=MediaKind.VIDEO,
        params=rules.params,
        endpoint=GATEWAY + CREATE_PATH,
        price=wan_price(rules),
        priced=PRICED,
        read_neutral=read_neutral,
        from_neutral=wan_from_neutral(rules),
        read_inputs=read_img_url,
        inputs=Inputs(minimum=1, maximum=1),
        pictures=PICTURES,
        merge=merge_parts,
        # There is no callback_url in this call; it is named because callers know it from other video models.
        owned=frozenset({"model", "callback_url"}),
        warn=warn_wan(rules),
        advise=advise,
        # A video takes one to five minutes. Without a callback there is nothing to wait for but our own looks.
        looks=Looks(quick_window=10.0, quick_pause=3.0, pause=10.0, longest_pause=15.0),
        submit_timeout=SUBMIT_TIMEOUT,
        deadline=1200.0,
        modes=("byok",),
        hints=_HINTS,
        notes=(_PRICE,),
    )


WAN_RULES = {
    rules.raw_id: rules
    for rules in (
        WanRules(
            "wan2.6-i2v",
            Wan26,
            {"720P": Rates(100_000), "1080P": Rates(150_000)},
            seconds=range(2, 16),
            approved=(5, 10, 15),
        ),
        WanRules(
            "wan2.6-i2v-flash",
            Wan26Flash,
            {"720P": Rates(50_000, silent=25_000), "1080P": Rates(75_000, silent=37_500)},
            seconds=range(2, 16),
            approved=(5, 10, 15),
            can_be_silent=True,
        ),
        WanRules(
            "wan2.5-i2v-preview",
            Wan25,
            # The price of 1080P is inferred from that in yuan, which is wan2.6's.
            {"480P": Rates(50_000), "720P": Rates(100_000), "1080P": Rates(150_000)},
            seconds=(5, 10),
            approved=(5, 10),
        ),
    )
}

MODELS: dict[str, ModelCard] = {card.id: card for card in map(_wan, WAN_RULES.values())}
