"""What may be kept of a receiver: its address without what could be a secret, and a few clean words of its answer."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_MOST = 200
_LONGEST_SEGMENT = 24
_UNCLEAN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_SECRETIVE = re.compile(r"[A-Za-z0-9_\-+/=]{24,}")


def masked_url(url: str) -> str:
    """Host and path, every value of the query hidden, and every part of the path that looks like a token."""
    parts = urlsplit(url)
    path = "/".join("***" if len(part) >= _LONGEST_SEGMENT else part for part in parts.path.split("/"))
    # As they are written: an encoded NUL, decoded, could not be stored.
    names = [part.partition("=")[0] for part in parts.query.split("&") if part]
    query = "&".join(f"{name}=***" for name in names)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}" + (f"?{query}" if query else "")


def excerpt(answer: bytes, hidden: Iterable[str] = ()) -> str | None:
    """The first words of an answer, on one line; what looks like a token, or is known to be secret, is hidden."""
    text = answer.decode("utf-8", "replace")
    for secret in hidden:
        if secret:
            text = text.replace(secret, "***")
    clean = _SECRETIVE.sub("***", _UNCLEAN.sub(" ", text)).strip()
    return clean[:_MOST] or None
