"""Why no good answer came, in a sentence for people: an exception's name says nothing to them."""

import socket
import ssl

import httpx

from net.resolve import BlockedAddress

_ADDRESS = "The address can't be called."

_SENTENCES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (BlockedAddress, "The address is not public."),
    (ssl.SSLError, "No secure connection: its certificate or its TLS is not accepted."),
    (socket.gaierror, "The host has no address."),
    ((TimeoutError, httpx.TimeoutException), "No answer in time."),
    (httpx.ConnectError, "Nobody listens there."),
    (httpx.NetworkError, "The connection broke."),
    (httpx.RemoteProtocolError, "The connection broke, or the answer is no HTTP."),
    (httpx.ProxyError, "The proxy refused."),
    (httpx.DecodingError, "The answer can't be read."),
    ((httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError), _ADDRESS),
)
"""The first that fits: what a failed connection came from says more than that it failed."""


def why_unanswered(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"It answered {error.response.status_code}."
    causes = _causes(error)
    return next((said for kind, said in _SENTENCES if any(isinstance(one, kind) for one in causes)), "No answer came.")


def _causes(error: BaseException) -> list[BaseException]:
    found = []
    following: BaseException | None = error
    while following is not None:
        found.append(following)
        following = following.__cause__ or following.__context__
    return found
