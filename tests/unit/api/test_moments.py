"""Times and days in requests: what the schema allows, and nothing that only pydantic would."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
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


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [
        (Moment, "{}-01-01T00:00:00Z", "{}-12-31T23:59:59-14:00"),
        (Moment, "{}-01-01T00:00:00+14:00", "{}-12-31T23:59:59.999999Z"),
        (Day, "{}-01-01", "{}-12-31"),
    ],
)
def test_years_that_cannot_be_counted_with_are_refused_as_the_schema_says(kind: Any, first: str, last: str) -> None:
    adapter = TypeAdapter(kind)
    schema = Draft202012Validator(adapter.json_schema())
    for good in (first.format("1970"), last.format("9998"), first.format("2026")):
        adapter.validate_python(good)
        assert schema.is_valid(good)
    for bad in (first.format("0001"), first.format("1969"), last.format("9999"), first.format("\uff12026")):
        with pytest.raises(ValidationError, match="in the years 1970 to 9998"):
            adapter.validate_python(bad)
        assert not schema.is_valid(bad)
