import asyncio
import gzip
from collections.abc import Awaitable, Callable

import httpx
import pytest

from domain.errors import OutputInvalid, Refused
from net.client import guarded_client
from net.download import LinkExpired, download
from net.origins import TrustedOrigins
from tests.unit.net.raw_server import Answer, ok, raw_server, reply
from tests.unit.net.resolvers import Answers, no_dns


async def fetch(answer: Answer | bytes, *, max_bytes: int = 1000, seconds: float = 5.0) -> bytes:
    async with (
        raw_server(answer) as server,
        guarded_client(TrustedOrigins.parse(server.url), timeout=5.0, resolver=no_dns) as http,
        download(http, f"{server.url}/file?key=s3cret", max_bytes=max_bytes, timeout=seconds) as chunks,
    ):
        return b"".join([chunk async for chunk in chunks])


def raw(*pieces: bytes, then: Callable[[], Awaitable[object]] | None = None) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        if then is not None:
            await then()
        writer.close()

    return answer


async def test_body_comes_unchanged_and_may_be_larger_than_an_ordinary_answer() -> None:
    body = bytes(range(256)) * 8192
    assert await fetch(ok(body), max_bytes=len(body)) == body


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_dead_link_can_be_told_from_a_bad_file(status: int) -> None:
    with pytest.raises(LinkExpired) as caught:
        await fetch(reply(status, b"<Error>s3cret</Error>"))
    assert isinstance(caught.value, OutputInvalid)
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_server_trouble_is_tried_again_here(status: int) -> None:
    with pytest.raises(Refused) as caught:
        await fetch(reply(status, b"", "Retry-After: 7"))
    assert caught.value.reason == "provider_network_error"
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [201, 204, 206, 302, 418])
async def test_any_other_status_is_not_the_file(status: int) -> None:
    with pytest.raises(OutputInvalid) as caught:
        await fetch(reply(status, b"", "Location: https://example.com/"))
    assert not isinstance(caught.value, LinkExpired)


async def test_declared_size_over_the_cap_is_refused_before_the_body() -> None:
    head_only = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", then=asyncio.Event().wait)
    with pytest.raises(OutputInvalid, match="larger than 1000"):
        await fetch(head_only)


async def test_undeclared_size_over_the_cap_is_cut() -> None:
    with pytest.raises(OutputInvalid, match="larger than 1000"):
        await fetch(raw(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1001))


async def test_cap_holds_for_a_client_that_has_none_of_its_own() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(b"x" * 1001)))
    async with (
        httpx.AsyncClient(transport=transport) as http,
        download(http, "https://example.com/", max_bytes=1000, timeout=5.0) as chunks,
    ):
        with pytest.raises(OutputInvalid, match="larger than 1000"):
            async for _ in chunks:
                pass


async def test_encoded_body_is_refused() -> None:
    with pytest.raises(OutputInvalid, match="encoded"):
        await fetch(ok(gzip.compress(b"\0" * 100_000), "Content-Encoding: gzip"))


async def test_body_cut_short_is_tried_again() -> None:
    with pytest.raises(Refused):
        await fetch(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"half"))


async def test_broken_answer_is_tried_again() -> None:
    with pytest.raises(Refused):
        await fetch(raw(b"SSH-2.0-OpenSSH\r\n\r\n"))


@pytest.mark.parametrize("pieces", [(), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"start")])
async def test_silence_ends_at_the_deadline(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(Refused, match="too slow"):
        await fetch(raw(*pieces, then=asyncio.Event().wait), seconds=0.1)


async def test_body_that_only_drips_ends_at_the_deadline() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    with pytest.raises(Refused, match="too slow"):
        await fetch(drip, max_bytes=10**9, seconds=0.2)


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "https://10.0.0.1/x", "https://[::1", "no url", "https://rebound.example/"]
)
async def test_unsafe_address_is_a_bad_file_and_is_not_tried_again(url: str) -> None:
    async with guarded_client(TrustedOrigins(), timeout=5.0, resolver=Answers(["127.0.0.1"])) as http:
        with pytest.raises(OutputInvalid):
            async with download(http, url, max_bytes=10, timeout=5.0):
                pass


async def test_connection_is_given_back_when_the_reader_stops_early() -> None:
    body = b"x" * 1_000_000
    async with (
        raw_server(ok(body)) as server,
        guarded_client(TrustedOrigins.parse(server.url), timeout=5.0, resolver=no_dns) as http,
    ):
        async with download(http, server.url, max_bytes=len(body), timeout=5.0) as chunks:
            await anext(chunks)
        async with download(http, server.url, max_bytes=len(body), timeout=5.0) as chunks:
            assert sum([len(chunk) async for chunk in chunks]) == len(body)
