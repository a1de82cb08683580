"""What the tests order from Bailian."""

from typing import Any

from domain.media import InputFile
from providers.bailian import MODELS
from tests.support.pictures import jpeg

WAN = MODELS["bailian/wan2.6-i2v"]
FLASH = MODELS["bailian/wan2.6-i2v-flash"]
PROMPT: dict[str, Any] = {"input": {"prompt": "the kite climbs over the dunes"}}
PICTURE = InputFile(data=jpeg("a", (512, 512)), media_type="image/jpeg")
TASK = "5d1f2c0e-7b9c-4b8e-8d57-3a9a1c4f9e22"


def told(**parameters: Any) -> dict[str, Any]:
    return PROMPT | {"parameters": parameters}


def given(**more: Any) -> dict[str, Any]:
    return {"input": PROMPT["input"] | more}
