"""Bodies that come slowly, never, or are left behind, over real sockets."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from structlog.testing import capture_logs

from api import errors
from api.bodies import BoundedRequest, read_storable
from domain.errors import RequestError
from tests.support.serving import serving
from tests.support.waiting import eventually

HEAD = b"POST / HTTP/1.1\r\nhost: api\r\ncontent-length: 50\r\n\r\n"
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def patient_for(seconds: float, ended: list[str] | None = None) -> AsyncIterator[int]:
    """The port of a service that reads one body, and notes how that ended."""
    app = FastAPI()
    errors.install(app)

    @app.post("/")
    async def read(request: Request) -> int:
        try:
            return len(await BoundedRequest(request, 100, seconds=seconds).body())
        except RequestError as error:
            (ended if ended is not None else []).append(error.reason)
            raise

    async with serving(app) as url:
        yield int(url.rpartition(":")[2])


async def trickle(line: Line) -> None:
    while True:
        line[1].write(b"1")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("drips", [False, True])
async def test_a_body_that_takes_too_long_is_refused_and_its_connection_closed(drips: bool) -> None:
    async with patient_for(0.2) as port:
        line = await asyncio.open_connection("127.0.0.1", port)
        line[1].write(HEAD)
        dripping = asyncio.create_task(trickle(line)) if drips else None
        async with asyncio.timeout(30):
            head, _, body = (await line[0].read()).partition(b"\r\n\r\n")
        if dripping is not None:
            dripping.cancel()
        line[1].close()
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head
    error = json.loads(body)["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "request_timeout")


async def test_a_caller_who_leaves_in_the_middle_is_no_failure_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def seen() -> list[str]:
        return ended

    with caplog.at_level(logging.WARNING), capture_logs() as said:
        async with patient_for(60, ended) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + b"1")
            await writer.drain()
            writer.transport.abort()
            await eventually(seen, bool)
    assert said == []
    # An exporter that another test has shut down has its own words.
    assert [record for record in caplog.records if not record.name.startswith("opentelemetry")] == []


def request(body: Any) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode()}

    return Request({"type": "http", "headers": []}, receive)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "x\0y"}, ("name",)),
        ({"fine": "ä", "reason": "\ud800"}, ("reason",)),
        ({"\0": 1}, ()),
        ({"\udfff": "x"}, ()),
    ],
)
async def test_what_no_database_takes_is_refused_by_name(body: Any, path: tuple[str, ...]) -> None:
    with pytest.raises(RequestError) as caught:
        await read_storable(request(body))
    assert [fault.path for fault in caught.value.faults] == [path]


async def test_other_texts_are_left_as_they_are() -> None:
    body = {"name": "Zoë 🛶\n", "number": 1, "nothing": None}
    assert await read_storable(request(body)) == body
