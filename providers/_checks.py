"""Reading the answer to a call that is free and needs a good key."""

from collections.abc import Callable
from typing import Any

import httpx

from domain.checks import Checked, KeyVerdict
from providers._answers import json_object


def read_check(response: httpx.Response, told: Callable[[dict[str, Any]], str | None]) -> Checked:
    """`told` says in words what a right answer holds, or None of one that is not what the page promises."""
    if response.status_code in (401, 403):
        return Checked(KeyVerdict.REFUSED, f"HTTP {response.status_code}")
    payload = json_object(response)
    words = told(payload) if payload is not None and response.is_success else None
    if words is None:
        return Checked(KeyVerdict.UNKNOWN, f"HTTP {response.status_code}, with an answer that no page describes")
    return Checked(KeyVerdict.GOOD, words)
