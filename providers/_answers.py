"""Reading what providers answer: leniently as JSON, and with suspicion as text that a caller will see."""

import base64
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from domain.errors import Refused, RequestError, StepError
from net.paid import retry_after

REASON_LENGTH = 500
READ_TIMEOUT = 10.0
_NAME_LENGTH = 200
_ADDRESS_LENGTH = 8_192
_REQUEST_IDS = ("x-request-id", "x-trace-id", "cf-ray")
_QUERY = re.compile(r"(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*", re.IGNORECASE)


class Redactor:
    """Makes a provider's own words safe to show: one short line, without our key and without anybody's signed link."""

    def __init__(self, key: str) -> None:
        # A key may come back broken over lines or blanks, so blanks are allowed between any two of its characters.
        forms = (r"\s*".join(map(re.escape, form)) for form in _spellings(key))
        self._secret = re.compile("|".join(forms), re.IGNORECASE)

    def __call__(self, text: object) -> str:
        if not isinstance(text, str):
            return ""
        visible = "".join(" " if char in "\r\n\t" else char for char in text if char in "\r\n\t" or _is_visible(char))
        hidden = self._secret.sub("[redacted]", visible)
        line = " ".join(_QUERY.sub(r"\1", hidden).split())
        return line if len(line) <= REASON_LENGTH else line[: REASON_LENGTH - 1] + "…"


def _is_visible(char: str) -> bool:
    """Not a control, not an invisible format sign (those reverse text and split words), not half a character."""
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs"}


def _spellings(key: str) -> list[str]:
    """The key itself, URL-encoded, and in Base64 at each of the three offsets it may have in a longer text."""
    forms = {key, quote(key, safe="")}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + key.encode()).decode().rstrip("=")
        # The first and the last signs also hold bits of the neighbours, so only those between are certain.
        certain = encoded[-(-offset * 8 // 6) : (offset + len(key.encode())) * 8 // 6]
        forms |= {certain, certain.replace("+", "-").replace("/", "_")}
    return sorted(forms, key=len, reverse=True)


def json_object(response: httpx.Response) -> dict[str, Any] | None:
    """The answer as a JSON object, or None: what it means that there is none, depends on what was asked."""
    try:
        payload = response.json()
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def short_text(value: object) -> str | None:
    """An id or a word of a provider, if it is printable text of a sane length."""
    return value if isinstance(value, str) and 0 < len(value) <= _NAME_LENGTH and value.isprintable() else None


def address(value: object) -> str | None:
    """An http address of a sane length. It ends up in histories, so a picture as data URI is none."""
    is_one = isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) <= _ADDRESS_LENGTH
    return str(value) if is_one else None


def request_id(response: httpx.Response, redact: Redactor) -> dict[str, str]:
    """By which the provider's support finds a call; empty where it gives none."""
    found = (short_text(response.headers.get(header)) for header in _REQUEST_IDS)
    return next(({"request_id": redact(value)} for value in found if value is not None), {})


@contextmanager
def traceable(response: httpx.Response, redact: Redactor) -> Iterator[None]:
    """What goes wrong inside, while the answer is read, carries the answer's request id."""
    try:
        yield
    except StepError as error:
        error.facts |= request_id(response, redact)
        raise


def webhook_object(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError("The webhook's body is not JSON.", code="invalid_json") from error
    if not isinstance(payload, dict):
        raise RequestError("The webhook's body is not a JSON object.", code="invalid_json")
    return payload


async def read(
    http: httpx.AsyncClient,
    url: str,
    *,
    provider: str,
    headers: Mapping[str, str],
    query: Mapping[str, str] | None = None,
    method: str = "GET",
) -> httpx.Response:
    """Ask for something that costs nothing and can be asked again."""
    try:
        return await http.request(
            method, url, headers=dict(headers), params=query, timeout=READ_TIMEOUT, follow_redirects=False
        )
    except httpx.HTTPError as error:
        raise Refused(f"{provider} could not be reached.", code="provider_network_error") from error


def cannot_say_now(provider: str, response: httpx.Response, payload: object) -> Refused | None:
    """Answers about our asking, not about the job. A key that is being rotated must not lose a paid job either."""
    if response.is_success and payload is None:
        return Refused(f"{provider}'s answer about its job can't be read.", code="provider_unexpected_response")
    refusal = hindrance(provider, response.status_code)
    if refusal is not None:
        refusal.retry_after = retry_after(response.headers)
    return refusal


def hindrance(provider: str, status: int) -> Refused | None:
    """What a status says of our asking; some providers repeat it in the body, under HTTP 200."""
    code = {429: "provider_rate_limited", 401: "provider_unauthorized", 403: "provider_unauthorized"}.get(status)
    if code is None and (status >= 500 or status == 408):
        code = "provider_unavailable"
    if code is None:
        return None
    return Refused(f"{provider} can't be asked about its jobs now (HTTP {status}).", code=code)
