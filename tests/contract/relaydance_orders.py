"""What the tests order from RelayDance."""

from typing import Any

import pytest

from domain.media import InputFile
from providers.relaydance import MODELS
from tests.support.pictures import jpeg

SILENT = MODELS["relaydance/seedance-1-5-pro-no-audio"]
FUSION = MODELS["relaydance/doubao-seedance-2-0-1080p"]
HORSE = MODELS["relaydance/happyhorse-1.0-i2v"]
PROMPT = {"prompt": "the kite lifts off"}
KITE = "https://example.com/kite.png"
ADDRESS = InputFile(url=KITE)
PICTURE = InputFile(data=jpeg("a", (512, 512)), media_type="image/jpeg")
each_model = pytest.mark.parametrize("card", MODELS.values(), ids=lambda card: card.id)


def item(kind: str, role: str, url: str = KITE) -> dict[str, Any]:
    return {"type": kind, kind: {"url": url}, "role": role}


FIRST, LAST = (item("image_url", role) for role in ("first_frame", "last_frame"))
VIDEO, SOUND = item("video_url", "reference_video"), item("audio_url", "reference_audio")


def having(*content: Any, **metadata: Any) -> dict[str, Any]:
    return PROMPT | {"metadata": {"content": list(content)} | metadata}
