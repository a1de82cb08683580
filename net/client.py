"""The two outbound clients. Nothing else in the service opens a connection to an address that others name."""

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from net.guard import GuardedTransport
from net.origins import TrustedOrigins
from net.resolve import Resolver, SystemResolver
from net.tracing import TracedTransport

MIB = 1024 * 1024
USER_AGENT = "BabyChain"

_IDLE_SECONDS = 4.0
"""Node and uvicorn close an idle connection after 5 s, load balancers after a minute. Ours go first: a job that is sent
into a connection just closing is a job whose start nobody knows."""


def guarded_client(
    trusted: TrustedOrigins,
    *,
    timeout: float | httpx.Timeout,
    user_agent: str = USER_AGENT,
    resolver: Resolver | None = None,
) -> httpx.AsyncClient:
    """For addresses that a caller or a provider's answer names: callbacks, input pictures, outputs.

    A blocked address raises `BlockedAddress`, a ConnectError. Larger bodies go through `net.download`.
    """
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_IDLE_SECONDS)
    transport = GuardedTransport(trusted, resolver or SystemResolver(), limits, max_response=MIB)
    return _client(TracedTransport(transport, shows_path=False), timeout, user_agent)


def provider_client(
    trusted: TrustedOrigins,
    *,
    timeout: float | httpx.Timeout = 30.0,
    user_agent: str = USER_AGENT,
    resolver: Resolver | None = None,
) -> httpx.AsyncClient:
    """For the providers' own hosts: the same guard, more connections, room for pictures inside JSON."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=_IDLE_SECONDS)
    transport = GuardedTransport(trusted, resolver or SystemResolver(), limits, max_response=64 * MIB)
    return _client(TracedTransport(transport, shows_path=True), timeout, user_agent)


def _client(transport: httpx.AsyncBaseTransport, timeout: float | httpx.Timeout, user_agent: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=transport,
        timeout=timeout,
        headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
        # One client serves all callers: a cookie set for one must never travel with another's request.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        # No proxy variables, no .netrc: both would carry requests, or passwords, past the guard.
        trust_env=False,
    )
