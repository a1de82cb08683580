"""Addresses that a person gave, looked at before anything is sent there."""

from urllib.parse import urlsplit

import httpx

from cli.failures import Misused


def web_address(text: str, name: str) -> str:
    """The address itself. What is wrong is said without it: an address may hold a password."""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        is_one = False
    if not is_one:
        raise Misused(f"{name} is no web address: one looks like http://127.0.0.1:8000 or https://media.example.com.")
    return text
