"""Seedance: what the video models cost, how their words and ours translate into each other, and the models."""

from collections.abc import Callable
from datetime import date
from typing import Any

from domain.media import MediaKind, MediaRequest
from domain.money import Cost, Micros
from domain.provider import Inputs, Looks, Mapped, ModelCard, Params, PriceNote
from providers._neutral import asked_size, nearest_ratio, untold
from providers.byteplus.ark import API, NAME
from providers.byteplus.frames import FURTHER, PICTURES, check_pictures, read_first_frame, warn_pictures
from providers.byteplus.seedance_params import (
    MOST_SEED,
    Rates,
    Seedance1,
    Seedance15,
    Seedance20,
    Seedance20Fast,
    VideoRules,
    check_seedance,
    has_video,
    is_silent,
    merge_content,
    warn_seedance,
)

PATH = "/contents/generations/tasks"
SUBMIT_TIMEOUT = 60.0

_MILLION = 1_000_000

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
        if request.seed is not None and 0 <= request.seed <= MOST_SEED:
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
        check_pictures=check_pictures(references=rules.references),
        warn=warn_seedance(rules),
        warn_pictures=warn_pictures(references=rules.references),
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
