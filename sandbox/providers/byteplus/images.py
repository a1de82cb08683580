"""Seedream: one synchronous call, its answer the only trace of the money spent. No id, no poll, no cancel, no list."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response, StreamingResponse

from sandbox.connections import Reset
from sandbox.faults import Rule
from sandbox.inputs import InputPicture, UnusableInput
from sandbox.jobs import Job, State
from sandbox.ledger import Row
from sandbox.media import Medium, PictureOrder
from sandbox.providers.byteplus.errors import NAME, ArkError, invalid, raise_first, request_id, unsupported
from sandbox.providers.byteplus.models import IMAGE_MODELS, ImageModel, Size, preset_size
from sandbox.world import World

_LONGEST_WAIT = 120.0
_SERIES = (
    4  # how many pictures "auto" comes to when the caller leaves the number open: the real model decides by the prompt
)
_MOST_PICTURES = 15  # references and outputs together
_DOWNLOADS = 100
_MOST_INPUT_PIXELS = 36_000_000
_MOST_INPUT_BYTES = 10 * 1024 * 1024  # newer pages say 30 MB


class _Series(BaseModel):
    max_images: int = Field(default=_SERIES, ge=1, le=_MOST_PICTURES)


class _Optimize(BaseModel):
    mode: Literal["standard", "fast"] = "standard"


class _Body(BaseModel):
    model_config = ConfigDict(strict=True)

    model: str
    prompt: str = Field(min_length=1)
    image: str | list[str] | None = None
    size: str = "2048x2048"
    seed: int | None = Field(default=None, ge=-1, le=2_147_483_647)
    guidance_scale: float | None = Field(default=None, ge=1, le=10)
    sequential_image_generation: Literal["auto", "disabled"] = "disabled"
    sequential_image_generation_options: _Series = _Series()
    stream: bool = False
    output_format: Literal["png", "jpeg"] | None = None
    response_format: Literal["url", "b64_json"] = "url"
    watermark: bool = True
    optimize_prompt_options: _Optimize | None = None

    def references(self) -> list[str]:
        if self.image is None:
            return []
        return self.image if isinstance(self.image, list) else [self.image]


class Images:
    def __init__(self, world: World) -> None:
        self._world = world

    async def generate(self, raw: bytes, row: Row, account: str, fate: Rule | None) -> Response:
        try:
            body = _Body.model_validate_json(raw)
        except ValidationError as error:
            raise_first(error)
        _check(body, IMAGE_MODELS[body.model])
        if "[moderate]" in body.prompt or (fate is not None and fate.kind == "moderated" and fate.stage == "input"):
            raise ArkError(
                400, "InputTextSensitiveContentDetected", "The input text may contain sensitive information.", "prompt"
            )
        pictures = [await self._load(reference) for reference in body.references()]
        job = self._job(body, pictures, row, account, fate)
        self._world.jobs.start(job)
        if body.stream:
            return StreamingResponse(
                self._events(body, job), media_type="text/event-stream", headers={"X-Request-Id": job.id}
            )
        try:
            await _ended(job)
            return self._answer(body, job)
        finally:
            self._world.jobs.forget(job)  # nobody can ask for it again

    async def _load(self, reference: str) -> InputPicture:
        if not reference:
            raise ArkError(400, "InvalidImageURL.EmptyURL", "The image URL is empty.", "image")
        try:
            picture = await self._world.inputs.load(reference)
        except UnusableInput as error:
            raise ArkError(
                400, "InvalidImageURL.InvalidFormat", f"The image could not be loaded: {error}.", "image"
            ) from error
        if picture.data is not None:
            _check_picture(picture, len(picture.data))
        return picture

    def _job(self, body: _Body, pictures: list[InputPicture], row: Row, account: str, fate: Rule | None) -> Job:
        first = pictures[0] if pictures else InputPicture()
        size = _size(body.size, first)
        seed = body.seed if body.seed is not None and body.seed >= 0 else secrets.randbelow(1 << 31)
        references = tuple(picture.data for picture in pictures if picture.data is not None)
        count = _count(body, len(pictures))
        orders = [
            PictureOrder(
                body.prompt, seed + number, *size, body.output_format or "jpeg", references, watermark=body.watermark
            )
            for number in range(count)
        ]

        async def draw() -> tuple[Medium, ...]:
            return tuple(await asyncio.gather(*(self._world.studio.picture(order) for order in orders)))

        if fate is None and "[moderate-output]" in body.prompt:
            # Of several pictures the filter takes the last; the others still come.
            fate = Rule(kind="moderated", item=None if count == 1 else count - 1)
        return Job(
            id=request_id(),  # the call has no id of its own; the request's id is what support would ask for
            provider=NAME,
            model=body.model,
            account=account,
            row=row,
            seconds=self._world.config.picture_seconds,
            draw=draw,
            on_change=lambda _: None,
            fate=fate,
            details={"size": size, "created": int(time.time())},
        )

    def _answer(self, body: _Body, job: Job) -> Response:
        if job.state is State.MODERATED:
            raise ArkError(
                400, "OutputImageSensitiveContentDetected", "The output image may contain sensitive information."
            )
        if job.state is State.FAILED:
            raise ArkError(500, "InternalServiceError", "The service encountered an unexpected internal error.")
        if job.state is not State.SUCCEEDED:
            return Reset()  # a rule keeps the job from ending, and nobody waits for ever
        items = self._items(body, job)
        answer = {
            "model": body.model,
            "created": job.details["created"],
            "data": items,
            "usage": self._usage(job, items),
        }
        return JSONResponse(answer, headers={"X-Request-Id": job.id})

    async def _events(self, body: _Body, job: Job) -> AsyncIterator[str]:
        await _ended(job)
        self._world.jobs.forget(job)
        common = {"model": body.model, "created": job.details["created"]}
        items = self._items(body, job) if job.state is State.SUCCEEDED else [{"error": _item_error(job.fate)}]
        for index, item in enumerate(items):
            word = "partial_failed" if "error" in item else "partial_succeeded"
            yield _event({"type": f"image_generation.{word}", **common, "image_index": index, **item})
        yield _event({"type": "image_generation.completed", **common, "usage": self._usage(job, items)})
        yield "data: [DONE]\n\n"

    def _items(self, body: _Body, job: Job) -> list[dict[str, Any]]:
        """A filtered picture leaves the others alone; a failure of the service stops those after it."""
        items: list[dict[str, Any]] = []
        for index, medium in enumerate(job.media):
            if job.fate is not None and job.fate.item == index:
                items.append({"error": _item_error(job.fate)})
                if job.fate.kind == "failed":
                    break
                continue
            size = f"{job.details['size'][0]}x{job.details['size'][1]}"
            if body.response_format == "b64_json":
                items.append({"b64_json": base64.b64encode(medium.data).decode(), "size": size})
            else:
                seconds = self._world.config.byteplus_result_seconds
                url = self._world.results.publish(
                    medium, provider=NAME, row=job.row, seconds=seconds, downloads=_DOWNLOADS
                )
                items.append({"url": url, "size": size})
        return items

    def _usage(self, job: Job, items: list[dict[str, Any]]) -> dict[str, int]:
        made = sum("error" not in item for item in items)
        job.row.charged = made
        width, height = job.details["size"]
        tokens = round(made * width * height / 256)
        return {"generated_images": made, "output_tokens": tokens, "total_tokens": tokens}


async def _ended(job: Job) -> None:
    if job.life is not None:
        await asyncio.wait({job.life}, timeout=job.seconds + _LONGEST_WAIT)


def _check(body: _Body, model: ImageModel) -> None:
    if not model.is_3:
        for name in ("seed", "guidance_scale"):
            if getattr(body, name) is not None:
                raise unsupported(name, body.model)
    if body.output_format is not None and not model.has_output_format:
        raise unsupported("output_format", body.model)
    if body.stream and not model.streams:
        raise unsupported("stream", body.model)
    if (
        body.optimize_prompt_options is not None
        and body.optimize_prompt_options.mode == "fast"
        and not model.has_fast_mode
    ):
        raise unsupported("optimize_prompt_options.mode", body.model)
    if len(body.references()) > model.references:
        raise invalid("image", f"at most {model.references} reference images")
    _check_size(body.size, model)


def _check_picture(picture: InputPicture, length: int) -> None:
    if not (min(picture.width, picture.height) > 14 and _is_shapely(picture.width, picture.height)):
        raise invalid("image", "sides must be over 14 px and the aspect ratio within 1/16 to 16")
    if picture.width * picture.height > _MOST_INPUT_PIXELS or length > _MOST_INPUT_BYTES:
        raise invalid("image", "the image must have at most 36 megapixels and 10 MB")


def _check_size(size: str, model: ImageModel) -> None:
    if size in model.presets:
        return
    exact = _exact(size)
    low, high = model.pixels
    if exact is None:
        raise invalid("size", f"one of {', '.join(model.presets)} or WIDTHxHEIGHT")
    if not low <= exact[0] * exact[1] <= high:
        raise invalid("size", f"the image must have at least {low} and at most {high} pixels")
    if not _is_shapely(*exact):
        raise invalid("size", "the aspect ratio must be within 1/16 to 16")


def _exact(size: str) -> Size | None:
    width, cross, height = size.partition("x")
    return (int(width), int(height)) if cross and width.isdecimal() and height.isdecimal() and int(height) else None


def _size(size: str, first: InputPicture) -> Size:
    return _exact(size) or preset_size(size, first.width, first.height)


def _is_shapely(width: int, height: int) -> bool:
    return 1 / 16 <= width / height <= 16


def _count(body: _Body, references: int) -> int:
    if body.sequential_image_generation == "disabled":
        return 1
    return max(1, min(body.sequential_image_generation_options.max_images, _MOST_PICTURES - references))


def _item_error(fate: Rule | None) -> dict[str, str]:
    if fate is not None and fate.kind == "moderated":
        return {
            "code": "OutputImageSensitiveContentDetected",
            "message": "The output image may contain sensitive information.",
        }
    return {"code": "InternalServiceError", "message": "The service encountered an unexpected internal error."}


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"
