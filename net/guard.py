"""The connection that cannot be talked into a private network, and the body that cannot fill the memory."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import httpcore
import httpx

from domain.errors import RequestError
from net.origins import TrustedOrigins
from net.resolve import BlockedAddress, Resolver, checked_addresses
from net.urls import check_url

_MOST_ADDRESSES = 4
_CONNECT_SECONDS = 10.0
_MOST_ENCODED = 256 * 1024


class ResponseTooLarge(httpx.ReadError):
    """The answer's body passed the cap."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves, checks every address, and connects to one that was checked, not to the name: no second look-up,
    so no rebinding. TLS and the Host header still use the name."""

    def __init__(self, trusted: TrustedOrigins, resolver: Resolver) -> None:
        self._trusted = trusted
        self._resolver = resolver
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        clock = asyncio.get_running_loop().time
        deadline = clock() + (_CONNECT_SECONDS if timeout is None else timeout)
        addresses = (await self._resolve(host, port, deadline))[:_MOST_ADDRESSES]
        failure: Exception = httpcore.ConnectError("The host has no address.")
        for index, address in enumerate(addresses):
            # An address that swallows packets may spend only its share: the next one may be well.
            share = max((deadline - clock()) / (len(addresses) - index), 0.0)
            try:
                return await self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _resolve(self, host: str, port: int, deadline: float) -> tuple[str, ...]:
        try:
            async with asyncio.timeout_at(deadline):
                return await checked_addresses(host, port, self._trusted, self._resolver)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("The host's name was not resolved in time.") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("The host does not resolve.") from error


class GuardedTransport(httpx.AsyncHTTPTransport):
    """Checks every URL, connects through `GuardedBackend`, caps every body.

    The cap holds for requests that do not bring their own: `extensions={"max_response": bytes or None}`.
    """

    def __init__(self, trusted: TrustedOrigins, resolver: Resolver, limits: httpx.Limits, max_response: int) -> None:
        # The operator's own certificate authority (SSL_CERT_FILE) counts; proxy variables do not.
        tls = httpx.create_ssl_context(trust_env=True)
        super().__init__(verify=tls, limits=limits)
        # httpx has no way to pass a network backend; the dependency is held below 0.29 for this line.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=GuardedBackend(trusted, resolver),
        )
        self._trusted = trusted
        self._max_response = max_response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            check_url(str(request.url), self._trusted)
        except RequestError as error:
            raise BlockedAddress(error.message) from error
        response = await super().handle_async_request(request)
        cap: int | None = request.extensions.get("max_response", self._max_response)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            # We asked for identity. Deflate unpacks to a thousand times its size, so an encoded answer must be small.
            cap = min(cap or _MOST_ENCODED, _MOST_ENCODED)
        if cap is not None and isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _CappedBody(response.stream, cap)
        return response


class _CappedBody(httpx.AsyncByteStream):
    def __init__(self, body: httpx.AsyncByteStream, cap: int) -> None:
        self._body = body
        self._cap = cap

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for chunk in self._body:
            seen += len(chunk)
            if seen > self._cap:
                raise ResponseTooLarge(f"The answer is larger than {self._cap} bytes.")
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()
