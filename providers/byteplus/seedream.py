"""Seedream: what the picture models take and cost, and how their words and ours translate into each other."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from domain.errors import Fault
from domain.media import MediaKind, MediaRequest, PictureLimits
from domain.money import Cost, Micros
from domain.provider import Inputs, Mapped, ModelCard, Params, PriceNote
from providers._neutral import asked_size, fit_size, nearest_ratio, untold
from providers._params import Jpeg, NativeParams, Prompt
from providers.byteplus.ark import API, NAME, WebSearch

PATH = "/images/generations"
SUBMIT_TIMEOUT = 900.0
"""The answer comes when the pictures are done: fifteen large ones were seen to take 869 seconds."""

# ---- parameters ---------------------------------------------------------------------------------------------------


class SequentialOptions(NativeParams):
    max_images: int = Field(15, ge=1, le=15, description="At most this many; input and output pictures together 15.")


class PromptOptions(NativeParams):
    mode: Literal["standard"] = Field("standard", description="How the prompt is rewritten.")


class FastPromptOptions(NativeParams):
    mode: Literal["standard", "fast"] = Field("standard", description="How the prompt is rewritten.")


def _a_size(text: str) -> str:
    if not re.fullmatch(r"[1-9]K|[1-9]\d{1,4}x[1-9]\d{1,4}", text):
        raise PydanticCustomError("size", "must be a class such as 2K, or a size such as 2048x2048")
    return text


class Seedream(NativeParams):
    prompt: Prompt = Field(description="What the picture should show. Advised: at most 600 English words.")
    size: Annotated[str, AfterValidator(_a_size)] = Field(
        "2048x2048", description="A class such as 2K, or width x height in pixels such as 2048x2048."
    )
    sequential_image_generation: Literal["auto", "disabled"] = Field(
        "disabled", description="auto: the model may make several pictures that belong together."
    )
    sequential_image_generation_options: SequentialOptions | None = Field(None, description="With auto.")
    # A step hands on addresses, and one answer is read as a whole; both fields are accepted with that value alone.
    response_format: Literal["url"] = Field("url", description="Always url: steps hand on addresses.")
    stream: Literal[False] = Field(False, description="Always false.")
    watermark: bool = Field(True, description="A visible mark in the corner.")


class Seedream45(Seedream):
    optimize_prompt_options: PromptOptions | None = Field(None, description="How the prompt is rewritten.")


class Seedream40(Seedream):
    optimize_prompt_options: FastPromptOptions | None = Field(None, description="How the prompt is rewritten.")


class Seedream5Lite(Seedream45):
    output_format: Annotated[Literal["png", "jpeg"], Jpeg] = Field("jpeg", description="File format.")
    tools: list[WebSearch] | None = Field(None, description="Tools that the model may use; each search is charged.")


@dataclass(frozen=True)
class SizeRules:
    """The sizes BytePlus documents for a model. They have changed between revisions: outside them we warn."""

    classes: tuple[str, ...]
    least: int
    most: int


_SIZES_40 = SizeRules(("1K", "2K", "4K"), 921_600, 16_777_216)
_SIZES_45 = SizeRules(("2K", "4K"), 3_686_400, 16_777_216)
_SIZES_5_LITE = SizeRules(("2K", "3K", "4K"), 3_686_400, 10_404_496)


PICTURES = PictureLimits(bytes=10_000_000, least_side=15, pixels=36_000_000, ratio=(1 / 16, 16))
"""Newer pages allow 30 MB. Which formats it takes is said nowhere."""


def read_size(size: object) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d+)x(\d+)", size) if isinstance(size, str) else None
    return (int(found[1]), int(found[2])) if found else None


def warn_seedream(rules: SizeRules) -> Callable[[Params], list[Fault]]:
    def warn(params: Params) -> list[Fault]:
        size = params.get("size", "2048x2048")
        pixels = read_size(size)
        if pixels is None:
            known = size in rules.classes
            message = f"size {size}: documented classes are {', '.join(rules.classes)}"
        else:
            width, height = pixels
            known = rules.least <= width * height <= rules.most and 1 / 16 <= width / height <= 16
            message = (
                f"size {size}: documented are {rules.least} to {rules.most} pixels in all, and ratios from 1:16 to 16:1"
            )
        return [] if known else [Fault(("size",), message)]

    return warn


def read_image(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    """`image` is one address or a list of them."""
    value = params.get("image")
    pictures = [value] if isinstance(value, str) else value
    if not isinstance(pictures, list) or not all(isinstance(picture, str) for picture in pictures):
        return (), dict(params)
    return tuple(pictures), {slot: value for slot, value in params.items() if slot != "image"}


# ---- prices (US dollars per picture, list prices of July and August 2026) -------------------------------------------

PRICED = PriceNote(date(2026, 8, 1), "https://docs.byteplus.com/en/docs/ModelArk, list prices")


def seedream_price(amount: Micros) -> Callable[[Params, int], Cost]:
    def price(params: Params, pictures: int) -> Cost:
        most = 1
        if params.get("sequential_image_generation") == "auto":
            options = params.get("sequential_image_generation_options") or {}
            # Input and output pictures together are fifteen at most.
            most = max(1, min(int(options.get("max_images", 15)), 15 - pictures))
        return Cost(amount, None if params.get("tools") else most * amount)

    return price


# ---- between providers --------------------------------------------------------------------------------------------

_RATIO_SIZES = {
    "1:1": (2048, 2048),
    "4:3": (2304, 1728),
    "3:4": (1728, 2304),
    "3:2": (2496, 1664),
    "2:3": (1664, 2496),
    "16:9": (2560, 1440),
    "9:16": (1440, 2560),
    "21:9": (2520, 1080),
    "9:21": (1080, 2520),
}
_WIDE_RATIO_SIZES = {"21:9": (3136, 1344), "9:21": (1344, 3136)}
"""BytePlus' own 2K sizes, for the models to which 2520x1080 has too few pixels."""


def read_neutral_picture(params: Params) -> MediaRequest:
    size = params.get("size")
    pixels = read_size(size)
    return MediaRequest(
        kind=MediaKind.IMAGE,
        prompt=params.get("prompt"),
        width=pixels[0] if pixels else None,
        height=pixels[1] if pixels else None,
        resolution=None if pixels else size,
        watermark=params.get("watermark"),
        output_format=params.get("output_format"),
    )


def seedream_from_neutral(model: type[Seedream], rules: SizeRules) -> Callable[[MediaRequest], Mapped]:
    def from_neutral(request: MediaRequest) -> Mapped:
        params: dict[str, Any] = {}
        told = {"watermark", "ratio"} | ({"width", "height"} if asked_size(request) else set())
        if request.prompt is not None:
            params["prompt"] = request.prompt
        if request.watermark is not None:
            params["watermark"] = request.watermark
        if "output_format" in model.model_fields and request.output_format in ("png", "jpeg"):
            params["output_format"] = request.output_format
        if request.output_format == "jpeg" or "output_format" in params:
            told.add("output_format")
        size, inexact = _seedream_size(request, rules)
        if size is None and request.resolution in rules.classes:
            size = request.resolution
        if size is not None:
            params["size"] = size
        if request.resolution in (size, "2K"):  # every size of the table is of that class
            told.add("resolution")
        return Mapped(params, untold(request, told) + inexact)

    return from_neutral


def _seedream_size(request: MediaRequest, rules: SizeRules) -> tuple[str | None, tuple[str, ...]]:
    if (asked := asked_size(request)) is not None:
        width, height = fit_size(*asked, area=(rules.least, rules.most))
        return f"{width}x{height}", () if (width, height) == asked else (f"exact size (it gets {width} by {height})",)
    ratio, lost = nearest_ratio(request, _RATIO_SIZES)
    if ratio is None:
        return None, lost
    width, height = _RATIO_SIZES[ratio]
    if width * height < rules.least:
        width, height = _WIDE_RATIO_SIZES[ratio]
    return f"{width}x{height}", lost


# ---- models -------------------------------------------------------------------------------------------------------

_WATERMARK = "BytePlus draws a watermark unless watermark is false."


def _seedream(id: str, raw_id: str, params: type[Seedream], rules: SizeRules, price: Micros) -> ModelCard:
    return ModelCard(
        id=id,
        raw_id=raw_id,
        provider=NAME,
        vendor=NAME,
        kind=MediaKind.IMAGE,
        params=params,
        endpoint=API + PATH,
        price=seedream_price(price),
        priced=PRICED,
        read_neutral=read_neutral_picture,
        from_neutral=seedream_from_neutral(params, rules),
        read_inputs=read_image,
        inputs=Inputs(maximum=14),
        pictures=PICTURES,
        # Not a field of this call; named because callers know it from the video models.
        owned=frozenset({"model", "callback_url"}),
        warn=warn_seedream(rules),
        submit_timeout=SUBMIT_TIMEOUT,
        deadline=1200.0,
        aliases=(f"byteplus/{raw_id}",),
        hints=(_WATERMARK,),
        notes=("The answer comes when the pictures are done, so there is nothing to look up when it is lost.",),
    )


MODELS: dict[str, ModelCard] = {
    card.id: card
    for card in (
        _seedream("bytedance/seedream-4", "seedream-4-0-250828", Seedream40, _SIZES_40, 30_000),
        _seedream("bytedance/seedream-4.5", "seedream-4-5-251128", Seedream45, _SIZES_45, 40_000),
        _seedream("bytedance/seedream-5-lite", "seedream-5-0-lite-260128", Seedream5Lite, _SIZES_5_LITE, 35_000),
    )
}
