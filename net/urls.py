"""What a URL that a caller or a provider names must look like, judged without asking DNS."""

import re

import httpx

from domain.errors import RequestError
from net.addresses import is_public, read_literal
from net.origins import TrustedOrigins

_BLOCKED_NAMES = frozenset({"localhost", "metadata.google.internal"})
# Names that only ever mean a machine of the private network (RFC 6761, RFC 6762, ICANN's reservation of .internal).
_BLOCKED_ENDINGS = (".localhost", ".internal", ".local", ".home.arpa", ".localdomain")

_HOST_NAME = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_AUTHORITY = re.compile(r"[a-z]+://([^/?#]*)", re.IGNORECASE)
_PORT = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::[0-9]{1,5})?")

# Parsers disagree on what these mean, and none belongs unescaped into a URL: whitespace, controls (C0, C1), backslash,
# invisible and text-direction marks.
_STRANGE = re.compile(r"[\s\x00-\x20\x7f-\x9f\\\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def check_url(url: str, trusted: TrustedOrigins) -> str:
    """The URL itself, or RequestError. The message never repeats the URL: its query or user part may be a secret.

    A name passes here whatever it resolves to: `net.resolve` asks DNS at creation, and the connection decides.
    """
    if _STRANGE.search(url):
        raise RequestError("The URL has whitespace, a control character or a backslash in it.")
    authority = _AUTHORITY.match(url)
    if authority is None:
        raise RequestError("The URL must be absolute and start with https://.")
    if "@" in authority[1]:
        raise RequestError("The URL must not hold a user name or password.")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RequestError("The URL cannot be read.") from error
    try:
        parsed.host  # noqa: B018 - httpx decodes an international name only here, and wherever it sends to it
    except UnicodeError as error:
        raise RequestError("The URL's host is not a valid name.") from error
    if not _PORT.fullmatch(authority[1]) or parsed.port == 0 or (parsed.port or 1) > 65535:
        raise RequestError("The URL's port must be a number from 1 to 65535.")
    if trusted.allows(parsed):
        return url
    if parsed.scheme != "https":
        raise RequestError("The URL must start with https://.")
    _check_host(parsed.raw_host.decode("ascii").lower(), bracketed="[" in authority[1])
    return url


def _check_host(host: str, *, bracketed: bool) -> None:
    if not host:
        raise RequestError("The URL has no host.")
    try:
        literal = read_literal(host)
    except ValueError as error:
        raise RequestError("The URL's host is a number, but not a plain IP address.") from error
    if literal is not None:
        if not is_public(literal):
            raise RequestError("The URL's host is not a public address.")
        return
    if bracketed or not _HOST_NAME.fullmatch(host):
        raise RequestError("The URL's host is not a valid name.")
    name = host.removesuffix(".")
    if name in _BLOCKED_NAMES or name.endswith(_BLOCKED_ENDINGS):
        raise RequestError("The URL's host is not a public address.")
