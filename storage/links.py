"""Addresses under which our assets can be fetched: signed, and good for a limited time."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qsl

from storage.asset_ids import is_asset_id

_DAY = 86_400


class Link(StrEnum):
    OK = "ok"
    EXPIRED = "expired"
    FORGED = "forged"


class AssetLinks:
    """Makes and checks `<public url>/assets/<id>[/poster]?expires=<unix>&signature=<base64url>`."""

    def __init__(self, secret: bytes, public_url: str, days: int = 7) -> None:
        # A key of its own: the same secret signs other things, and one kind must never pass for another.
        self._key = hmac.digest(secret, b"babychain asset link v1", hashlib.sha256)
        self._public_url = public_url.rstrip("/")
        self._days = days

    def url(self, asset_id: str, now: datetime, *, poster: bool = False) -> str:
        """Good for at least `days`, then to the end of a UTC day: all calls of one day give the same URL."""
        expires = -(-(now.timestamp() + self._days * _DAY) // _DAY) * _DAY
        return self._write(asset_id, int(expires), poster=poster)

    def check(self, asset_id: str, expires: int, signature: str, now: datetime, *, poster: bool = False) -> Link:
        """FORGED comes before EXPIRED, so that only who once held the link learns that it ran out."""
        expected = self._signature(asset_id, expires, poster=poster)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass")):
            return Link.FORGED
        return Link.OK if now.timestamp() < expires else Link.EXPIRED

    def asset_of(self, url: str) -> str | None:
        """The asset that a link of ours names, or None for any other URL, posters included.

        An expired link still names its asset. Whether this caller may use it, `Assets.is_granted` tells.
        """
        prefix = f"{self._public_url}/assets/"
        asset_id, _, query = url.removeprefix(prefix).partition("?")
        if not (url.startswith(prefix) and is_asset_id(asset_id)):
            return None
        expires = dict(parse_qsl(query)).get("expires", "")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return None
        genuine = self._write(asset_id, int(expires), poster=False)
        return asset_id if hmac.compare_digest(genuine.encode(), url.encode("utf-8", "surrogatepass")) else None

    def _write(self, asset_id: str, expires: int, *, poster: bool) -> str:
        place = f"{asset_id}/poster" if poster else asset_id
        signature = self._signature(asset_id, expires, poster=poster)
        return f"{self._public_url}/assets/{place}?expires={expires}&signature={signature}"

    def _signature(self, asset_id: str, expires: int, *, poster: bool) -> str:
        text = f"{'poster' if poster else 'asset'}\n{asset_id}\n{expires}"
        return urlsafe_b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).rstrip(b"=").decode()
