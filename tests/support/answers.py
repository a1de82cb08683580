"""Answers of the API that tests read."""

from typing import Any

import httpx

Json = dict[str, Any]


def refusal(answer: httpx.Response, status: int, code: str) -> Json:
    """The answer's error object, once it is the one that was expected, in the one shape that errors have."""
    assert answer.status_code == status, answer.text
    error: Json = answer.json()["error"]
    assert list(answer.json()) == ["error"]
    assert list(error)[:3] == ["type", "code", "message"]
    assert error["code"] == code
    assert error["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    return error
