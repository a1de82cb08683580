"""Where a provider reports a job: our address with a token that only we can make."""

import hashlib
import hmac

from domain.tokens import AttemptToken, derive, seal, unseal


class WebhookAddresses:
    """The token is sealed for one provider: on another provider's path it is as unknown as any other text."""

    def __init__(self, secret: str, base_url: str) -> None:
        self._secret = secret
        self._base_url = base_url

    def url(self, provider: str, token: AttemptToken) -> str:
        return f"{self._base_url}/api/webhooks/{provider}/{seal(self._key(provider), token)}"

    def read(self, provider: str, text: str) -> AttemptToken | None:
        return unseal(self._key(provider), text)

    def attempt_token(self, token: AttemptToken) -> str:
        """What a provider shows again in its lists. Not the webhook's token: whoever reads a list can't report."""
        key = derive(self._secret, "attempt")
        text = f"{token.run_id}:{token.step}:{token.attempt}"
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]

    def _key(self, provider: str) -> bytes:
        return derive(self._secret, f"webhook:{provider}")
