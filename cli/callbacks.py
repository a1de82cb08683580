"""Check a callback as a receiver should: both signatures, over the bytes as they came."""

import hashlib
import hmac
import json
import time
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from activities.callbacks import standard_secret
from cli.failures import CommandFailed
from cli.receiver import Callback

_TOLERANCE_SECONDS = 300


def verified(callback: Callback, secret: str) -> dict[str, Any]:
    """The run it tells of. The signatures are computed anew here, not by the code that made them."""
    _check_babychain(callback, secret)
    try:
        Webhook(standard_secret(secret)).verify(callback.body, callback.headers, json_parse=False)
    except WebhookVerificationError as error:
        raise CommandFailed(f"The callback's Standard Webhooks signature does not hold: {error}.") from error
    run: dict[str, Any] = json.loads(callback.body)
    return run


def _check_babychain(callback: Callback, secret: str) -> None:
    header = callback.headers.get("x-babychain-signature", "")
    fields = [field.partition("=")[::2] for field in header.split(",")]
    moment = dict(fields).get("t", "")
    # While a secret is being changed there are several.
    given = [value for name, value in fields if name == "v1"]
    expected = hmac.new(secret.encode(), moment.encode() + b"." + callback.body, hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(expected, one) for one in given):
        raise CommandFailed("The callback's X-BabyChain-Signature does not hold.")
    if abs(time.time() - int(moment)) > _TOLERANCE_SECONDS:
        raise CommandFailed("The callback's X-BabyChain-Signature is too old.")
