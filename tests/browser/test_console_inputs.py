"""What a run was given, on its page and in the lab: all of it is seen, and however much it is, it takes little room."""

import re
from typing import Any

from playwright.async_api import Browser, expect

from tests.browser.visitor import PHONE, visiting
from tests.support.bodies import drawn, restyled
from tests.support.pictures import jpeg
from tests.support.service import Service
from tests.support.waiting import eventually

_POSTER = re.compile("/poster")
LONG = "a very long walk along the shore, " * 150
ARABIC = "قارب ورقي على بحر نحاسي"


async def test_eight_reference_pictures_are_seen_and_not_spelt_out(
    browser: Browser, url: str, service: Service
) -> None:
    run = await service.create("chain2", await _with_references(service, 8))
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter(f"/runs/{run['id']}")
        part = page.locator("#step-image_to_image")
        for number in range(2, 9):
            await expect(part.get_by_alt_text(f"Input image {number}")).to_have_attribute("src", _POSTER)
        await expect(part).not_to_contain_text("/assets/")
        await visitor.open(f"/?from={run['id']}")
        again = page.locator("[data-step=image_to_image]").get_by_alt_text("A further picture")
        await expect(again).to_have_count(7)
        await again.last.scroll_into_view_if_needed()
        await expect(again.last).to_have_attribute("src", _POSTER)


async def test_a_long_prompt_scrolls_in_its_own_place_and_by_keyboard(
    browser: Browser, url: str, service: Service
) -> None:
    run = await service.create("chain1", drawn(LONG))
    async with visiting(browser, url, PHONE) as visitor:
        page = visitor.page
        await visitor.enter(f"/runs/{run['id']}")
        prompt = page.locator("#step-text_to_image").get_by_role("region", name="Prompt")
        await expect(prompt).to_be_visible()
        assert await prompt.evaluate("(prompt) => prompt.offsetHeight < innerHeight")

        async def scrolled() -> int:
            # While the run goes on, its parts are drawn anew.
            await prompt.focus()
            await page.keyboard.press("End")
            top: int = await prompt.evaluate("(prompt) => prompt.scrollTop")
            return top

        await eventually(scrolled, lambda top: top > 0)
        assert await visitor.barriers() == []


async def test_a_prompt_that_is_read_from_the_right_stands_so(browser: Browser, url: str, service: Service) -> None:
    run = await service.create("chain1", drawn(ARABIC, metadata={"tags": ["قارب"]}))
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter(f"/runs/{run['id']}")
        for place in (page.locator("#step-text_to_image .prompt"), page.locator("a.tag")):
            await expect(place).to_have_css("direction", "rtl")
        await visitor.open(f"/?from={run['id']}")
        typed = page.get_by_label("Prompt", exact=True).first
        await expect(typed).to_have_value(ARABIC)
        await expect(typed).to_have_css("direction", "rtl")
        await visitor.open("/runs?tag=قارب")
        row = page.locator(f"[data-run='{run['id']}'] .prompt")
        await expect(row).to_have_text(ARABIC)
        await expect(row).to_have_css("direction", "rtl")


async def _with_references(service: Service, count: int) -> dict[str, Any]:
    names = []
    for number in range(count):
        file = ("reference.jpg", jpeg(f"reference {number}", (300, 300)), "image/jpeg")
        names.append((await service.api.post("/api/v1/assets", files={"file": file})).json()["url"])
    more = {f"input_image_{number}": name for number, name in enumerate(names[1:], start=2)}
    return restyled("many references", source_image_url=names[0], image_to_image_params=more)
