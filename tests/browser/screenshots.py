"""Takes the pictures of docs/img anew: `python -m tests.browser.screenshots`. Look at them before you keep them."""

import asyncio
import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.async_api import Browser, expect

from sandbox.config import Config
from tests.browser.conftest import chromium
from tests.browser.visitor import DESKTOP, KEY, PHONE, Look, Visitor, visiting
from tests.support.service import Service, running_service
from tests.support.temporal_server import running_temporal
from tests.support.waiting import eventually

IMAGES = Path(__file__).parent.parent.parent / "docs" / "img"
DARK = Look("desktop-dark", 1280, 1240, "dark")
LIGHT = Look("desktop-light", 1280, 960, "light")
ORDER: dict[str, Any] = {
    "input": {
        "chain_models": {
            "text_to_image_model": ["bfl/flux-2-pro", "bytedance/seedream-4.5"],
            "image_to_video_model": "bytedance/seedance-1.5-pro",
        },
        "text_to_image_prompt": "a paper boat on a copper sea, soft evening light",
        "image_to_video_prompt": "waves roll, the camera drifts left",
        "image_to_video_params": {"duration": 4, "ratio": "16:9"},
    },
    "metadata": {"tags": ["spring", "boats"], "order": "7781"},
}


async def keep(visitor: Visitor, name: str) -> None:
    """256 colours are enough for a page, and a third of the bytes."""
    taken = Image.open(io.BytesIO(await visitor.page.screenshot()))
    taken.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE).save(
        IMAGES / f"{name}.png", optimize=True
    )


async def lab(browser: Browser, url: str) -> None:
    async with visiting(browser, url, LIGHT) as visitor:
        await visitor.enter()
        await expect(visitor.page.locator("button.run .for")).to_be_visible()
        await keep(visitor, "console-lab")


async def played(visitor: Visitor) -> None:
    """Its own controls show a video as loading until it has been played."""
    video = visitor.page.locator("video")
    await video.evaluate("(video) => { video.muted = true; return video.play(); }")
    await eventually(lambda: video.evaluate("(video) => video.currentTime"), lambda time: time > 1)
    await video.evaluate("(video) => video.pause()")


async def run(browser: Browser, url: str, service: Service) -> None:
    await service.sandbox.put_faults({"kind": "failed", "provider": "bfl", "count": 1})
    made = await service.create("chain1", ORDER | {"webhook_url": service.hook})
    for look, name in ((DARK, "console-run"), (PHONE, "console-run-phone")):
        async with visiting(browser, url, look) as visitor:
            await visitor.enter(f"/runs/{made['id']}")
            await visitor.state("succeeded")
            video = visitor.page.locator(".chain img").last
            await expect(video).to_have_attribute("src", re.compile("poster"))
            await played(visitor)
            await visitor.page.wait_for_load_state("networkidle")
            await keep(visitor, name)


async def runs_and_operations(browser: Browser, url: str) -> None:
    async with visiting(browser, url, DESKTOP) as visitor:
        await visitor.enter("/runs")
        await expect(visitor.page.locator("li.run img").last).to_have_attribute("src", re.compile("poster"))
        await visitor.page.wait_for_load_state("networkidle", timeout=60_000)
        await keep(visitor, "console-runs")
        # As far down as the chart of what was spent.
        await visitor.page.set_viewport_size({"width": DESKTOP.width, "height": 1180})
        await visitor.open("/operations")
        await expect(visitor.page.locator("[data-part=spend] svg")).to_be_visible()
        await keep(visitor, "console-operations")


async def main() -> None:
    seen = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=1, video_seconds=2)
    with TemporaryDirectory() as folder:
        async with (
            running_temporal() as client,
            running_service(client, Path(folder), config=seen, key=KEY) as service,
            chromium() as browser,
        ):
            url = str(service.api.base_url).rstrip("/")
            await lab(browser, url)
            await run(browser, url, service)
            for prompt in ("a lighthouse in fog", "a red kite over dunes", "a night harbour", "a green valley"):
                body = {"input": ORDER["input"] | {"text_to_image_prompt": prompt}}
                await service.succeeded((await service.create("chain1", body))["id"])
            await runs_and_operations(browser, url)


if __name__ == "__main__":
    asyncio.run(main())
