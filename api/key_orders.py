"""What an operator orders about keys and callers, and what is shown of them: the API and the command share it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from api.callers import SCOPES
from api.moments import Moment
from domain.errors import Fault, RequestError
from storage.callers import StoredCaller
from storage.keys import NewKey, StoredKey

Json = dict[str, Any]
Model = TypeVar("Model", bound=BaseModel)

_DAY = 86_400
_MOST = 10**15
_CALLER_SCOPES = sorted(SCOPES - {"admin"})
_CALLER = r"[A-Za-z0-9_.:-]{1,64}"
_Rate = Annotated[int | None, Field(strict=True, ge=1, le=100_000)]


def _cap(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | None) or not 0 <= (value or 0) <= _MOST:
        raise PydanticCustomError("cap", f"must be whole micro-dollars from 0 to {_MOST}: 5000000 for 5 US dollars")
    return value


def _caller(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(_CALLER, value):
        raise PydanticCustomError("caller", "must be 1 to 64 characters of A-Z, a-z, 0-9 and _ . : -")
    return value


_Cap = Annotated[int | None, Field(ge=0, le=_MOST), BeforeValidator(_cap)]
_Caller = Annotated[str, Field(pattern=f"^{_CALLER}$"), BeforeValidator(_caller)]


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class CreateKey(_Order):
    caller: _Caller = Field(description="Whose runs it sees; keys may share a caller.")
    name: str = Field("", max_length=128, description="What tells it from other keys of the caller.")
    scopes: list[str] = Field(_CALLER_SCOPES, min_length=1, description="`admin` too may be among them.")
    expires_at: Moment | None = None
    creates_per_minute: _Rate = Field(None, description="Without it, the deployment's limit.")
    reads_per_minute: _Rate = Field(None, description="Without it, the deployment's limit.")

    @field_validator("scopes")
    @classmethod
    def _known(cls, scopes: list[str]) -> list[str]:
        if unknown := sorted(set(scopes) - SCOPES):
            raise ValueError(f"{unknown[0][:32]!r} is none of {', '.join(sorted(SCOPES))}")
        return scopes

    @field_validator("expires_at")
    @classmethod
    def _ahead(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment <= datetime.now(UTC):
            raise ValueError("lies in the past")
        return moment

    def as_new_key(self) -> NewKey:
        return NewKey(**self.model_dump() | {"scopes": frozenset(self.scopes)})


class Rotate(_Order):
    overlap_seconds: int = Field(
        _DAY, strict=True, ge=0, le=30 * _DAY, description="How long the old one goes on working."
    )

    @property
    def overlap(self) -> timedelta:
        return timedelta(seconds=self.overlap_seconds)


class Caps(_Order):
    daily_cap: _Cap = Field(None, description="Micro-dollars a day; null is no cap.")
    monthly_cap: _Cap = Field(None, description="Micro-dollars a month; null is no cap.")


def read_order(model: type[Model], body: Json) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        faults = [
            Fault(problem["loc"], _in_our_words(problem["msg"]))
            for problem in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise RequestError("Request validation failed.", faults=faults) from None


def _in_our_words(message: str) -> str:
    said = message.removeprefix("Value error, ")
    return said[0].lower() + said[1:]


def key_resource(key: StoredKey) -> Json:
    return {
        "id": key.id,
        "object": "api_key",
        "caller": key.caller,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "status": _status(key),
        "creates_per_minute": key.creates_per_minute,
        "reads_per_minute": key.reads_per_minute,
        "created_at": key.created_at.isoformat(),
        "expires_at": _when(key.expires_at),
        "revoked_at": _when(key.revoked_at),
        "last_used_at": _when(key.last_used_at),
        "replaced_by": key.replaced_by,
    }


def caller_resource(caller: StoredCaller) -> Json:
    return {
        "id": caller.id,
        "object": "caller",
        "created_at": caller.created_at.isoformat(),
        "daily_cap": caller.daily_cap,
        "monthly_cap": caller.monthly_cap,
        "has_callback_secret": caller.has_callback_secret,
        "previous_callback_until": _when(caller.previous_callback_until),
    }


def _status(key: StoredKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "active" if key.is_live(datetime.now(UTC)) else "expired"


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
