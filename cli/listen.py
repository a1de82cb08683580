"""`babychain listen`: callbacks for a receiver that the deployment can't reach, such as one under development.

The ends of runs are read from the API, so nothing has to be opened to the outside.
"""

import asyncio
import base64
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from activities.callbacks import signed_headers
from babychain_client import AsyncBabyChain, RunState
from babychain_client.states import ENDED
from cli.addresses import web_address
from cli.session import connect_patiently
from cli.showing import AsJson, Flag, console, show_line
from cli.signals import run
from domain.callbacks import RUN_COMPLETED, Event
from net.unanswered import why_unanswered

_EVERY = 3.0
"""Seconds: twenty reads a minute of the six hundred that a key has."""

_PAGE = 100
_PATIENCE = 15.0


def listen(url: str, /, *, secret: str | None = None, once: Flag = False, as_json: AsJson = False) -> int:
    """Send each run of yours that ends from now on to an address, as its callback, until Ctrl-C.

    Parameters
    ----------
    url
        Where your receiver listens, such as http://127.0.0.1:9000/callbacks.
    secret
        Signs what is sent: BABYCHAIN_CALLBACK_SECRET when it is not given, or else one that is made and shown.
    once
        End after the first, with exit code 1 where the receiver did not take it.
    as_json
        Print one line of JSON for each.
    """
    web_address(url, "URL")
    key = secret or os.environ.get("BABYCHAIN_CALLBACK_SECRET")
    made = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    if key is None and not as_json:
        console().print(f"Your receiver's secret, for as long as this runs: {made}", markup=False)
    return run(_listen(Forwarding(url, key or made, as_json=as_json), once=once), interrupted=0)


@dataclass
class Forwarding:
    url: str
    secret: str
    as_json: bool

    async def send(self, http: httpx.AsyncClient, state: RunState) -> bool:
        """Whether the receiver took it."""
        event = Event(RUN_COMPLETED, state.id)
        body = json.dumps(state.data, ensure_ascii=False, separators=(",", ":")).encode()
        headers = signed_headers([self.secret], event, body, datetime.now(UTC))
        told: dict[str, Any] = {"event": event.kind, "event_id": event.id, "run_id": state.id, "status": state.status}
        try:
            answer = await http.post(self.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            told["error"] = why_unanswered(error)
            self._tell(told)
            return False
        told["http_status"] = answer.status_code
        self._tell(told)
        return answer.is_success

    def _tell(self, told: dict[str, Any]) -> None:
        if self.as_json:
            show_line(told)
        else:
            answer = told.get("http_status") or told["error"]
            console().print(f"run {told['run_id']} {told['status']} → {answer}", markup=False)


@dataclass
class Ends:
    """Which of the runs that a page shows have ended since we began to look, by the API's own clock."""

    _seen: set[str] = field(default_factory=set)
    _since: str | None = None

    def new(self, page: list[RunState]) -> Iterator[RunState]:
        first, self._since = self._since is None, self._since or max((_moved(one) for one in page), default="")
        for state in reversed(page):
            if not first and state.id not in self._seen and _moved(state) >= self._since:
                yield state
            self._seen.add(state.id)


def _moved(state: RunState) -> str:
    return str(state.data["updated_at"])


async def _listen(forwarding: Forwarding, *, once: bool) -> int:
    ends = Ends()
    async with connect_patiently() as api, httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as http:
        list(ends.new(await _page(api)))
        if not forwarding.as_json:
            console().print(f"Forwarding to {forwarding.url}.", markup=False)
        while True:
            await asyncio.sleep(_EVERY)
            for row in ends.new(await _page(api)):
                # A row lacks what the caller sent, and a callback has it.
                taken = await forwarding.send(http, await api.state(row.id))
                if once:
                    return 0 if taken else 1


async def _page(api: AsyncBabyChain) -> list[RunState]:
    rows: list[RunState] = []
    async for state in api.list_runs(status=sorted(ENDED), limit=_PAGE):
        rows.append(state)
        if len(rows) == _PAGE:
            break
    return rows
