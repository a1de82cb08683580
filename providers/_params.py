"""What the native parameters of every model share: strict types, honest numbers, and the way back to plain JSON."""

from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError


def whole(value: object) -> object:
    """`5.0` as `5`: JSON has one kind of number, and many a client writes whole ones with a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class NativeParams(BaseModel):
    """Parameters as the provider's own page names them. Nothing is coerced: `"5"` is no number, and `true` is no 1."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _read_whole_numbers(cls, value: object) -> object:
        return whole(value)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must say something")
    return text


NotBlank = AfterValidator(_not_blank)
Prompt = Annotated[str, Field(min_length=1), NotBlank]


def jpeg(value: object) -> object:
    """Callers write both spellings; providers know only the longer one."""
    return "jpeg" if value == "jpg" else value


Jpeg = BeforeValidator(jpeg)

UPLOAD = r"^[0-9a-f]{64}\.[a-z0-9]{2,5}$"
"""The id of an uploaded picture. Planning reads it out of the parameters, so only their schema has to let it stand."""


def native(params: Any) -> dict[str, Any]:
    """Parameters as they go on the wire: whole numbers without a point, and `jpeg` spelled out."""
    body = cast("dict[str, Any]", _tidy(params))
    if "output_format" in body:
        body["output_format"] = jpeg(body["output_format"])
    return body


def _tidy(value: object) -> object:
    if isinstance(value, dict):
        return {name: _tidy(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tidy(item) for item in value]
    return whole(value)
