"""Who calls: behind `Bearer` stands a JWT, or, for convenience, a plain word that begins like a sandbox key."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any

from fastapi import Request

from sandbox.providers.bach.wording import BachError
from sandbox.world import account_of

SECRET_KEY = "sandbox-bach-secret"  # noqa: S105 - signs nothing but sandbox tokens


def token_of(request: Request) -> str:
    """With exactly one blank between scheme and token, as documented."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


def account_or_401(request: Request) -> str:
    token = token_of(request)
    account = account_of(token) or account_of(_issuer(token))
    if account is None:
        raise BachError(401, 401, "The token is missing, invalid or expired.")
    return account


def _issuer(token: str) -> str:
    """The access key of a JWT whose signature and times are right; otherwise nothing."""
    signed, _, signature = token.rpartition(".")
    expected = hmac.digest(SECRET_KEY.encode(), signed.encode(), hashlib.sha256)
    try:
        header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        is_signed = header["alg"] == "HS256" and hmac.compare_digest(_decoded(signature), expected)
        return str(claims["iss"]) if is_signed and _is_in_time(claims) else ""
    except (ValueError, KeyError, TypeError, binascii.Error):
        return ""


def _is_in_time(claims: dict[str, Any]) -> bool:
    return bool(claims["nbf"] <= time.time() < claims["exp"])


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
