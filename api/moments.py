"""Times and days in requests: written out, as the schema says. Pydantic alone would also take seconds since 1970."""

import re
from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

# Well within what Python can count: a zone, a clock's tolerance or the next midnight never lead out of it.
_YEAR = r"(19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])"
_DAY = _YEAR + r"-[0-9]{2}-[0-9]{2}"
_MOMENT = _DAY + r"[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"


def _moment(value: object) -> object:
    if isinstance(value, (int, float)) or (isinstance(value, str) and not re.fullmatch(_MOMENT, value)):
        said = "must be a time with its zone, such as 2026-11-21T08:00:00Z, in the years 1970 to 9998"
        raise PydanticCustomError("moment", said)
    return value


def _day(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(_DAY, value):
        raise PydanticCustomError("day", "must be a day, such as 2026-11-21, in the years 1970 to 9998")
    return value


def _schema(form: str, pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": form, "pattern": f"^{pattern}$"})


Moment = Annotated[AwareDatetime, BeforeValidator(_moment), _schema("date-time", _MOMENT)]
Day = Annotated[date, BeforeValidator(_day), _schema("date", _DAY)]
