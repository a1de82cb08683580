"""What people read where a connection failed, over real connections."""

import asyncio
import socket
from collections.abc import Sequence

import httpx
import pytest

from net.client import guarded_client
from net.origins import TrustedOrigins
from net.unanswered import why_unanswered
from tests.support.scripted import CUT, scripted
from tests.support.serving import free_port
from tests.unit.net.resolvers import Answers


async def why(url: str, http: httpx.AsyncClient | None = None) -> str:
    async with http or httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
        with pytest.raises((httpx.HTTPError, httpx.InvalidURL)) as failed:
            (await client.post(url, json={})).raise_for_status()
    return why_unanswered(failed.value)


async def test_a_port_where_nobody_listens_and_a_connection_that_breaks_are_told_apart() -> None:
    assert await why(f"http://127.0.0.1:{free_port()}") == "Nobody listens there."
    async with scripted(CUT, b"no HTTP\r\n\r\n", b"HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n") as server:
        assert (await why(server.url)).startswith("The connection broke")
        assert (await why(server.url)).endswith("no HTTP.")
        assert await why(server.url) == "It answered 502."


async def test_a_server_without_tls_has_no_secure_connection() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 No TLS here\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await why(f"https://127.0.0.1:{port}")).startswith("No secure connection")


async def test_names_are_told_by_what_became_of_them() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror("no such name")

    nobody = TrustedOrigins()
    private = guarded_client(nobody, timeout=5.0, resolver=Answers(["10.0.0.1"]))
    assert await why("https://inside.example/", private) == "The address is not public."
    nowhere = guarded_client(nobody, timeout=5.0, resolver=unknown)
    assert await why("https://nowhere.example/", nowhere) == "The host has no address."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ReadTimeout("late"), "No answer in time."),
        (httpx.UnsupportedProtocol("ftp"), "The address can't be called."),
        (httpx.InvalidURL("odd"), "The address can't be called."),
        (httpx.TooManyRedirects("round"), "No answer came."),
    ],
)
def test_no_exceptions_name_is_ever_said(error: Exception, said: str) -> None:
    assert why_unanswered(error) == said
