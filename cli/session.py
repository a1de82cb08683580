"""Which API the commands talk to, and with which key."""

import os
import re
from collections.abc import Mapping
from typing import Any

import httpx

from babychain_client import AsyncBabyChain, BabyChain, ConnectionFailed
from babychain_client.errors import read_error
from cli.addresses import web_address
from cli.environment import data_dir
from cli.failures import CommandFailed
from cli.serve import api_port
from net.unanswered import why_unanswered

_TRIES = 3
"""Somebody sits there and waits: what is down for longer is better said."""

_PATIENCE = 15.0


def connect() -> BabyChain:
    return BabyChain(api_url(os.environ), caller_key(os.environ), tries=_TRIES)


def connect_async() -> AsyncBabyChain:
    return AsyncBabyChain(api_url(os.environ), caller_key(os.environ), tries=_TRIES)


def connect_patiently() -> AsyncBabyChain:
    """For what nobody sits and waits for."""
    return AsyncBabyChain(api_url(os.environ), caller_key(os.environ), tries=8)


def connect_openly() -> BabyChain:
    """For what needs no key."""
    return BabyChain(api_url(os.environ), tries=_TRIES)


def ask(method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """For what the client package lacks: an operator's calls."""
    url, key = api_url(os.environ).rstrip("/"), caller_key(os.environ)
    headers = {"authorization": f"Bearer {key}"}
    try:
        answer = httpx.request(method, url + path, json=body, headers=headers, timeout=_PATIENCE)
        if answer.is_error:
            raise read_error(answer)
        said: dict[str, Any] = answer.json()
    except httpx.ConnectError as error:
        raise ConnectionFailed(f"Nothing answers at {url}.", unreached=True) from error
    except (httpx.HTTPError, ValueError) as error:
        raise ConnectionFailed(f"{url} does not answer as it should. {why_unanswered(error)}") from error
    return said


def api_url(env: Mapping[str, str]) -> str:
    """BABYCHAIN_URL is a caller's name for it, BABYCHAIN_PUBLIC_URL the deployment's own."""
    local = f"http://127.0.0.1:{api_port(env.get('BABYCHAIN_API_PORT'))}"
    for name in ("BABYCHAIN_URL", "BABYCHAIN_PUBLIC_URL"):
        if url := env.get(name):
            return web_address(url, name)
    return local


def caller_key(env: Mapping[str, str]) -> str:
    key = find_key(env)
    if key is None:
        raise CommandFailed("Set BABYCHAIN_API_KEY to your key; `babychain keys create` makes one.")
    return key


def find_key(env: Mapping[str, str]) -> str | None:
    """The first key of the environment, or the one that `babychain dev` keeps."""
    given = env.get("BABYCHAIN_API_KEY") or kept(env).get("BABYCHAIN_API_KEY", "")
    key = next((key.strip() for key in re.split(r"[,\n]", given) if key.strip()), None)
    if key and not (key.isascii() and key.isprintable()):
        raise CommandFailed("BABYCHAIN_API_KEY holds characters that no key has.")
    return key


def kept(env: Mapping[str, str]) -> dict[str, str]:
    """What `babychain dev` has made and keeps for this checkout."""
    file = data_dir(env) / "dev.env"
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line)
