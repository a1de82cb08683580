"""Answers gone wrong: carries out the fault kinds that concern one HTTP answer, whichever provider gave it."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from sandbox.connections import Reset, transport_of
from sandbox.faults import ANSWERS, CALLS, Faults, Operation, Rule

_LONGEST_HANG = 120.0
_ENDLESS_BYTES = 1 << 30
_CHUNK = 64 * 1024
_DRIPS = 20
_READS = frozenset({"status", "result"})
_SAY_OF_WHAT = frozenset(
    {"id", "task_id", "generation_id", "polling_url", "url"}
)  # what a job or an uploaded file goes by
_ALTERED = frozenset({"slow", "truncated", "wrong_type", "no_job_id"})  # kinds that need a right answer to spoil


@dataclass(frozen=True)
class Call:
    """One call as the fault rules see it."""

    provider: str
    model: str
    operation: Operation
    error: Callable[[int, str], Response]  # the provider's own shape of an error
    key: str = ""  # the caller's key, for `echo_key` alone; never stored
    unfit: frozenset[str] = frozenset()  # kinds that mean nothing here, and so pass this call by


async def answered(faults: Faults, call: Call, perform: Callable[[Rule | None], Awaitable[Response]]) -> Response:
    """Run `perform` and give its answer, unless a rule says otherwise.

    `when` tells whether the fault strikes before or after the job is made. Reading makes nothing, so a read is
    performed whenever the fault needs an answer to spoil; and a `slow` answer is always the true one. Rules about jobs
    and results are handed to `perform`, which knows what they mean.
    """
    rule = faults.take(call.provider, call.model, call.operation, CALLS - call.unfit)
    if rule is None or rule.kind not in ANSWERS:
        return await perform(rule)
    true_answer_needed = rule.kind in _ALTERED and call.operation in _READS
    if rule.when == "after" or rule.kind == "slow" or true_answer_needed:
        return await _spoiled(rule, call, await perform(None))
    return await _spoiled(rule, call, JSONResponse({"id": str(uuid.uuid4()), "status": "accepted"}))


async def _spoiled(rule: Rule, call: Call, answer: Response) -> Response:  # noqa: PLR0911, PLR0912 - one branch per kind
    match rule.kind:
        case "status":
            return _as_told(rule, call)
        case "refuse" | "bad_tls" | "reset":
            # The client already has a submit's address and has connected, so a refused connection is out of reach here:
            # closing without reading on or answering is as near as an accepted socket comes.
            return Reset()
        case "hang":
            return _Hang(rule.seconds or _LONGEST_HANG)
        case "slow":
            return _slow(await _body_of(answer), answer, rule.seconds or 5)
        case "truncated":
            return _Truncated(await _body_of(answer), answer, claim_whole=rule.declared == "whole")
        case "garbage":
            return Response(b"\x00\xfe}{ not what was asked \xff" * 8, media_type="application/json")
        case "html":
            return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", rule.status or 200)
        case "wrong_type":
            return _wrong_type(await _body_of(answer), answer)
        case "huge":
            return StreamingResponse(_endless(), media_type="application/json")
        case "redirect":
            return RedirectResponse(rule.location)
        case "error_in_200":
            problem = call.error(400, "Something went wrong.")
            problem.status_code = 200
            return problem
        case "no_job_id":
            return _without_id(await _body_of(answer))
        case "echo_key":
            return call.error(400, f"The request was signed with {call.key!r}, which did not help.")
    raise AssertionError(rule.kind)


def _as_told(rule: Rule, call: Call) -> Response:
    if rule.body is None:
        answer = call.error(rule.status, f"Answered with status {rule.status} on request.")
    elif isinstance(rule.body, str):
        answer = Response(rule.body, rule.status, media_type="text/plain")
    else:
        answer = JSONResponse(rule.body, rule.status)
    answer.headers.update(rule.headers)
    return answer


def _wrong_type(body: bytes, answer: Response) -> Response:
    """JSON whose every value has another type than it should; anything else lies about its Content-Type."""
    if "json" in answer.headers.get("content-type", ""):
        return JSONResponse(_retyped(json.loads(body)))
    return Response(body, answer.status_code, media_type="text/plain")


def _retyped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _retyped(item) for name, item in value.items()}
    if isinstance(value, str):
        return [len(value)]
    return str(value)


def _without_id(body: bytes) -> Response:
    return JSONResponse(_nameless(json.loads(body)))


def _nameless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _nameless(item) for name, item in value.items() if name not in _SAY_OF_WHAT}
    return value


async def _body_of(answer: Response) -> bytes:
    if isinstance(answer, StreamingResponse):
        chunks = [chunk async for chunk in answer.body_iterator]
        return b"".join(chunk.encode() if isinstance(chunk, str) else bytes(chunk) for chunk in chunks)
    return bytes(answer.body)


def _slow(body: bytes, answer: Response, seconds: float) -> Response:
    async def drip() -> AsyncIterator[bytes]:
        size = max(1, -(-len(body) // _DRIPS))
        for start in range(0, len(body), size):
            await asyncio.sleep(seconds / _DRIPS)
            yield body[start : start + size]

    headers = {name: value for name, value in answer.headers.items() if name != "transfer-encoding"}
    return StreamingResponse(drip(), answer.status_code, headers)


async def _endless() -> AsyncIterator[bytes]:
    """Blanks, which a JSON reader skips in the hope of something to come; starlette stops when the client goes away."""
    for _ in range(_ENDLESS_BYTES // _CHUNK):
        yield b" " * _CHUNK


class _Hang(Response):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            await Reset()(scope, receive, send)


class _Truncated(Response):
    """Half a body. With the cut length declared the JSON is broken; with the whole one, the transfer is."""

    def __init__(self, body: bytes, answer: Response, *, claim_whole: bool) -> None:
        super().__init__(body[: len(body) // 2], answer.status_code, media_type=answer.headers.get("content-type"))
        self._claim_whole = claim_whole
        if claim_whole:
            self.headers["content-length"] = str(len(body))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._claim_whole:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        transport = transport_of(scope)
        if transport is not None:
            transport.close()
