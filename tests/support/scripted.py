"""A server that gives its answers in the order they were written down, one a connection, and remembers who asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

CUT = b""
"""The connection is closed without a word."""


@dataclass(frozen=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Scripted:
    answers: list[bytes]
    url: str = ""
    requests: list[Request] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(line, headers, body))
        writer.write(self.answers.pop(0))
        writer.close()
        await writer.wait_closed()


def answer(
    status: int,
    body: Any,
    *,
    kind: str = "application/json",
    cut: bool = False,
    **headers: str,
) -> bytes:
    """`cut` promises more bytes than come. A header's name is written with _ for -."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    told = {"content-type": kind, "content-length": str(len(content) + cut), "connection": "close"} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} Told\r\n{head}\r\n".encode() + content


def run_data(status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "0196f3a0-0000-7000-8000-000000000001",
        "chain_slug": "chain1",
        "status": status,
        "mode": "sandbox",
        "created_at": "2026-11-21T08:00:00+00:00",
        "steps": [],
    } | more


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[Scripted]:
    server = Scripted(list(answers))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()
