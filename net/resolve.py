"""From a host name to addresses that were all checked."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from domain.errors import RequestError
from net.addresses import is_public, read_literal
from net.origins import TrustedOrigins, origin_of
from net.urls import check_url

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Every address of a name, in the order to try them. OSError when there is none."""

_LOOKUP_SECONDS = 5.0


class BlockedAddress(httpx.ConnectError):
    """We do not call this address. Like every ConnectError it means that nothing was sent."""


class SystemResolver:
    """The operating system's resolver, on threads of its own.

    A caller may own a name server that answers slowly. On asyncio's shared threads a few such look-ups would also
    stop the file work and every other client's look-ups.
    """

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def checked_addresses(host: str, port: int, trusted: TrustedOrigins, resolver: Resolver) -> tuple[str, ...]:
    """The addresses to connect to. One private address among them blocks the name: DNS answers rotate."""
    try:
        literal = read_literal(host)
    except ValueError as error:
        raise BlockedAddress("The host is a number, but not a plain IP address.") from error
    addresses = (str(literal),) if literal is not None else tuple(await resolver(host, port))
    if not trusted.has_peer(host, port) and not all(map(is_public, addresses)):
        raise BlockedAddress("The host is not a public address.")
    return addresses


async def resolve_public(url: str, trusted: TrustedOrigins, resolver: Resolver) -> None:
    """Refuse, while the caller still listens, a URL that a later connection would refuse.

    It proves nothing about later: a name may change its addresses, so the connection checks again.
    """
    check_url(url, trusted)
    if trusted.allows(url):
        return
    _, host, port = origin_of(httpx.URL(url))
    try:
        async with asyncio.timeout(_LOOKUP_SECONDS):
            addresses = await checked_addresses(host, port, trusted, resolver)
    except BlockedAddress as error:
        raise RequestError("The URL's host is not a public address.") from error
    except (OSError, UnicodeError, TimeoutError) as error:
        raise RequestError("The URL's host does not resolve.") from error
    if not addresses:
        raise RequestError("The URL's host does not resolve.")
