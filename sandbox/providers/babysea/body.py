"""A create's body: which words a model takes, and which values."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.providers.babysea.errors import Refusal, invalid
from sandbox.providers.babysea.models import MODELS, Model

_MOST_BYTES = 100 * 1024


class _Common(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    generation_prompt: str = Field(pattern=r"\S")
    generation_ratio: str | None = None
    generation_output_format: str | None = None
    generation_output_number: int = Field(default=1, ge=1)
    generation_resolution: str | None = None
    generation_provider_order: str = "fastest"
    generation_input_file: list[str] = []


class Picture(_Common):
    pass


class Clip(_Common):
    generation_duration: int
    generation_generate_audio: bool = False
    generation_input_file_last_content: str | None = None


@dataclass(frozen=True)
class Order:
    id: str
    model: Model
    body: Picture | Clip
    upstreams: tuple[str, ...]

    @property
    def seconds(self) -> int:
        return self.body.generation_duration if isinstance(self.body, Clip) else 0

    @property
    def audio(self) -> bool:
        return isinstance(self.body, Clip) and self.body.generation_generate_audio

    @property
    def last_frame(self) -> str | None:
        return self.body.generation_input_file_last_content if isinstance(self.body, Clip) else None

    @property
    def cost(self) -> float:
        return self.model.cost(
            count=self.body.generation_output_number,
            seconds=self.seconds,
            resolution=self.body.generation_resolution,
            audio=self.audio,
        )


def parse(kind: str, id: str, raw: bytes) -> Order:
    if len(raw) > _MOST_BYTES:
        raise Refusal(413, "The body is larger than 100 KB.")
    model = MODELS.get(id)
    if model is None or model.kind != kind:
        raise Refusal(404, f"Model {id!r} was not found.", code="BSE2002", type="model_not_found")
    try:
        sent = json.loads(raw)
    except ValueError as error:
        raise Refusal(400, "The body is not JSON.") from error
    if not isinstance(sent, dict):
        raise Refusal(400, "The body is not a JSON object.")
    common = {name: value for name, value in sent.items() if name not in model.words}
    try:
        body = (Clip if kind == "video" else Picture).model_validate(common)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise invalid(".".join(map(str, problem["loc"])), problem["msg"]) from error
    order = Order(id, model, body, _upstreams(body.generation_provider_order, model))
    _check(order)
    return order


def _check(order: Order) -> None:
    body, model = order.body, order.model
    choices: list[tuple[str, Any, Any]] = [
        ("generation_ratio", body.generation_ratio, model.ratios),
        ("generation_output_format", body.generation_output_format, model.formats),
        ("generation_resolution", body.generation_resolution, model.resolutions),
    ]
    if isinstance(body, Clip):
        choices.append(("generation_duration", body.generation_duration, model.seconds))
    for name, value, known in choices:
        if value is not None and value not in known:
            raise invalid(name, f"must be one of {', '.join(map(str, known))}")
    if body.generation_output_number > model.most:
        raise invalid("generation_output_number", f"must be at most {model.most}")
    if isinstance(model.price, dict) and body.generation_resolution is None:
        raise invalid("generation_resolution", "is required: this model is priced by resolution")
    if order.audio and not model.has_sound:
        raise invalid("generation_generate_audio", "is not supported by this model")
    _check_files(order)


def _check_files(order: Order) -> None:
    files = order.body.generation_input_file
    if len(files) > order.model.files:
        raise invalid("generation_input_file", f"must hold at most {order.model.files}")
    if order.last_frame is not None and not order.model.takes_last_frame:
        raise invalid("generation_input_file_last_content", "is not supported by this model")
    for url in [*files, *([order.last_frame] if order.last_frame is not None else [])]:
        # The real one takes https alone; a sandbox on this machine has none.
        if not url.startswith(("https://", "http://")):
            raise invalid("generation_input_file", "must hold public addresses")


def _upstreams(order: str, model: Model) -> tuple[str, ...]:
    """`fastest` is the router's own ranking: here, a fixed one, as there where no ranking is to be had."""
    names = tuple(name.strip() for name in order.split(","))
    if names == ("fastest",):
        return model.upstreams
    if wrong := [name for name in names if name not in model.upstreams]:
        raise invalid("generation_provider_order", f"{wrong[0]!r} does not serve this model")
    return names
