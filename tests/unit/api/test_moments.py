"""Times and days in requests: what the schema allows, and nothing that only pydantic would."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.moments import Day, Moment


@pytest.mark.parametrize(
    "text", ["2026-11-21T08:00:00Z", "2026-11-21T08:00:00.123456+00:00", "2026-11-21t08:00:00-05:30"]
)
def test_a_time_with_its_zone_is_taken(text: str) -> None:
    assert TypeAdapter(Moment).validate_python(text).tzinfo is not None


@pytest.mark.parametrize(
    "given", [0, 0.5, True, "0.5", "1779872472", "2026-11-21", "2026-11-21T08:00:00", "2026-11-21 08:00:00Z", ""]
)
def test_any_other_form_of_a_time_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError, match=r"2026-11-21T08:00:00Z|timezone"):
        TypeAdapter(Moment).validate_python(given)


def test_a_day_is_written_out() -> None:
    assert TypeAdapter(Day).validate_python("2026-11-21").day == 21
    for given in ("0", "1779872472", "2026-11-21T00:00:00", "21.11.2026", ""):
        with pytest.raises(ValidationError, match="must be a day"):
            TypeAdapter(Day).validate_python(given)
