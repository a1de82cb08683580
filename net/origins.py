"""The origins an operator vouches for: their addresses may be private and their scheme plain http."""

from dataclasses import dataclass
from typing import Self

import httpx

from domain.errors import SetupError

Origin = tuple[str, str, int]

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class TrustedOrigins:
    """`TrustedOrigins()` trusts nobody."""

    origins: frozenset[Origin] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the comma separated form of `BABYCHAIN_TRUSTED_ORIGINS`: `scheme://host[:port]`."""
        entries = (entry.strip() for entry in text.split(","))
        return cls(frozenset(_read_entry(entry) for entry in entries if entry))

    def allows(self, url: str | httpx.URL) -> bool:
        try:
            return origin_of(httpx.URL(url)) in self.origins
        except (httpx.InvalidURL, ValueError):
            return False

    def has_peer(self, host: str, port: int) -> bool:
        """For the connection, which knows no scheme any more."""
        peer = (_plain(host), port)
        return any(origin[1:] == peer for origin in self.origins)


def origin_of(url: httpx.URL) -> Origin:
    """Scheme, host and port, the default port written out. ValueError for any other scheme."""
    if url.scheme not in _DEFAULT_PORTS:
        raise ValueError("neither http nor https")
    port = _DEFAULT_PORTS[url.scheme] if url.port is None else url.port
    return url.scheme, _plain(url.raw_host.decode("ascii")), port


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")


def _read_entry(entry: str) -> Origin:
    # The entry itself stays out of the message: a pasted URL may hold a password.
    fault = SetupError(
        "BABYCHAIN_TRUSTED_ORIGINS takes origins like http://127.0.0.1:8090, separated by commas: "
        "a scheme (http or https), a host and perhaps a port; no path, query, user name or wildcard."
    )
    try:
        url = httpx.URL(entry)
        origin = origin_of(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise fault from error
    is_bare = url.raw_path == b"/" and not url.fragment and "@" not in entry and "?" not in entry
    if not (is_bare and origin[1] and "*" not in origin[1] and 0 < origin[2] < 65536):
        raise fault
    return origin
