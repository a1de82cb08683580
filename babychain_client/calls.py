"""Every call of the API, as data."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from babychain_client.exchange import PATIENCE, Call

Json = dict[str, Any]


def create(chain: str, body: Json, key: str | None) -> Call:
    return Call("POST", f"/api/v1/chains/{_part(chain)}/runs", "creates", json=body, headers=_once(key))


def estimate(chain: str, body: Json) -> Call:
    return Call("POST", f"/api/v1/chains/{_part(chain)}/estimate", "creates", json=body)


def body(
    input: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] | None = None,
    webhook_url: str | None = None,
    webhook_events: Iterable[str] | None = None,
    max_cost: str | float | None = None,
    **options: Any,
) -> Json:
    """What is None is left out. `options` are the API's own further fields, such as `fallbacks`."""
    given: Json = {
        "metadata": metadata,
        "webhook_url": webhook_url,
        "webhook_events": list(webhook_events)
        if isinstance(webhook_events, tuple | set | frozenset)
        else webhook_events,
        "max_cost": None if max_cost is None else str(max_cost),
        **options,
    }
    return {"input": dict(input)} | {name: value for name, value in given.items() if value is not None}


def get(run_id: str, *, wait: float = 0.0) -> Call:
    path = f"/api/v1/chains/get/{_part(run_id)}"
    if wait <= 0:
        return Call("GET", path, "reads")
    return Call("GET", path, "reads", headers={"prefer": f"wait={math.ceil(wait)}"}, patience=PATIENCE + wait)


def list_runs(cursor: str | None, filters: Mapping[str, Any]) -> Call:
    asked = {name: _text(value) for name, value in filters.items() if value not in (None, (), [])}
    return Call("GET", "/api/v1/chains/runs", "reads", params=asked | ({"cursor": cursor} if cursor else {}))


def cancel(run_id: str) -> Call:
    # The API waits for the run's end, for half a minute at most.
    return Call("POST", f"/api/v1/chains/cancel/{_part(run_id)}", patience=2 * PATIENCE)


def retry(run_id: str, body: Json, key: str | None) -> Call:
    return Call("POST", f"/api/v1/chains/runs/{_part(run_id)}/retry", "creates", json=body, headers=_once(key))


def delete(run_id: str) -> Call:
    return Call("DELETE", f"/api/v1/chains/runs/{_part(run_id)}", "creates")


def events(run_id: str) -> Call:
    return Call("GET", f"/api/v1/chains/runs/{_part(run_id)}/events", "reads")


def deliveries(run_id: str) -> Call:
    return Call("GET", f"/api/v1/chains/runs/{_part(run_id)}/deliveries", "reads")


def resend(run_id: str, step: str | None, key: str | None) -> Call:
    path = f"/api/v1/chains/runs/{_part(run_id)}/deliveries"
    return Call("POST", path, "creates", json={} if step is None else {"step_key": step}, headers=_once(key))


def send_test(url: str, key: str | None) -> Call:
    return Call("POST", "/api/v1/callbacks/test", "creates", json={"webhook_url": url}, headers=_once(key))


def upload(file: Path) -> Call:
    return Call("POST", "/api/v1/assets", "creates", files={"file": (file.name, file.read_bytes())})


def templates() -> Call:
    return Call("GET", "/api/v1/chains")


def models() -> Call:
    return Call("GET", "/api/v1/models")


def model(name: str) -> Call:
    return Call("GET", f"/api/v1/models/{'/'.join(map(_part, name.split('/')))}")


def _once(key: str | None) -> dict[str, str]:
    """Without a key of the caller's we make one: a repeat of ours must not do twice what was asked once."""
    if key is None:
        return {"idempotency-key": f"client-{uuid4()}"}
    if not (key.isascii() and key.isprintable()):
        # Nothing else can be written into a header.
        raise ValueError(f"An idempotency key is made of printable ASCII characters; {key!r} is not.")
    return {"idempotency-key": key}


def _part(text: str) -> str:
    """Of a path: nothing that a caller names may lead elsewhere."""
    part = quote(text, safe="")
    # `quote` leaves dots, and httpx goes up a level at `..`.
    return part if part.strip(".") else part.replace(".", "%2E")


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return [str(one) for one in value] if isinstance(value, list | tuple) else str(value)
