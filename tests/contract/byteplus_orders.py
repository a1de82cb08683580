"""What the tests order from BytePlus."""

import base64
from typing import Any

from domain.media import InputFile
from providers.byteplus import MODELS

DREAM = MODELS["bytedance/seedream-4.5"]
DANCE = MODELS["bytedance/seedance-1.5-pro"]
FIRST = MODELS["bytedance/seedance-1-pro"]
SECOND = MODELS["bytedance/seedance-2.0"]
PROMPT = {"prompt": "a lighthouse"}
TEXT = {"type": "text", "text": "the boat drifts"}
CONTENT: dict[str, Any] = {"content": [TEXT]}
ADDRESS = InputFile(url="https://example.com/a.png")
BYTES_TEXT = "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8").decode()


def picture_item(role: str | None, url: str = "https://example.com/a.png") -> dict[str, Any]:
    item: dict[str, Any] = {"type": "image_url", "image_url": {"url": url}}
    return item if role is None else item | {"role": role}


VIDEO = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}, "role": "reference_video"}
SOUND = {"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}, "role": "reference_audio"}
