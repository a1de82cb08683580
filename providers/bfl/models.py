"""What BFL's models take and cost, and how their words and ours translate into each other."""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.errors import Fault
from domain.media import InputForm, MediaKind, MediaRequest, PictureLimits
from domain.money import Cost, Micros
from domain.provider import Further, Inputs, Looks, Mapped, ModelCard, Params, PriceNote
from providers._neutral import asked_size, fit_size, nearest_ratio, proportion, untold
from providers._params import Jpeg, NativeParams, Prompt

NAME = "bfl"
VENDOR = "black-forest-labs"
API = "https://api.bfl.ai"
SUBMIT_TIMEOUT = 30.0

# ---- parameters -------------------------------------------------------------------------------------------------

_MEGAPIXEL = 1024 * 1024
_SAFETY = "How much is let through, from 0 (strict) upward."
_SEED = "The same seed and prompt give a similar picture again. Random when left out."
_UPSAMPLING = "Let BFL rewrite the prompt into a richer one."


class Klein(NativeParams):
    prompt: Prompt = Field(description="What the picture should show, or how the input pictures should change.")
    width: int = Field(0, ge=0, description="In pixels, at least 64. 0 follows the input picture, or is 1024.")
    height: int = Field(0, ge=0, description="In pixels, at least 64. 0 follows the input picture, or is 1024.")
    seed: int | None = Field(None, description=_SEED)
    # 6 and 7 exist for organisations that BFL has allow-listed; the public schema ends at 5.
    safety_tolerance: int = Field(2, ge=0, le=5, description=_SAFETY)
    output_format: Annotated[Literal["jpeg", "png", "webp"], Jpeg] = Field("jpeg", description="File format.")


class Flux2(Klein):
    # Both are in BFL's Python client and not in every published schema, hence a warning for whoever uses them.
    prompt_upsampling: bool | None = Field(None, description=_UPSAMPLING)
    transparent_bg: bool = Field(False, description="Transparent background; with png or webp.")


class Flex(Flux2):
    prompt_upsampling: bool | None = Field(True, description=_UPSAMPLING)
    guidance: float = Field(5.0, ge=1.5, le=10, description="How closely the picture follows the prompt.")
    steps: int = Field(50, ge=1, le=50, description="More steps: finer, slower.")
    input_image_blob_path: str | None = Field(None, description="A path of BFL's own upload store.")


class Flux1(NativeParams):
    # BFL itself takes an empty prompt here. A picture of nothing helps nobody, so a chain asks for one.
    prompt: Prompt = Field(description="What the picture should show.")
    prompt_upsampling: bool = Field(False, description=_UPSAMPLING)
    seed: int | None = Field(None, description=_SEED)
    safety_tolerance: int = Field(2, ge=0, le=6, description=_SAFETY)
    output_format: Annotated[Literal["jpeg", "png"], Jpeg] = Field("jpeg", description="File format.")


class Flux11(Flux1):
    width: int = Field(1024, ge=256, le=1440, multiple_of=32, description="In pixels, a multiple of 32.")
    height: int = Field(768, ge=256, le=1440, multiple_of=32, description="In pixels, a multiple of 32.")


class Ultra(Flux1):
    aspect_ratio: str = Field("16:9", description="Width to height, from 21:9 to 9:21.")
    raw: bool = Field(False, description="Less processed, more natural pictures.")
    image_prompt_strength: float = Field(0.1, ge=0, le=1, description="How much the input picture counts.")


def check_flux_2(params: Params) -> list[Fault]:
    sides = {side: int(params.get(side, 0)) for side in ("width", "height")}
    faults = [
        Fault((side,), "must be 0 (automatic) or at least 64") for side, length in sides.items() if 0 < length < 64
    ]
    if sides["width"] * sides["height"] > 4 * _MEGAPIXEL:
        faults.append(Fault(("width",), "and height together must be at most 4 megapixels, such as 2048 by 2048"))
    return faults


def warn_flux_2(params: Params) -> list[Fault]:
    warnings = [
        Fault((side,), f"{side} {params[side]}: documented sizes are multiples of 16")
        for side in ("width", "height")
        if params.get(side, 0) % 16
    ]
    if params.get("transparent_bg") and params.get("output_format") not in ("png", "webp"):
        warnings.append(Fault(("transparent_bg",), "transparent_bg: documented with output_format png or webp only"))
    return warnings


def warn_undocumented_switches(params: Params) -> list[Fault]:
    return warn_flux_2(params) + [
        Fault((switch,), f"{switch}: not in the published schema of this model")
        for switch in ("prompt_upsampling", "transparent_bg")
        if switch in params
    ]


def check_ultra(params: Params) -> list[Fault]:
    shape = proportion(params.get("aspect_ratio", "16:9"))
    if shape is not None and 9 / 21 <= shape <= 21 / 9:
        return []
    return [Fault(("aspect_ratio",), "must be a ratio such as '16:9', from '21:9' to '9:21'")]


FIRST_INPUT = "input_image"
_NUMBERED_INPUT = re.compile(r"input_image_([2-8])")


def read_numbered_inputs(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    """`input_image`, `input_image_2` ... `input_image_8`, in the order of their numbers."""
    found: dict[int, str] = {}
    rest: dict[str, Any] = {}
    for slot, value in params.items():
        number = _input_number(slot)
        if number and isinstance(value, str):
            found[number] = value
        else:
            rest[slot] = value
    return tuple(found[number] for number in sorted(found)), rest


def _input_number(slot: str) -> int:
    if slot == FIRST_INPUT:
        return 1
    numbered = _NUMBERED_INPUT.fullmatch(slot)
    return int(numbered[1]) if numbered else 0


def _further(pictures: int) -> Further:
    """`input_image` is the chain's; the numbered ones come after it."""
    return Further(
        most=pictures - 1,
        read=read_numbered_inputs,
        is_place=lambda path, params: len(path) == 1 and 1 < _input_number(str(path[0])) <= pictures,
    )


PICTURES = PictureLimits(bytes=20_000_000, pixels=20_000_000)
"""Documented for FLUX 3; inferred for the others. Which formats it takes is said nowhere."""


def read_image_prompt(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    picture = params.get("image_prompt")
    if not isinstance(picture, str):
        return (), dict(params)
    return (picture,), {slot: value for slot, value in params.items() if slot != "image_prompt"}


# ---- prices (US dollars per picture, February 2026, https://bfl.ai/pricing) ---------------------------------------

PRICED = PriceNote(date(2026, 2, 1), "https://bfl.ai/pricing")


def megapixels(width: int, height: int) -> int:
    """Whole ones, upward. Inferred: a 1.98 megapixel job was charged as 2."""
    return -(-width * height // _MEGAPIXEL)


def flux_2_price(*, first: Micros, each: Micros) -> Callable[[Params, int], Cost]:
    """The first megapixel of the output, each further one, and each one of every input picture.

    How big the input pictures will be is unknown while planning: each is at least one megapixel, and no most is known.
    """

    def price(params: Params, pictures: int) -> Cost:
        width, height = int(params.get("width", 0)), int(params.get("height", 0))
        if width and height:
            low = high = megapixels(width, height)
        elif width or height or pictures:
            low, high = 1, 4
        else:
            low = high = 1
        at_least = first + (low - 1 + pictures) * each
        return Cost(at_least, None if pictures else first + (high - 1) * each)

    return price


def flat_price(amount: Micros) -> Callable[[Params, int], Cost]:
    return lambda params, pictures: Cost.exactly(amount)


# ---- between providers --------------------------------------------------------------------------------------------

_FLUX_2_SIZES = {
    "1:1": (1024, 1024),
    "4:3": (1168, 880),
    "3:4": (880, 1168),
    "3:2": (1248, 832),
    "2:3": (832, 1248),
    "16:9": (1360, 768),
    "9:16": (768, 1360),
    "21:9": (1536, 656),
    "9:21": (656, 1536),
}
"""One megapixel, which is what FLUX.2 charges least for; multiples of 16."""

_FLUX_11_SIZES = {
    "1:1": (1024, 1024),
    "4:3": (1152, 864),
    "3:4": (864, 1152),
    "3:2": (1248, 832),
    "2:3": (832, 1248),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
    "21:9": (1344, 576),
    "9:21": (576, 1344),
}
_ULTRA_RATIOS = ("21:9", "16:9", "3:2", "4:3", "1:1", "3:4", "2:3", "9:16", "9:21")


def read_neutral(params: Params) -> MediaRequest:
    return MediaRequest(
        kind=MediaKind.IMAGE,
        prompt=params.get("prompt"),
        width=params.get("width") or None,
        height=params.get("height") or None,
        ratio=params.get("aspect_ratio"),
        seed=params.get("seed"),
        output_format=params.get("output_format"),
        enhance_prompt=params.get("prompt_upsampling"),
    )


def flux_2_from_neutral(model: type[NativeParams]) -> Callable[[MediaRequest], Mapped]:
    def from_neutral(request: MediaRequest) -> Mapped:
        if (asked := asked_size(request)) is not None:
            size = fit_size(*asked, side=(64, 1 << 16), area=(64 * 64, 4 * _MEGAPIXEL))
            return _mapped(model, request, size)
        ratio, lost = nearest_ratio(request, _FLUX_2_SIZES)
        return _mapped(model, request, _FLUX_2_SIZES.get(ratio or ""), lost)

    return from_neutral


def flux_11_from_neutral(request: MediaRequest) -> Mapped:
    if (asked := asked_size(request)) is not None:
        size = fit_size(*asked, step=32, side=(256, 1440), area=(1, 1440 * 1440))
        return _mapped(Flux11, request, size)
    ratio, lost = nearest_ratio(request, _FLUX_11_SIZES)
    return _mapped(Flux11, request, _FLUX_11_SIZES.get(ratio or ""), lost)


def ultra_from_neutral(request: MediaRequest) -> Mapped:
    ratio, lost = nearest_ratio(request, _ULTRA_RATIOS)
    if request.ratio and not check_ultra({"aspect_ratio": request.ratio}):
        ratio, lost = request.ratio, ()
    mapped = _mapped(Ultra, request, None, lost)
    return Mapped(mapped.params | ({"aspect_ratio": ratio} if ratio else {}), mapped.lost)


def _mapped(
    model: type[NativeParams], request: MediaRequest, size: tuple[int, int] | None, lost: tuple[str, ...] = ()
) -> Mapped:
    params: dict[str, Any] = {}
    told = {"ratio", "seed"}
    if request.prompt is not None:
        params["prompt"] = request.prompt
    if size is not None:
        params |= {"width": size[0], "height": size[1]}
    if (asked := asked_size(request)) is not None:
        told |= {"width", "height"}
        if size not in (None, asked):
            lost += (f"exact size (it gets {params['width']} by {params['height']})",)
    if request.seed is not None:
        params["seed"] = request.seed
    if request.output_format in _formats(model):
        params["output_format"] = request.output_format
        told.add("output_format")
    if request.enhance_prompt is not None and "prompt_upsampling" in model.model_fields:
        params["prompt_upsampling"] = request.enhance_prompt
        told.add("enhance_prompt")
    return Mapped(params, untold(request, told) + lost)


def _formats(model: type[NativeParams]) -> tuple[str, ...]:
    annotation: Any = model.model_fields["output_format"].annotation
    return tuple(annotation.__args__)


# ---- models -------------------------------------------------------------------------------------------------------

_OWNED = frozenset({"webhook_url", "webhook_secret"})
# Most pictures are done within ten seconds. A notice that has not come by then is looked for.
_LOOKS = Looks(grace=10.0, quick_window=10.0, quick_pause=1.0, pause=10.0, longest_pause=30.0)


def _card(
    id: str,
    raw_id: str,
    params: type[NativeParams],
    *,
    pictures: int,
    price: Callable[[Params, int], Cost],
    read_inputs: Callable[[Params], tuple[tuple[str, ...], dict[str, Any]]],
    from_neutral: Callable[[MediaRequest], Mapped],
    check: Callable[[Params], list[Fault]] = lambda params: [],
    warn: Callable[[Params], list[Fault]] = lambda params: [],
    input_forms: tuple[InputForm, ...] | None = None,
    notes: tuple[str, ...] = (),
) -> ModelCard:
    public = f"bfl/{id}"
    return ModelCard(
        id=public,
        raw_id=raw_id,
        provider=NAME,
        vendor=VENDOR,
        kind=MediaKind.IMAGE,
        params=params,
        endpoint=f"{API}/v1/{raw_id}",
        price=price,
        priced=PRICED,
        read_neutral=read_neutral,
        from_neutral=from_neutral,
        read_inputs=read_inputs,
        inputs=Inputs(maximum=pictures),
        further=_further(pictures) if pictures > 1 else None,
        pictures=PICTURES,
        input_forms=input_forms,
        owned=_OWNED,
        check=check,
        warn=warn,
        looks=_LOOKS,
        submit_timeout=SUBMIT_TIMEOUT,
        deadline=600.0,
        webhook=True,
        aliases=tuple(sorted({f"bfl/{raw_id}", f"black-forest-labs/{raw_id}"} - {public})),
        notes=notes,
    )


def _flux_2(
    id: str,
    params: type[NativeParams],
    *,
    pictures: int,
    first: Micros,
    each: Micros,
    warn: Callable[[Params], list[Fault]] = warn_flux_2,
) -> ModelCard:
    return _card(
        id,
        id,
        params,
        pictures=pictures,
        price=flux_2_price(first=first, each=each),
        read_inputs=read_numbered_inputs,
        from_neutral=flux_2_from_neutral(params),
        check=check_flux_2,
        warn=warn,
    )


_PICTURE_AS_BYTES = "The input picture goes as Base64: FLUX.1 takes no address."

MODELS: dict[str, ModelCard] = {
    card.id: card
    for card in (
        _card(
            "flux-1.1-pro",
            "flux-pro-1.1",
            Flux11,
            pictures=1,
            price=flat_price(40_000),
            read_inputs=read_image_prompt,
            from_neutral=flux_11_from_neutral,
            input_forms=(InputForm.INLINE,),
            notes=(_PICTURE_AS_BYTES,),
        ),
        _card(
            "flux-1.1-pro-ultra",
            "flux-pro-1.1-ultra",
            Ultra,
            pictures=1,
            price=flat_price(60_000),
            read_inputs=read_image_prompt,
            from_neutral=ultra_from_neutral,
            check=check_ultra,
            input_forms=(InputForm.INLINE,),
            notes=(_PICTURE_AS_BYTES,),
        ),
        _flux_2("flux-2-klein-4b", Klein, pictures=4, first=14_000, each=1_000),
        _flux_2("flux-2-klein-9b", Klein, pictures=4, first=15_000, each=2_000),
        _flux_2("flux-2-flex", Flex, pictures=8, first=50_000, each=50_000),
        _flux_2("flux-2-pro", Flux2, pictures=8, first=30_000, each=15_000, warn=warn_undocumented_switches),
        _flux_2("flux-2-max", Flux2, pictures=8, first=70_000, each=30_000, warn=warn_undocumented_switches),
    )
}
