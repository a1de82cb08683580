"""A create body: its fields, their ranges, and the picture that it names."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sandbox.config import Config
from sandbox.inputs import InputPicture
from sandbox.providers.bach.wording import REFUSED, BachError, invalid
from sandbox.webhooks import CallbackUrl

MODEL = "bach-1.0-preview"
_FORMATS = frozenset({"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"})
_MOST_BYTES = 10 * 1024 * 1024
_LEAST_SIDE = 300
_LINES = {"720p": 720, "1080p": 1080}


def _public_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must be a public HTTP/HTTPS URL")
    return text


class Order(BaseModel):
    """Strict in the fields it knows. Others are not looked at (inferred)."""

    model_config = ConfigDict(strict=True)

    model_name: Literal["bach-1.0-preview"]
    image_url: Annotated[str, AfterValidator(_public_url)]
    prompt: str = Field("", max_length=10_000)
    negative_prompt: str = Field("", max_length=10_000)
    resolution: Literal["720p", "1080p"]
    duration: int
    fps: Literal[30, 24] = 30
    cfg_scale: float = Field(5.0, ge=1, le=15)
    enhance_prompt: bool = True
    generate_audio: bool = False
    audio_prompt: str = Field("", max_length=200)
    callback_url: Annotated[CallbackUrl, Field(max_length=500)] | None = None
    seed: int | None = Field(None, ge=0, le=10_000_000)
    enable_moderation: bool = True

    def texts(self) -> str:
        return " ".join((self.prompt, self.negative_prompt, self.audio_prompt))

    def is_marked(self, marker: str) -> bool:
        """Prompts can ask for a refusal in so many words; without moderation nobody reads them."""
        return self.enable_moderation and marker in self.texts()


def parse(raw: bytes, config: Config) -> Order:
    try:
        order = Order.model_validate_json(raw)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in problem["loc"]) or "body"
        raise invalid(f"Invalid parameter {field}: {problem['msg']}.") from error
    # These two are the documented ones.
    if config.bach_needs_prompt and not order.prompt.strip():
        raise invalid("Please provide a prompt.")
    if not 1 <= order.duration <= config.bach_longest_video:
        raise invalid(f"Duration must be between 1 and {config.bach_longest_video} seconds.")
    if order.is_marked("[moderate]"):
        raise moderated()
    return order


def moderated() -> BachError:
    return BachError(400, REFUSED, "The input did not pass content moderation.")


def complaint_about(picture: InputPicture) -> str:
    """What is wrong with the picture; nothing is, where it has not been looked at."""
    if picture.data is None:
        return ""
    if picture.format not in _FORMATS:
        return f"Unsupported image format {picture.format}."
    if len(picture.data) > _MOST_BYTES:
        return "The image is larger than 10 MB."
    if min(picture.width, picture.height) < _LEAST_SIDE:
        return f"The image must be at least {_LEAST_SIDE}x{_LEAST_SIDE} pixels."
    return ""


def video_size(resolution: str, picture: InputPicture) -> tuple[int, int]:
    """The shorter side has the resolution's lines, the shape is the picture's; 16:9 where that is unknown."""
    lines = _LINES[resolution]
    ratio = picture.width / picture.height if picture.height else 16 / 9
    width, height = (lines * ratio, lines) if ratio >= 1 else (lines, lines / ratio)
    return round(width / 2) * 2, round(height / 2) * 2
