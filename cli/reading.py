"""JSON from people: only what can be sent on as JSON."""

import json
from typing import Any


def read_json(text: str) -> Any:
    """A ValueError where it is none, or has what Python reads and JSON lacks: NaN, half of a character."""
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return found
