"""Who asks: caller keys from the environment, compared in constant time."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from domain.errors import AuthError, SetupError

SCOPES = frozenset({"chains:run", "chains:read", "runs:cancel", "admin"})
_PREFIX = 12


@dataclass(frozen=True)
class Caller:
    id: str
    scopes: frozenset[str]


class EnvironmentKeys:
    """Keys of `BABYCHAIN_API_KEY`. A caller is known by its key's first 12 characters, so a key can be rotated
    without losing sight of its runs; only a hash of them leaves this class."""

    def __init__(self, text: str) -> None:
        keys = [key.strip() for key in re.split(r"[,\n]", text) if key.strip()]
        if any(len(key) < _PREFIX for key in keys) or not keys:
            raise SetupError(f"BABYCHAIN_API_KEY holds a key shorter than {_PREFIX} characters, or none.")
        if len({key[:_PREFIX] for key in keys}) < len(keys):
            raise SetupError(f"Two keys of BABYCHAIN_API_KEY share their first {_PREFIX} characters.")
        self._keys = [(key.encode(), Caller(_caller_id(key), SCOPES)) for key in keys]

    def authenticate(self, authorization: str | None) -> Caller:
        if not authorization:
            raise AuthError("Send your key as 'Authorization: Bearer <key>'.", code="missing_api_key")
        scheme, _, given = authorization.partition(" ")
        if scheme != "Bearer" or not given:
            raise AuthError("Send your key as 'Authorization: Bearer <key>'.", code="missing_api_key")
        found: Caller | None = None
        for key, caller in self._keys:
            # Every key is compared, so the time says nothing about which one came near.
            if hmac.compare_digest(key, given.encode("utf-8", "replace")):
                found = caller
        if found is None:
            raise AuthError("This key is not known here.")
        return found


def _caller_id(key: str) -> str:
    return "key-" + hashlib.sha256(b"babychain-caller:" + key[:_PREFIX].encode()).hexdigest()[:16]
