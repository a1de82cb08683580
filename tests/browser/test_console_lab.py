"""From an opened page to a run that plays: the lab and the page of a run that goes well."""

import json
import re
import shlex
from typing import Any

import pytest
from playwright.async_api import Browser, Request, expect

from tests.browser.visitor import DESKTOP, LOOKS, PHONE, Look, visiting
from tests.support.pictures import jpeg
from tests.support.service import Service
from tests.support.waiting import eventually

_BORDERS = "(control) => getComputedStyle(control).borderTopColor"


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
async def test_three_actions_lead_from_the_opened_page_to_watching_a_run(
    browser: Browser, url: str, look: Look
) -> None:
    async with visiting(browser, url, look) as visitor:
        page = visitor.page
        await visitor.open()
        await visitor.sign_in()
        await expect(page.locator("[data-total]")).to_contain_text("$")
        assert await visitor.barriers() == []
        assert not await visitor.is_wider_than_the_window()
        await visitor.click("button", re.compile("^Run"))
        await expect(page.locator("h1 .pill")).to_be_visible()
        await expect(page.locator("[data-step=text_to_image]")).to_be_visible()
        assert visitor.actions <= 3

        await visitor.state("succeeded")
        await expect(page.locator("#step-text_to_image figure img")).to_be_visible()
        video = page.locator("#step-image_to_video video")
        await expect(video).to_be_visible()
        await eventually(lambda: video.evaluate("(video) => video.videoWidth"), lambda width: width > 0)
        await expect(page.get_by_label("Timeline")).to_contain_text("output checked and stored")
        assert await visitor.barriers() == []
        assert not await visitor.is_wider_than_the_window()


async def test_a_run_is_watched_by_its_stream_and_never_asked_for_again(browser: Browser, url: str) -> None:
    asked: list[str] = []
    async with visiting(browser, url) as visitor:
        await visitor.enter()

        def note(request: Request) -> None:
            asked.append(request.url)

        visitor.page.on("request", note)
        await visitor.click("button", re.compile("^Run"))
        await visitor.state("succeeded")
    assert sum("/chains/get/" in one for one in asked) == 1
    assert sum(one.endswith("/events") for one in asked) == 1


async def test_one_action_leads_from_a_run_to_its_curl_which_makes_the_same_run(
    browser: Browser, url: str, service: Service
) -> None:
    body = {"input": {"text_to_image_prompt": 'it\'s a "quoted" boat', "image_to_video_prompt": "sails"}}
    run = await service.create("chain1", body)
    async with visiting(browser, url) as visitor:
        await visitor.enter(f"/runs/{run['id']}")
        await expect(visitor.page.get_by_role("button", name="Copy as curl")).to_be_visible()
        visitor.actions = 0
        await visitor.click("button", "Copy as curl")
        assert visitor.actions == 1
        await expect(visitor.page.get_by_text("curl copied.")).to_be_visible()
        words = shlex.split((await visitor.copied()).replace("\\\n", " "))
    assert words[:2] == ["curl", f"{url}/api/v1/chains/chain1/runs"]
    assert json.loads(words[words.index("-d") + 1])["input"].items() >= body["input"].items()


async def test_the_lab_shows_the_request_in_four_languages(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        await visitor.enter()
        code = visitor.page.locator("#request")
        for name, word in (("Python", "httpx.post"), ("Node.js", "await fetch"), ("JSON", "input"), ("curl", "-H")):
            await visitor.click("button", name, exact=True)
            await expect(code).to_contain_text(word)
            await expect(code).to_contain_text("copper sea")
        await visitor.page.get_by_label("Prompt", exact=True).first.fill("a tin drum")
        await expect(code).to_contain_text("a tin drum")


async def test_the_estimate_follows_the_form_and_names_the_field_that_is_wrong(browser: Browser, url: str) -> None:
    async with visiting(browser, url, may_be_refused=True) as visitor:
        page = visitor.page
        await visitor.enter()
        total = page.locator("[data-total]")
        await expect(total).to_contain_text("$")
        before = await total.text_content()
        duration = page.get_by_label("duration", exact=True)
        await duration.fill("12")
        await expect(total).not_to_have_text(before or "")
        await duration.fill("99")
        await expect(duration).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_text("One field needs a change.")).to_be_visible()


async def test_a_wrong_option_is_marked_said_once_and_not_sent(browser: Browser, url: str) -> None:
    async with visiting(browser, url, may_be_refused=True) as visitor:
        page = visitor.page
        await visitor.enter()
        sent: list[str] = []
        page.on("request", lambda one: sent.append(one.url) if one.url.endswith("/chain1/runs") else None)
        said = page.get_by_text("One field needs a change.")
        limit = page.get_by_label("Most it may cost")
        await page.get_by_text("Tags, cost limit, callback").click()
        await limit.fill("little")
        await expect(limit).to_have_attribute("aria-invalid", "true")
        bad, good = await limit.evaluate(_BORDERS), await page.get_by_label("Tags").evaluate(_BORDERS)
        assert bad != good
        await expect(said).to_have_count(1)
        await visitor.click("button", re.compile("^Run"))
        await expect(limit).to_be_focused()
        assert sent == []
        await limit.fill("0.01")
        await expect(page.get_by_text("is 0.01 USD and the run may cost")).to_have_count(1)
        await expect(said).to_have_count(1)
        await limit.fill("9")
        await expect(page.locator("button.run .for")).to_be_visible()
        await expect(said).to_be_hidden()
        await expect(limit).not_to_have_attribute("aria-invalid", "true")


async def test_another_model_keeps_what_it_also_knows_and_says_what_it_does_not(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter()
        step = page.locator("[data-step=image_to_video]")
        await step.get_by_label("Model", exact=True).select_option("bytedance/seedance-1.5-pro")
        await step.get_by_label("duration", exact=True).fill("5")
        await step.get_by_label("ratio", exact=True).select_option(label="1:1")
        await step.get_by_label("Model", exact=True).select_option("bach/bach-1.0-preview")
        await expect(step.get_by_text(re.compile("^Left out, since bach/bach-1.0-preview"))).to_contain_text("ratio")
        await expect(page.locator("#request")).not_to_contain_text('"ratio"')
        await expect(page.locator("#request")).to_contain_text("drifts left")


async def test_a_stand_in_is_named_and_the_plan_says_what_it_cannot_be_told(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter()
        await page.get_by_label("Model").first.select_option("bfl/flux-2-pro")
        await page.locator("[data-step=text_to_image]").get_by_label("seed", exact=True).fill("7")
        await page.get_by_label("If it fails, try").first.select_option("bytedance/seedream-4.5")
        await expect(page.get_by_text("Can't be told: seed")).to_be_visible()


async def test_an_uploaded_picture_begins_a_chain(browser: Browser, url: str) -> None:
    async with visiting(browser, url, PHONE) as visitor:
        page = visitor.page
        await visitor.enter("/?chain=chain2")
        await expect(page.get_by_text("Add a start picture to see what it costs.")).to_be_visible()
        files: Any = {"name": "boat.jpg", "mimeType": "image/jpeg", "buffer": jpeg("boat", (800, 600))}
        await page.get_by_label("Upload a picture").set_input_files(files)
        await expect(page.get_by_alt_text("The start picture")).to_be_visible()
        await expect(page.locator("[data-total]")).to_contain_text("$")
        await visitor.click("button", re.compile("^Run"))
        await visitor.state("succeeded")


async def test_the_lab_can_be_used_by_keyboard_alone(browser: Browser, url: str) -> None:
    async with visiting(browser, url, DESKTOP) as visitor:
        page = visitor.page
        await visitor.enter()
        await page.get_by_label("Prompt", exact=True).first.focus()
        await page.keyboard.type(" at dawn")
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.matches('button.run')"):
                break
        await page.keyboard.press("Enter")
        await expect(page.locator("h1 .pill")).to_be_visible()


async def test_run_again_with_edits_begins_with_what_the_run_was_given(
    browser: Browser, url: str, service: Service
) -> None:
    params = {"content": [{"type": "text", "text": "it drifts"}], "duration": 4, "ratio": "1:1"}
    run = await service.create(
        "chain1", {"input": {"text_to_image_params": {"prompt": "a cork"}, "image_to_video_params": params}}
    )
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter(f"/runs/{run['id']}")
        await visitor.state("succeeded")
        await visitor.click("link", "Run again with edits")
        prompts = page.get_by_label("Prompt", exact=True)
        await expect(prompts.nth(0)).to_have_value("a cork")
        await expect(prompts.nth(1)).to_have_value("it drifts")
        await expect(page.get_by_label("duration", exact=True)).to_have_value("4")
        await prompts.nth(1).fill("it sinks")
        await visitor.click("button", re.compile("^Run"))
        await visitor.state("succeeded")
        again = await service.get(visitor.run_id())
    assert again["id"] != run["id"]
    assert again["input"]["image_to_video_params"] == params | {"content": [{"type": "text", "text": "it sinks"}]}
