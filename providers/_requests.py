"""From a JobRequest into a body: the model that it names, and its input pictures."""

import base64
from collections.abc import Iterable, Sequence

from domain.errors import InputRejected, ModelUnavailable
from domain.media import InputFile
from domain.provider import ModelCard


def named(cards: Iterable[ModelCard], raw_id: str) -> ModelCard:
    """The card of a plan's model. An api that is newer than the worker may plan for one that the worker lacks."""
    for card in cards:
        if card.raw_id == raw_id:
            return card
    raise ModelUnavailable(f"This worker knows no model {raw_id!r}; it may be older than the plan.")


def fitting(card: ModelCard, pictures: Sequence[InputFile]) -> Sequence[InputFile]:
    """A picture is never left out in silence."""
    if len(pictures) > card.inputs.maximum:
        raise InputRejected(
            f"{card.id} takes at most {card.inputs.maximum} input pictures, and got {len(pictures)}.",
            code="invalid_provider_params",
        )
    return pictures


def first_frame(card: ModelCard, pictures: Sequence[InputFile]) -> InputFile:
    """The one picture that a video starts from, refused where it is already known that the model won't take it.

    Our own assets carry their true type; sizes are known only of a picture that travels as bytes.
    """
    picture = next(iter(fitting(card, pictures)), None)
    if picture is None:
        raise InputRejected(f"{card.id} starts from a picture, and got none.", code="invalid_provider_params")
    kind, limits = (picture.media_type or "").lower(), card.pictures
    if kind and limits.formats and kind not in limits.formats:
        raise InputRejected(f"{card.id} takes no picture of type {kind}; it takes {', '.join(limits.formats)}.")
    if picture.data is not None and limits.bytes is not None and len(picture.data) > limits.bytes:
        raise InputRejected(
            f"{card.id} takes pictures of at most {limits.bytes} bytes, and got one of {len(picture.data)}."
        )
    return picture


def address_only(card: ModelCard, picture: InputFile) -> str:
    if picture.url is None:
        raise InputRejected(
            f"{card.id} fetches its input picture itself, and it can't reach this server: set BABYCHAIN_PUBLIC_URL.",
            code="invalid_provider_params",
        )
    return picture.url


def bytes_only(card: ModelCard, picture: InputFile) -> InputFile:
    if picture.data is None:
        raise InputRejected(
            f"{card.id} takes an input picture as bytes, and only its address was at hand.",
            code="invalid_provider_params",
        )
    return picture


def base64_of(picture: InputFile) -> str:
    return base64.b64encode(picture.data or b"").decode()


def data_uri(picture: InputFile) -> str:
    return f"data:{(picture.media_type or 'image/png').lower()};base64,{base64_of(picture)}"
