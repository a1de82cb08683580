"""Read a body with its limits, of size and of time, kept while reading.

FastAPI's own body parameters parse before any dependency runs: bad JSON would beat a missing key, and a stranger's
body would be read whole. So routes with a body take the request and call this.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from domain.errors import Fault, RequestError
from domain.limits import BODY_BYTES

_LEAST_SECONDS = 10.0
_SLOWEST = 100_000
"""Bytes a second. JSON has ten seconds, the largest picture five minutes."""


class BoundedRequest(Request):
    """A request whose body is refused, in our words, when it grows beyond a limit or takes too long to come."""

    def __init__(self, request: Request, limit: int, *, seconds: float | None = None) -> None:
        """Without `seconds` the time follows from the limit."""
        super().__init__(request.scope, request.receive)
        self._limit = limit
        self._seconds = max(_LEAST_SECONDS, limit / _SLOWEST) if seconds is None else seconds

    async def stream(self) -> AsyncGenerator[bytes, None]:
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._limit:
            raise self._too_large()
        size = 0
        async with aclosing(self._in_time()) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._limit:
                    raise self._too_large()
                yield chunk

    async def _in_time(self) -> AsyncGenerator[bytes, None]:
        """The time is the whole body's, so a byte now and then does not lengthen it."""
        until = asyncio.get_running_loop().time() + self._seconds
        async with aclosing(super().stream()) as chunks:
            while True:
                try:
                    async with asyncio.timeout_at(until):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    said = f"The body was not whole within {self._seconds:.3g} seconds."
                    raise RequestError(said, code="request_timeout") from None
                except ClientDisconnect:
                    # Nobody reads this answer. It is none of our failures either.
                    raise RequestError("The caller left before the body was whole.") from None
                yield chunk

    def _too_large(self) -> RequestError:
        return RequestError(f"The body is larger than {self._limit} bytes.", code="payload_too_large")


async def read_bytes(request: Request, *, limit: int) -> bytes:
    return await BoundedRequest(request, limit).body()


async def read_object(request: Request) -> dict[str, Any]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        raise RequestError("Send the body as application/json.", code="unsupported_media_type")
    raw = await read_bytes(request, limit=BODY_BYTES)
    try:
        body = json.loads(raw, parse_constant=_refuse_constant)
    except RecursionError:
        fault = Fault(("input",), "is nested too deep")
        raise RequestError("The body is nested too deep.", faults=[fault]) from None
    except ValueError:
        # UnicodeDecodeError is one too. The parser's own text quotes the body, so it is not repeated.
        raise RequestError("The body is not valid JSON.", code="invalid_json") from None
    if not isinstance(body, dict):
        raise RequestError("The body must be a JSON object.", faults=[Fault((), "must be a JSON object")])
    return body


async def read_storable(request: Request) -> dict[str, Any]:
    """An object whose texts go to the database, which takes no NUL and no half of a character."""
    body = await read_object(request)
    faults = [
        Fault((name,) if _is_storable(name) else (), "holds a character that can't be stored")
        for name, value in body.items()
        if not (_is_storable(name) and _is_storable(value))
    ]
    if faults:
        raise RequestError("Request validation failed.", faults=faults)
    return body


def has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _is_storable(value: object) -> bool:
    return not isinstance(value, str) or not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
