"""The envelope of a create request: what stands beside `input`, and how big it all may be."""

import re
from dataclasses import dataclass
from typing import Any

from domain.errors import Fault, RequestError
from domain.limits import INPUT_BYTES, METADATA_BYTES, check_shape, check_size

_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_WEBHOOK_URL_LENGTH = 2048


@dataclass(frozen=True)
class Envelope:
    input: dict[str, Any]
    metadata: dict[str, Any]
    webhook_url: str | None


def read_envelope(body: dict[str, Any]) -> Envelope:
    """Other keys are ignored, as the contract has it."""
    faults: list[Fault] = []
    parts: dict[str, dict[str, Any]] = {}
    for name, most in (("input", INPUT_BYTES), ("metadata", METADATA_BYTES)):
        value = body.get(name)
        value = {} if value is None else value
        if not isinstance(value, dict):
            faults.append(Fault((name,), "must be an object"))
            value = {}
        # The walk bounds depth first; measuring the size recurses.
        shape = check_shape(value, name)
        faults += shape or check_size(value, name, most)
        parts[name] = value
    webhook_url = body.get("webhook_url")
    if webhook_url is not None and not isinstance(webhook_url, str):
        faults.append(Fault(("webhook_url",), "must be a URL"))
        webhook_url = None
    webhook_url = (webhook_url or "").strip() or None
    if webhook_url and len(webhook_url) > _WEBHOOK_URL_LENGTH:
        faults.append(Fault(("webhook_url",), f"is longer than {_WEBHOOK_URL_LENGTH} characters"))
    if faults:
        raise RequestError("Request validation failed.", faults=faults)
    return Envelope(parts["input"], parts["metadata"], webhook_url)


def read_idempotency_key(header: str | None) -> str | None:
    if header is None:
        return None
    key = header.strip()
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise RequestError(
            "Idempotency-Key takes 1 to 255 characters of A-Z, a-z, 0-9 and _ . : -", code="invalid_idempotency_key"
        )
    return key


def read_request_id(header: str | None) -> str | None:
    """A request id that does not fit is dropped, not refused."""
    return header if header and _REQUEST_ID.fullmatch(header) else None
