"""Pictures of the caller's beside the one that the chain hands on: added in the lab, sent where the model has them."""

import asyncio
import json
import re
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.visitor import DESKTOP, PHONE, Look, Visitor, visiting
from tests.support.pictures import jpeg
from tests.support.service import Json, Service

BOTH = pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=lambda look: look.name)
FLUX, KLEIN, DREAM = "bfl/flux-2-pro", "bfl/flux-2-klein-4b", "bytedance/seedream-4.5"
DANCE_2, RELAY = "bytedance/seedance-2.0", "relaydance/doubao-seedance-2-0-1080p"
_POSTER = re.compile("/poster")
_RESTYLE, _ANIMATE = "image_to_image", "image_to_video"


def address(number: int) -> str:
    """A public number, which needs no DNS."""
    return f"https://93.184.215.14/{number}.png"


def part(page: Page, step: str) -> Locator:
    return page.locator(f"[data-step={step}]")


async def opened(visitor: Visitor, chain: str, step: str, model: str) -> Locator:
    await visitor.enter(f"/?chain={chain}")
    await part(visitor.page, step).get_by_label("Model", exact=True).select_option(model)
    pictures = part(visitor.page, step).get_by_role("group", name="Further pictures")
    await expect(pictures).to_be_visible()
    return pictures


async def added(pictures: Locator, number: int) -> Locator:
    await pictures.get_by_role("button", name="Add a picture").click()
    return pictures.get_by_role("group", name=f"Picture {number}")


async def named(pictures: Locator, number: int, url: str) -> None:
    await (await added(pictures, number)).get_by_label("or name its address").fill(url)


async def uploaded(pictures: Locator, number: int) -> None:
    row = await added(pictures, number)
    file: Any = {"name": f"{number}.jpg", "mimeType": "image/jpeg", "buffer": jpeg(f"further {number}", (400, 400))}
    await row.get_by_label("Upload a picture").set_input_files(file)
    await expect(row.get_by_alt_text("A further picture")).to_have_attribute("src", _POSTER)


async def asked(page: Page, step: str) -> Json:
    """The step's parameters, as the request beside the form has them."""
    panel = page.locator("details", has=page.locator("#request"))
    if await panel.get_attribute("open") is None:
        await panel.locator("summary").click()
    await page.get_by_role("button", name="JSON", exact=True).click()
    params: Json = json.loads(await page.locator("#request").text_content() or "")["input"].get(f"{step}_params", {})
    return params


@BOTH
async def test_a_run_with_two_further_pictures_is_made_and_made_again(
    browser: Browser, url: str, service: Service, look: Look
) -> None:
    prompt = f"in oil, two friends beside it, {look.name}"
    async with visiting(browser, url, look) as visitor:
        page = visitor.page
        pictures = await opened(visitor, "chain3", _RESTYLE, FLUX)
        await part(page, _RESTYLE).get_by_label("Prompt", exact=True).fill(prompt)
        await uploaded(pictures, 2)
        await uploaded(pictures, 3)
        await expect(page.locator("[data-total]")).to_contain_text("$")
        assert await visitor.barriers() == []
        assert not await visitor.is_wider_than_the_window()
        given = await asked(page, _RESTYLE)
        await visitor.click("button", re.compile("^Run"))
        await visitor.state("succeeded")
        run = await service.get(visitor.run_id())
        [start] = await service.submits(prompt=prompt)

        await visitor.click("link", "Run again with edits")
        again = part(page, _RESTYLE).get_by_alt_text("A further picture")
        await expect(again).to_have_count(2)
        await again.last.scroll_into_view_if_needed()
        await expect(again.last).to_have_attribute("src", _POSTER)
        assert await asked(page, _RESTYLE) == given
    assert given.keys() == {"input_image_2", "input_image_3"}
    assert run["input"][f"{_RESTYLE}_params"] == given
    assert sorted(name for name in start["body"] if "image" in name) == ["input_image", *sorted(given)]


@BOTH
async def test_further_pictures_of_a_model_with_a_content_list_become_its_items(
    browser: Browser, url: str, service: Service, look: Look
) -> None:
    prompt = f"they wave at each other, {look.name}"
    async with visiting(browser, url, look) as visitor:
        page = visitor.page
        pictures = await opened(visitor, "chain1", _ANIMATE, DANCE_2)
        await part(page, _ANIMATE).get_by_label("Prompt", exact=True).fill(prompt)
        await uploaded(pictures, 2)
        await uploaded(pictures, 3)
        given = (await asked(page, _ANIMATE))["content"]
        await visitor.click("button", re.compile("^Run"))
        await visitor.state("succeeded")
    [start] = await service.submits(prompt=prompt)
    sent = [item for item in start["body"]["content"] if item["type"] == "image_url"]
    assert [item["role"] for item in given] == ["reference_image"] * 2
    assert [item["role"] for item in sent] == ["reference_image"] * 3


async def test_what_else_stands_in_the_list_and_beside_it_stays(browser: Browser, url: str) -> None:
    sound = {"type": "audio_url", "audio_url": {"url": address(9)}, "role": "reference_audio"}
    item = {"type": "image_url", "image_url": {"url": address(2)}, "role": "reference_image"}
    async with visiting(browser, url) as visitor:
        page = visitor.page
        pictures = await opened(visitor, "chain1", _ANIMATE, RELAY)
        metadata = part(page, _ANIMATE).get_by_label("metadata", exact=True)
        await page.get_by_text(re.compile("More parameters")).last.click()
        await metadata.fill(json.dumps({"ratio": "1:1", "content": [sound]}))
        await named(pictures, 2, address(2))
        assert await asked(page, _ANIMATE) == {"metadata": {"ratio": "1:1", "content": [sound, item]}}
        await expect(metadata).to_have_value(re.compile(re.escape(address(2))))
        await metadata.fill(json.dumps({"ratio": "1:1", "content": [item, item | {"image_url": {"url": address(3)}}]}))
        await expect(pictures.get_by_role("group", name="Picture 3").get_by_label("or name its address")).to_have_value(
            address(3)
        )
        await pictures.get_by_role("button", name="Remove").first.click()
        await pictures.get_by_role("button", name="Remove").first.click()
        assert await asked(page, _ANIMATE) == {"metadata": {"ratio": "1:1"}}


@BOTH
async def test_pictures_are_added_up_to_the_limit_and_removed_by_keyboard(
    browser: Browser, url: str, look: Look
) -> None:
    async with visiting(browser, url, look) as visitor:
        page = visitor.page
        pictures = await opened(visitor, "chain3", _RESTYLE, KLEIN)
        add = pictures.get_by_role("button", name="Add a picture")
        for number in (2, 3, 4):
            await add.press("Enter")
            await page.keyboard.press("Tab")
            await page.keyboard.type(address(number))
        await expect(add).to_be_disabled()
        await expect(pictures).to_contain_text("3 of 3")
        await pictures.get_by_role("button", name="Remove").nth(1).press("Enter")
        await expect(add).to_be_focused()
        await expect(pictures.get_by_role("group", name=re.compile("^Picture"))).to_have_count(2)
        assert await asked(page, _RESTYLE) == {"input_image_2": address(2), "input_image_3": address(4)}
        assert await visitor.barriers() == []
        assert not await visitor.is_wider_than_the_window()


@BOTH
@pytest.mark.parametrize(("chain", "step", "model"), [("chain3", _RESTYLE, FLUX), ("chain1", _ANIMATE, RELAY)])
async def test_an_unsafe_address_is_told_at_its_field_and_nothing_is_sent(
    browser: Browser, url: str, look: Look, chain: str, step: str, model: str
) -> None:
    async with visiting(browser, url, look, may_be_refused=True) as visitor:
        page = visitor.page
        pictures = await opened(visitor, chain, step, model)
        await named(pictures, 2, address(2))
        # One without an address is not sent, and counts as none.
        await added(pictures, 3)
        await named(pictures, 4, "https://127.0.0.1/mine.png")
        rows = [pictures.get_by_role("group", name=f"Picture {number}") for number in (2, 3, 4)]
        safe, empty, unsafe = [row.get_by_label("or name its address") for row in rows]
        await expect(unsafe).to_have_attribute("aria-invalid", "true")
        await expect(rows[2].locator(".fault")).to_contain_text("public")
        for other in (safe, empty):
            await expect(other).not_to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_text("One field needs a change.")).to_be_visible()
        await visitor.click("button", re.compile("^Run"))
        await expect(unsafe).to_be_focused()
        await unsafe.fill(address(4))
        await expect(unsafe).not_to_have_attribute("aria-invalid", "true")


async def test_nothing_is_started_while_a_picture_is_on_its_way(browser: Browser, url: str, service: Service) -> None:
    prompt = "not without the third"
    released = asyncio.Event()

    async def held(route: Route) -> None:
        await released.wait()
        await route.continue_()

    async with visiting(browser, url) as visitor:
        page = visitor.page
        pictures = await opened(visitor, "chain3", _RESTYLE, FLUX)
        await part(page, _RESTYLE).get_by_label("Prompt", exact=True).fill(prompt)
        await uploaded(pictures, 2)
        await page.route("**/api/v1/assets", held)
        third = asyncio.create_task(uploaded(pictures, 3))
        await expect(pictures.get_by_text("Uploading 3.jpg…")).to_be_visible()
        await visitor.click("button", re.compile("^Run"))
        await expect(page.get_by_text("Wait for the upload first.")).to_be_visible()
        released.set()
        await third
        assert (await asked(page, _RESTYLE)).keys() == {"input_image_2", "input_image_3"}
    assert await service.submits(prompt=prompt) == []


async def test_another_model_takes_as_many_of_them_as_it_can(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        page = visitor.page
        pictures = await opened(visitor, "chain3", _RESTYLE, FLUX)
        model = part(page, _RESTYLE).get_by_label("Model", exact=True)
        for number in (2, 3, 4, 5):
            await named(pictures, number, address(number))
        await model.select_option(KLEIN)
        left_out = part(page, _RESTYLE).get_by_text(re.compile("^Left out"))
        await expect(left_out).to_contain_text("1 further picture.")
        assert await asked(page, _RESTYLE) == {f"input_image_{number}": address(number) for number in (2, 3, 4)}
        await model.select_option(DREAM)
        await expect(left_out).to_contain_text("3 further pictures.")
        await expect(pictures).to_be_hidden()
        assert await asked(page, _RESTYLE) == {}


async def test_between_videos_they_go_from_one_list_into_another(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        page = visitor.page
        pictures = await opened(visitor, "chain1", _ANIMATE, RELAY)
        await named(pictures, 2, address(2))
        await part(page, _ANIMATE).get_by_label("Model", exact=True).select_option(DANCE_2)
        row = pictures.get_by_role("group", name="Picture 2")
        await expect(row.get_by_label("or name its address")).to_have_value(address(2))
        params = await asked(page, _ANIMATE)
    assert [item["image_url"]["url"] for item in params["content"]] == [address(2)]
