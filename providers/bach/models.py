"""What Bach's model takes, and how its words and ours translate into each other."""

from typing import Annotated, Any, Literal

from pydantic import Field

from domain.errors import Fault
from domain.media import InputForm, MediaKind, MediaRequest, PictureLimits
from domain.money import Cost
from domain.provider import Inputs, Looks, Mapped, ModelCard, Params
from providers._neutral import untold
from providers._params import NativeParams, NotBlank

NAME = "bach"
API = "https://api-gen-na.bach.art/api/vdr"
PATH = "/videos/image2video"
SUBMIT_TIMEOUT = 60.0

# ---- parameters ---------------------------------------------------------------------------------------------------

_LONGEST_TEXT = 10_000
# Bach demands both and names no default. These every reading of its page allows.
RESOLUTION: Literal["720p", "1080p"] = "720p"
SECONDS = 5
_MOST_SECONDS = 6
_MOST_SEED = 10_000_000
PICTURES = PictureLimits(
    formats=("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff"),
    bytes=10_000_000,
    least_side=300,
)
"""Its page says 10 MB; read as the smaller of the two megabytes."""

Text = Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT), NotBlank]


class ImageToVideo(NativeParams):
    """`image_url` is no field here: the chain fills it, or the caller's own is read out of the parameters first."""

    prompt: Text | None = Field(None, description="What moves, how the camera moves, and the surroundings.")
    negative_prompt: Text | None = Field(None, description="What the video should not show.")
    resolution: Literal["720p", "1080p"] = Field(RESOLUTION, description="Lines of the video, with a small p.")
    duration: int = Field(SECONDS, ge=1, le=_MOST_SECONDS, description="Seconds.")
    fps: Literal[30, 24] = Field(30, description="Frames a second.")
    cfg_scale: float = Field(5.0, ge=1, le=15, description="How closely the video follows the prompt.")
    enhance_prompt: bool = Field(True, description="Let Bach rewrite the prompt.")
    generate_audio: bool = Field(False, description="Make a sound track too.")
    audio_prompt: str | None = Field(None, max_length=200, description="What is heard; with generate_audio.")
    seed: int | None = Field(
        None, ge=0, le=_MOST_SEED, description="The same seed gives a similar video again. Random when left out."
    )
    enable_moderation: bool = Field(True, description="Let Bach check text, picture and sound.")


def warn(params: Params) -> list[Fault]:
    faults = []
    if params.get("prompt") is None:
        faults.append(Fault(("prompt",), "prompt: optional by Bach's page, though one of its errors asks for it"))
    if params.get("duration", SECONDS) == _MOST_SECONDS:
        faults.append(Fault(("duration",), f"duration {_MOST_SECONDS}: one of Bach's errors speaks of 1 to 5 seconds"))
    if params.get("audio_prompt") is not None and not params.get("generate_audio"):
        faults.append(Fault(("audio_prompt",), "audio_prompt: has no effect without generate_audio"))
    return faults


_ADVISED_SIDE = 720


def advise(params: Params, width: int, height: int) -> str | None:
    """Its page asks for 300 pixels a side and advises "720p or more", read as the shorter side (inferred)."""
    if min(width, height) >= _ADVISED_SIDE:
        return None
    return f"Bach advises {_ADVISED_SIDE} pixels or more on the shorter side"


def read_image_url(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    picture = params.get("image_url")
    if not isinstance(picture, str):
        return (), dict(params)
    return (picture,), {slot: value for slot, value in params.items() if slot != "image_url"}


def price(params: Params, pictures: int) -> Cost:
    """Bach publishes no prices (looked for in November 2026)."""
    return Cost.unknown()


# ---- between providers --------------------------------------------------------------------------------------------

_PLAIN_SLOTS = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "audio": "generate_audio",
    "enhance_prompt": "enhance_prompt",
}


def read_neutral(params: Params) -> MediaRequest:
    return MediaRequest(
        kind=MediaKind.VIDEO,
        prompt=params.get("prompt"),
        negative_prompt=params.get("negative_prompt"),
        resolution=params.get("resolution"),
        seconds=params.get("duration"),
        seed=params.get("seed"),
        audio=params.get("generate_audio"),
        enhance_prompt=params.get("enhance_prompt"),
    )


def from_neutral(request: MediaRequest) -> Mapped:
    """There is no field for the ratio: the video has the picture's."""
    params: dict[str, Any] = {
        slot: value for wish, slot in _PLAIN_SLOTS.items() if (value := getattr(request, wish)) is not None
    }
    told = {*_PLAIN_SLOTS, "seconds"}
    lost: tuple[str, ...] = ()
    resolution = (request.resolution or "").lower()
    if resolution in ("720p", "1080p"):
        params["resolution"] = resolution
        told.add("resolution")
    if request.seconds is not None:
        params["duration"] = min(max(request.seconds, 1), _MOST_SECONDS)
        if params["duration"] != request.seconds:
            lost = (f"exact duration (it gets {params['duration']} seconds)",)
    if request.seed is not None and 0 <= request.seed <= _MOST_SEED:
        params["seed"] = request.seed
        told.add("seed")
    if request.output_format == "mp4":
        told.add("output_format")
    return Mapped(params, untold(request, told) + lost)


# ---- models -------------------------------------------------------------------------------------------------------

_HINTS = (
    "Picture: a clear subject with little clutter, 720p or more; at least 300 by 300 pixels and at most 10 MB, "
    "as JPEG, PNG, WebP, GIF, BMP or TIFF. The video keeps its shape.",
    "Prompt: describe the motion, the camera and the surroundings; the picture already shows the rest.",
    "Negative prompt: use it against jerky motion, morphing and distortion.",
    "Duration: 1-2 seconds for loops, 3-4 for product clips, 5-6 for scenes.",
)

MODELS: dict[str, ModelCard] = {
    "bach/bach-1.0-preview": ModelCard(
        id="bach/bach-1.0-preview",
        raw_id="bach-1.0-preview",
        provider=NAME,
        vendor="video-rebirth",
        kind=MediaKind.VIDEO,
        params=ImageToVideo,
        endpoint=API + PATH,
        price=price,
        read_neutral=read_neutral,
        from_neutral=from_neutral,
        read_inputs=read_image_url,
        inputs=Inputs(minimum=1, maximum=1),
        pictures=PICTURES,
        input_forms=(InputForm.URL,),
        owned=frozenset({"callback_url", "model_name"}),
        warn=warn,
        advise=advise,
        # Bach's own samples poll every ten seconds. How long a video takes is published nowhere.
        looks=Looks(grace=30.0, quick_window=10.0, quick_pause=2.0, pause=10.0, longest_pause=30.0),
        submit_timeout=SUBMIT_TIMEOUT,
        deadline=1800.0,
        webhook=True,
        modes=("byok",),
        hints=_HINTS,
        notes=("Bach fetches the picture itself: from this server where it can be reached, else from its maker.",),
    )
}
