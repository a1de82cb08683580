"""Below HTTP: an answer that breaks its own connection, and the second port, where none succeeds."""

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as HttpProtocol
else:
    HttpProtocol = AutoHTTPProtocol

_EXTENSION = "sandbox.transport"
_TLS_HANDSHAKE = b"\x16"


class Connection(HttpProtocol):
    """uvicorn's protocol, telling the application which transport it answers on: ASGI has no word for "cut it"."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[_EXTENSION] = transport
            await application(scope, receive, send)

        self.app = with_transport


def transport_of(scope: Scope) -> asyncio.Transport | None:
    """None when the application runs without a real socket, as under an in-process ASGI client."""
    transport: asyncio.Transport | None = scope.get("extensions", {}).get(_EXTENSION)
    return transport


def reset(transport: asyncio.Transport) -> None:
    """Close with RST: a lingering time of zero throws away what is unsent and skips the orderly end of TCP."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Reset(Response):
    """No answer at all: the client sees its connection reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = transport_of(scope)
        if transport is None:
            raise RuntimeError("only a served sandbox can reset connections")
        reset(transport)


class SecondPort:
    """The port of URLs that must fail to connect.

    While it is bound but not listening, the kernel refuses every connection, which is the real thing and needs no code.
    A broken TLS handshake needs someone to talk, so the port listens only while a `bad_tls` rule is in force; a client
    that speaks anything but TLS to it then (a `refuse` URL beside a `bad_tls` one) is reset at once, the nearest to
    refused that an accepted socket can be.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._socket = bound_socket(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None

    async def set_listening(self, wanted: bool) -> None:
        if wanted and self._server is None:
            self._server = await asyncio.start_server(_speak_broken_tls, sock=self._socket)
        elif not wanted and self._server is not None:
            self._server.close()
            self._server = None
            self._socket = bound_socket(self._host, self.port)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._socket.close()


def bound_socket(host: str, port: int) -> socket.socket:
    # asyncio turns Nagle's delay off only on sockets that name TCP; without the third argument each answer waits 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.setblocking(False)
    return bound


async def _speak_broken_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(10):
            first = await reader.read(1)
        if first == _TLS_HANDSHAKE:
            writer.write(b"this is not a TLS record\r\n")
            await writer.drain()
            writer.close()
            return
    if isinstance(writer.transport, asyncio.Transport):
        reset(writer.transport)
