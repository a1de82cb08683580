"""Where a provider's key may go: to the provider's own hosts, and to origins that the operator trusts by name."""

import re
from collections.abc import Mapping

import httpx

from domain.errors import SetupError
from net.origins import TrustedOrigins

_KEY = re.compile(r"[!-~]{8,512}")


class KeyHosts:
    def __init__(self, own: re.Pattern[str], trusted: TrustedOrigins) -> None:
        self._own = own
        self._trusted = trusted

    def allow(self, url: str) -> bool:
        try:
            # Read by the client that will send it: another parser might see another host.
            address = httpx.URL(url)
        except (httpx.InvalidURL, TypeError):
            return False
        if address.userinfo:
            return False
        own = address.scheme == "https" and address.port in (None, 443) and self._own.fullmatch(address.host)
        return bool(own) or self._trusted.allows(url)

    def base_url(self, env: Mapping[str, str], setting: str, default: str) -> str:
        url = (env.get(setting, "").strip() or default).rstrip("/")
        if not self.allow(url) or "?" in url or "#" in url:
            raise SetupError(
                f"{setting} must be an https address of the provider's own host, "
                "or one whose origin BABYCHAIN_TRUSTED_ORIGINS names."
            )
        return url


def api_key(env: Mapping[str, str], setting: str) -> str | None:
    """The key, or None where none is set. One that no header can carry stops the start and is never shown."""
    key = env.get(setting, "").strip()
    if not key:
        return None
    if not _KEY.fullmatch(key):
        raise SetupError(f"{setting} must be 8 to 512 visible ASCII characters.")
    return key
