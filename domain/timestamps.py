"""The contract's two spellings of a moment."""

from datetime import UTC, datetime


def micros(moment: datetime) -> str:
    """`created_at`, `updated_at`: microseconds, trailing zeros trimmed, `+00:00` and never `Z`."""
    return _spell(moment.astimezone(UTC), 6)


def millis(moment: datetime | None) -> str | None:
    """`started_at`, `completed_at`: milliseconds in the same form, or null until it happens."""
    return None if moment is None else _spell(moment.astimezone(UTC), 3)


def _spell(moment: datetime, digits: int) -> str:
    fraction = f"{moment.microsecond:06d}"[:digits].rstrip("0")
    seconds = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{seconds}.{fraction}+00:00" if fraction else f"{seconds}+00:00"
