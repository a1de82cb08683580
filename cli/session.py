"""Which API the commands talk to, and with which key."""

import os
import re
from collections.abc import Mapping

from babychain_client import AsyncBabyChain, BabyChain
from cli.environment import data_dir
from cli.failures import CommandFailed
from cli.serve import api_port

_TRIES = 3
"""Somebody sits there and waits: what is down for longer is better said."""


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


def api_url(env: Mapping[str, str]) -> str:
    """BABYCHAIN_URL is a caller's name for it, BABYCHAIN_PUBLIC_URL the deployment's own."""
    local = f"http://127.0.0.1:{api_port(env.get('BABYCHAIN_API_PORT'))}"
    return env.get("BABYCHAIN_URL") or env.get("BABYCHAIN_PUBLIC_URL") or local


def caller_key(env: Mapping[str, str]) -> str:
    key = find_key(env)
    if key is None:
        raise CommandFailed("Set BABYCHAIN_API_KEY to your key; `babychain keys create` makes one.")
    return key


def find_key(env: Mapping[str, str]) -> str | None:
    """The first key of the environment, or the one that `babychain dev` keeps."""
    given = env.get("BABYCHAIN_API_KEY") or kept(env).get("BABYCHAIN_API_KEY", "")
    return next((key.strip() for key in re.split(r"[,\n]", given) if key.strip()), None)


def kept(env: Mapping[str, str]) -> dict[str, str]:
    """What `babychain dev` has made and keeps for this checkout."""
    file = data_dir(env) / "dev.env"
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line)
