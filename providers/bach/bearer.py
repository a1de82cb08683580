"""Bach's bearer token: a JWT that the account holder signs."""

import base64
import hashlib
import hmac
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from providers._answers import Redactor

_TOKEN_SECONDS = 1800
_RENEWED_BEFORE = 60


@dataclass(frozen=True)
class Bearer:
    token: str
    redact: Redactor
    until: float = math.inf


class Bearers:
    """Bach's token is a JWT that the account holder signs: a ready one, or one minted here from the pair of keys."""

    def __init__(self, key: str, secret: str | None, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._secret = secret
        self._clock = clock
        self._bearer = Bearer(key, Redactor(key), until=-math.inf if secret else math.inf)

    def current(self) -> Bearer:
        if self._secret is not None and self._clock() > self._bearer.until - _RENEWED_BEFORE:
            self._bearer = self._minted(self._secret)
        return self._bearer

    def in_place_of(self, refused: Bearer) -> Bearer | None:
        """A fresh token; None where a ready one was refused. Of several callers that were refused the first mints."""
        if self._secret is None:
            return None
        if self._bearer is refused:
            self._bearer = self._minted(self._secret)
        return self._bearer

    def _minted(self, secret: str) -> Bearer:
        now = self._clock()
        token = mint(self._key, secret, int(now))
        return Bearer(token, Redactor(token), until=now + _TOKEN_SECONDS)


def mint(access_key: str, secret_key: str, now: int) -> str:
    """As Bach's general page has it: HS256, valid from five seconds ago, since clocks differ."""
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"iss": access_key, "nbf": now - 5, "exp": now + _TOKEN_SECONDS}
    signed = ".".join(_unpadded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{signed}.{_unpadded(hmac.digest(secret_key.encode(), signed.encode(), hashlib.sha256))}"


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
