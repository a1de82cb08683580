import asyncio
import gzip
import random
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from net.client import guarded_client, provider_client
from net.guard import ResponseTooLarge
from net.origins import TrustedOrigins
from net.resolve import BlockedAddress, Resolver
from tests.unit.net.raw_server import ok, raw_server, reply
from tests.unit.net.resolvers import Answers, no_dns, unknown_name
from tests.unit.net.test_url_check import LITERALS, NOT_ALLOWED

NOBODY = TrustedOrigins()


def client(trusted: TrustedOrigins = NOBODY, resolver: Resolver = no_dns) -> httpx.AsyncClient:
    return guarded_client(trusted, timeout=5.0, resolver=resolver)


@pytest.mark.parametrize("url", [url for url in LITERALS + NOT_ALLOWED if url.startswith(("http://", "https://["))])
async def test_unsafe_url_is_never_connected_to(url: str) -> None:
    async with client() as http:
        with pytest.raises((BlockedAddress, httpx.InvalidURL)):
            await http.get(url)


@pytest.mark.parametrize(
    "answer", [["8.8.8.8", "10.0.0.1"], ["127.0.0.1"], ["fd00::1", "8.8.8.8"], ["::ffff:10.0.0.1"]]
)
async def test_name_with_a_private_address_is_blocked_and_nothing_was_sent(answer: Sequence[str]) -> None:
    async with client(resolver=Answers(answer)) as http:
        with pytest.raises(httpx.ConnectError) as caught:
            await http.post("https://example.com/hook", json={})
    assert isinstance(caught.value, BlockedAddress)


async def test_name_that_turns_private_between_check_and_connect_is_not_connected_to() -> None:
    resolver = Answers(["8.8.8.8"], ["127.0.0.1"])
    await resolver("example.com", 443)  # the check when the run was created
    async with client(resolver=resolver) as http:
        with pytest.raises(BlockedAddress):
            await http.get("https://example.com/")


async def test_connection_goes_to_the_checked_address_and_dns_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    async def connect_tcp(self: Any, host: str, *_: Any) -> httpcore.AsyncNetworkStream:
        connected.append(host)
        raise httpcore.ConnectError("not from a test")

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
    resolver = Answers(["8.8.8.8", "2606:4700::1111"], ["127.0.0.1"])
    async with client(resolver=resolver) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("https://example.com/")
    assert connected == ["8.8.8.8", "2606:4700::1111"]
    assert resolver.asked == ["example.com"]


async def test_name_that_does_not_resolve_is_a_connect_error() -> None:
    async with client(resolver=unknown_name) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("https://nowhere.example/")


async def test_resolver_that_hangs_is_given_up_in_time() -> None:
    async def hang(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    async with guarded_client(NOBODY, timeout=0.05, resolver=hang) as http:
        with pytest.raises(httpx.ConnectTimeout):
            await http.get("https://slow.example/")


async def test_second_address_is_tried_when_the_first_refuses() -> None:
    async with raw_server(ok(b"here")) as server:
        trusted = TrustedOrigins.parse(f"http://sandbox.test:{server.port}")
        async with client(trusted, Answers(["::1", "127.0.0.1"])) as http:
            answer = await http.get(f"http://sandbox.test:{server.port}/")
    assert answer.content == b"here"


async def test_trusted_localhost_is_reached_through_the_real_resolver() -> None:
    async with raw_server(ok(b"here")) as server:
        origin = f"http://localhost:{server.port}"
        async with provider_client(TrustedOrigins.parse(origin)) as http:
            assert (await http.get(f"{origin}/bfl/v1")).text == "here"


async def test_redirect_is_handed_back_and_not_followed() -> None:
    redirect = reply(302, b"", "Location: http://127.0.0.1:1/")
    async with raw_server(redirect) as server, client(TrustedOrigins.parse(server.url)) as http:
        answer = await http.get(server.url)
    assert answer.status_code == 302
    assert len(server.requests) == 1


async def test_proxy_and_netrc_settings_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with raw_server(ok(b"direct")) as server, client(TrustedOrigins.parse(server.url)) as http:
        assert (await http.get(server.url)).content == b"direct"
    assert "authorization" not in server.requests[0].lower()


async def test_cookie_of_one_request_is_not_sent_with_the_next() -> None:
    answer = ok(b"", "Set-Cookie: who=me; Path=/")
    async with raw_server(answer) as server, client(TrustedOrigins.parse(server.url)) as http:
        await http.get(server.url)
        await http.get(server.url)
    assert len(server.requests) == 2
    assert not any("cookie" in request.lower() for request in server.requests)


async def test_connection_is_kept_and_user_agent_is_ours() -> None:
    async with raw_server(ok(b"{}")) as server, provider_client(TrustedOrigins.parse(server.url)) as http:
        await http.get(server.url)
        await http.get(server.url)
    assert server.connections == 1
    assert "user-agent: babychain" in server.requests[0].lower()


async def test_endless_body_is_cut_at_the_cap() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    async with raw_server(flood) as server, client(TrustedOrigins.parse(server.url)) as http:
        with pytest.raises(ResponseTooLarge):
            await http.get(server.url)


@pytest.mark.parametrize(("length", "fits"), [(1000, True), (300_000, False)])
async def test_encoded_body_may_be_small_only(length: int, fits: bool) -> None:
    plain = random.randbytes(length)
    answer = ok(gzip.compress(plain), "Content-Encoding: gzip")
    async with raw_server(answer) as server, provider_client(TrustedOrigins.parse(server.url)) as http:
        if fits:
            assert (await http.get(server.url)).content == plain
        else:
            with pytest.raises(ResponseTooLarge):
                await http.get(server.url)
    assert "accept-encoding: identity" in server.requests[0].lower()


async def test_request_may_bring_its_own_cap() -> None:
    async with raw_server(ok(b"x" * 3_000_000)) as server, client(TrustedOrigins.parse(server.url)) as http:
        with pytest.raises(ResponseTooLarge):
            await http.get(server.url)
        answer = await http.get(server.url, extensions={"max_response": 3_000_000})
    assert len(answer.content) == 3_000_000


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=provider.test", "-addext", "subjectAltName=DNS:provider.test", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


async def test_tls_and_host_use_the_name_not_the_address(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, cert = certificate
    names: list[str | None] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    async with raw_server(ok(b"secure"), tls) as server:
        origin = f"https://provider.test:{server.port}"
        async with client(TrustedOrigins.parse(origin), Answers(["127.0.0.1"])) as http:
            assert (await http.get(origin)).content == b"secure"
        wrong = f"https://other.test:{server.port}"
        async with client(TrustedOrigins.parse(wrong), Answers(["127.0.0.1"])) as http:
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await http.get(wrong)
    assert names == ["provider.test", "other.test"]
    assert f"host: provider.test:{server.port}" in server.requests[0].lower()


async def test_silent_port_is_a_connect_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with client(TrustedOrigins.parse(url)) as http:
            with pytest.raises(httpx.ConnectError):
                await http.get(url)
