"""Webhook deliveries that were dealt with, so that an exact repeat is answered without looking for its run again."""

from collections import OrderedDict

_KEPT = 10_000


class Repeats:
    """Known to this process alone. That is enough: what another one lets through changes nothing twice, since the
    server drops a report that it has already taken.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, delivery: str) -> bool:
        return delivery in self._ids

    def add(self, delivery: str) -> None:
        if delivery:
            self._ids[delivery] = None
        if len(self._ids) > self._kept:
            self._ids.popitem(last=False)
