"""The envelope of a create request: what stands beside `input`, and how big it all may be."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from domain.callbacks import CHOICES
from domain.errors import Fault, RequestError
from domain.findings import without_keys
from domain.forbidden import given_away
from domain.limits import INPUT_BYTES, METADATA_BYTES, STRING_BYTES, check_shape, check_size
from domain.money import micros_of
from domain.plan import RunOptions

_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_WEBHOOK_URL_LENGTH = 2048
_MOST_LEAKS = 100
"""So many credentials are told of: a body of nothing else should not make a far longer answer."""


@dataclass(frozen=True)
class Envelope:
    input: dict[str, Any]
    metadata: dict[str, Any]
    webhook_url: str | None
    options: RunOptions = RunOptions()
    faults: tuple[Fault, ...] = ()
    """What is wrong beside `input`. Whoever plans the input refuses it together with what is wrong there."""

    def refuse_if_faulty(self) -> None:
        if self.faults:
            raise RequestError("Request validation failed.", faults=without_keys(self.faults))


def read_envelope(body: dict[str, Any]) -> Envelope:
    """Other keys are ignored, as the contract has it. Raises what is wrong only where no `input` is left to plan."""
    faults: list[Fault] = []
    parts: dict[str, dict[str, Any]] = {}
    for name, most in (("input", INPUT_BYTES), ("metadata", METADATA_BYTES)):
        value = body.get(name)
        value = {} if value is None else value
        if not isinstance(value, dict):
            faults.append(Fault((name,), "must be an object"))
            value = {}
        # The walk bounds depth first; measuring the size recurses.
        # Some models document longer strings than the contract, so planning, which knows the model, checks `input`'s.
        shape = check_shape(value, name, string_bytes=INPUT_BYTES if name == "input" else STRING_BYTES)
        faults += shape or check_size(value, name, most)
        parts[name] = value
    webhook_url = _read_webhook_url(body.get("webhook_url"), faults)
    options = _read_options(body, faults)
    faults += islice(_leaks(body), _MOST_LEAKS)
    envelope = Envelope(parts["input"], parts["metadata"], webhook_url, options, tuple(faults))
    if not isinstance(body.get("input"), dict) or any(fault.path[0] == "input" for fault in faults):
        envelope.refuse_if_faulty()
    return envelope


def _leaks(body: dict[str, Any]) -> Iterator[Fault]:
    """Credentials beside `input`, whose own planning finds: also in what is ignored, for they have been sent."""
    for name, value in body.items():
        # What is too deep or too large to be walked is refused, or ignored, without a look into it.
        unfit = check_shape(name, name) or check_shape(value, name, string_bytes=INPUT_BYTES)
        if name != "input" and not unfit:
            yield from (Fault(path, message) for path, message in given_away({name: value}))


def _read_options(body: dict[str, Any], faults: list[Fault]) -> RunOptions:
    given: dict[str, Any] = {}
    for name in ("fallbacks", "resubmit_unknown"):
        value = body.get(name)
        if isinstance(value, bool):
            given[name] = value
        elif value is not None:
            faults.append(Fault((name,), "must be true or false"))
    if body.get("max_cost") is not None:
        try:
            given["max_cost"] = micros_of(body["max_cost"])
        except ValueError:
            faults.append(Fault(("max_cost",), 'must be an amount in US dollars, such as 0.5 or "0.50"'))
    if body.get("webhook_events") is not None:
        given["webhook_events"] = _read_events(body["webhook_events"], faults)
    return RunOptions(**given)


def _read_events(value: Any, faults: list[Fault]) -> tuple[str, ...]:
    chosen = value if isinstance(value, list) else []
    if not chosen or any(not isinstance(name, str) or name not in CHOICES for name in chosen):
        faults.append(Fault(("webhook_events",), f"must be a list of one or more of {', '.join(CHOICES)}"))
        return ()
    return tuple(name for name in CHOICES if name in chosen)


def read_webhook_url(body: dict[str, Any]) -> str:
    """Of a body in which it must stand."""
    faults: list[Fault] = []
    url = _read_webhook_url(body.get("webhook_url"), faults)
    if url is None and not faults:
        faults.append(Fault(("webhook_url",), "is missing"))
    if url is None or faults:
        raise RequestError("Request validation failed.", faults=faults)
    return url


def _read_webhook_url(value: Any, faults: list[Fault]) -> str | None:
    """Its syntax only: whether we would call it is judged later, with a code of its own."""
    if value is None:
        return None
    url = value.strip() if isinstance(value, str) else None
    if url is None or (url and not _is_url(url)):
        faults.append(Fault(("webhook_url",), "must be a URL"))
        return None
    if len(url) > _WEBHOOK_URL_LENGTH:
        faults.append(Fault(("webhook_url",), f"is longer than {_WEBHOOK_URL_LENGTH} characters"))
        return None
    return url or None


def _is_url(text: str) -> bool:
    try:
        text.encode()
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


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
