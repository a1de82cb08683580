"""Where the API is and with which key, and how a call becomes httpx's arguments."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx

from babychain_client.errors import BabyChainError, NotFound, WaitTimeout, tell_run
from babychain_client.exchange import PATIENCE, Call, may_have_started
from babychain_client.following import Following

LOCAL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Address:
    url: str
    key: str | None

    @classmethod
    def of(cls, url: str | None, key: str | None) -> Self:
        found = url or os.environ.get("BABYCHAIN_URL") or LOCAL
        key = key or os.environ.get("BABYCHAIN_API_KEY") or None
        if key and not (key.isascii() and key.isprintable()):
            # Nothing else can be written into a header, and httpx's own error would show the key.
            raise ValueError("The API key is none: keys are made of printable ASCII characters.")
        return cls(found.rstrip("/"), key)

    def request(self, call: Call) -> dict[str, Any]:
        return {
            "method": call.method,
            "url": self.url + call.path,
            "params": call.params,
            "json": call.json,
            "files": call.files,
            "headers": {**self._permission, **call.headers},
            "timeout": call.patience,
        }

    def listening(self, listener: Following, patience: float) -> dict[str, Any]:
        return {
            "method": "GET",
            "url": self.url + listener.call.path,
            "headers": self._permission | listener.headers | {"accept": "text/event-stream"},
            "timeout": httpx.Timeout(PATIENCE, read=patience),
        }

    @property
    def _permission(self) -> dict[str, str]:
        """With each request, not on the http client: that one also fetches files, from addresses in answers."""
        return {} if self.key is None else {"authorization": f"Bearer {self.key}"}


@contextmanager
def naming(run_id: str) -> Iterator[None]:
    """Whatever ends a wait in here says which run goes on."""
    try:
        yield
    except (WaitTimeout, GeneratorExit):
        raise
    except NotFound as error:
        error.run_id = run_id
        raise
    except BaseException as error:
        tell_run(error, run_id)
        raise


@contextmanager
def of_run(run_id: str) -> Iterator[None]:
    """Whatever ends a download in here says whose files they are."""
    try:
        yield
    except BabyChainError as error:
        error.run_id = run_id
        raise


@contextmanager
def keyed(call: Call) -> Iterator[None]:
    """What is broken off may have been started: whoever repeats it should do so under the same key."""
    try:
        yield
    except (KeyboardInterrupt, asyncio.CancelledError) as error:
        error.add_note(may_have_started(call))
        raise
