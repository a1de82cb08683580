"""A listener to a run's events, as the Server-Sent Events specification has it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    name: str
    data: dict[str, Any]
    id: str | None


async def read_events(answer: httpx.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "data" in fields:
                yield Event(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))
            fields = {}


@asynccontextmanager
async def listening(
    api: httpx.AsyncClient, run_id: str, last_event_id: str | None = None
) -> AsyncIterator[AsyncIterator[Event]]:
    headers = {} if last_event_id is None else {"last-event-id": last_event_id}
    async with api.stream("GET", f"/api/v1/chains/runs/{run_id}/events", headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        yield read_events(answer)


async def heard(api: httpx.AsyncClient, run_id: str, last_event_id: str | None = None) -> list[Event]:
    """All there is to hear, up to the end."""
    async with listening(api, run_id, last_event_id) as events:
        return [event async for event in events]
