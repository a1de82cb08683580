"""Where pictures were uploaded a moment ago, so that a submit that is tried again uploads nothing again."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.media import InputFile

# Unpublished: one client reports links of about 30 minutes. RelayDance fetches a picture some time after the submit.
_LIFE = 15 * 60.0
_REMEMBERED = 1000


@dataclass(frozen=True)
class _Upload:
    url: str
    made: float


class Uploads:
    """Of one account: an adapter has one key."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._made: OrderedDict[str, _Upload] = OrderedDict()

    def find(self, picture: InputFile) -> str | None:
        known = self._made.get(_name(picture))
        return known.url if known is not None and self.now() < known.made + _LIFE else None

    def keep(self, picture: InputFile, url: str) -> None:
        name = _name(picture)
        self._made[name] = _Upload(url, self.now())
        self._made.move_to_end(name)
        if len(self._made) > _REMEMBERED:
            self._made.popitem(last=False)

    def forget(self, urls: Sequence[str], *, before: float) -> bool:
        """Whether any of them had been made before that moment, and may have died in the meantime."""
        gone = [name for name, upload in self._made.items() if upload.url in urls and upload.made < before]
        for name in gone:
            del self._made[name]
        return bool(gone)


def _name(picture: InputFile) -> str:
    return f"{hashlib.sha256(picture.data or b'').hexdigest()} {picture.media_type}"
