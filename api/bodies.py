"""Read a JSON body with its limit kept while reading.

FastAPI's own body parameters parse before any dependency runs: bad JSON would beat a missing key, and a stranger's
body would be read whole. So routes with a body take the request and call this.
"""

import json
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import Request

from domain.errors import Fault, RequestError
from domain.limits import BODY_BYTES


class BoundedRequest(Request):
    """A request whose body is refused, in our words, when it is declared or grows beyond a limit."""

    def __init__(self, request: Request, limit: int) -> None:
        super().__init__(request.scope, request.receive)
        self._limit = limit

    async def stream(self) -> AsyncGenerator[bytes, None]:
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._limit:
            raise self._too_large()
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            if size > self._limit:
                raise self._too_large()
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


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
