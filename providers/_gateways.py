"""What gateways of the New API family say, whichever maker stands behind them.

Read in that family's source: no gateway has a page of its errors, so of each single one they are inferred.
"""

import re

# Of the account, or of the share that this key has in it. OpenAI, whose errors they imitate, says it of a 429 too.
_SPENT = re.compile(
    r"insufficient[\s_]+((user|token)[\s_]+)?(quota|balance|funds|credit)"
    r"|(quota|balance) is (not enough|insufficient|too low)"
    r"|pre_consume_token_quota_failed"
    r"|(额度|余额)(不足|已用尽)",
    re.IGNORECASE,
)
_NO_CHANNEL = re.compile(r"model_not_found|no available channel|无可用渠道", re.IGNORECASE)
_TRIED_BEFORE = re.compile(r"get_channel_failed|[(（]retry[)）]|channel for retry", re.IGNORECASE)


def is_spent(words: str) -> bool:
    return _SPENT.search(words) is not None


def is_not_offered(words: str) -> bool:
    """Said before the request goes on to any maker. Of a second try it does not count: the first may have started."""
    return _NO_CHANNEL.search(words) is not None and _TRIED_BEFORE.search(words) is None
