"""Input pictures on their way into a body."""

import base64
from collections.abc import Sequence

from domain.errors import InputRejected
from domain.media import InputFile
from domain.provider import ModelCard


def fitting(card: ModelCard, pictures: Sequence[InputFile]) -> Sequence[InputFile]:
    """A picture is never left out in silence."""
    if len(pictures) > card.inputs.maximum:
        raise InputRejected(
            f"{card.id} takes at most {card.inputs.maximum} input pictures, and got {len(pictures)}.",
            code="invalid_provider_params",
        )
    return pictures


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
