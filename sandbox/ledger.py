"""The ledger: every call that made or tried to make a job, so that a test can prove "one intent, one paid start"."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "x-key", "x-api-key", "cookie"})
_LONG = 200
_BASE64 = re.compile(r"(data:[\w./+-]+;base64,)?[A-Za-z0-9+/_=-]+")


def utc_now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass(eq=False)
class Row:
    """One call. `charged` is in the provider's own unit (credits, tokens, pictures); a job that fails stays at 0."""

    provider: str
    operation: str
    model: str
    body: Any
    headers: dict[str, str]
    job_id: str | None = None
    callback_url: str | None = None
    state: str | None = None
    polls: int = 0
    charged: float = 0
    downloads: int = 0
    key_on_download: bool = False  # a client must never send its key to a result's address
    times: dict[str, str] = field(default_factory=lambda: {"received": utc_now()})


class Ledger:
    def __init__(self) -> None:
        self.rows: list[Row] = []

    def record(self, provider: str, operation: str, model: str, body: Any, headers: Mapping[str, str]) -> Row:
        shown = {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}
        row = Row(provider, operation, model, shorten(body), shown)
        self.rows.append(row)
        return row

    def clear(self) -> None:
        self.rows.clear()


def shorten(value: Any) -> Any:
    """Pictures sent inside a body would make the ledger unreadable and huge; their beginning and length say enough."""
    if isinstance(value, str) and len(value) > _LONG and _BASE64.match(value, 0, _LONG).end() >= _LONG:  # type: ignore[union-attr]
        return f"{value[:48]}... ({len(value)} characters)"
    if isinstance(value, list):
        return [shorten(item) for item in value]
    if isinstance(value, dict):
        return {name: shorten(item) for name, item in value.items()}
    return value
