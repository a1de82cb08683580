"""What the lab sends is what can be read in it, once, and at the price that it says."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Request, Route, expect
from temporalio.client import Client

from tests.browser.visitor import Visitor, visiting
from tests.support.bodies import drawn
from tests.support.service import Service, running_service

CREATES = re.compile(r"/api/v1/chains/[^/]+/runs$")
RESENDS = re.compile(r"/deliveries$")
RETRIES = re.compile(r"/retry$")
SPARED = "bytedance/seedance-1.5-pro=relaydance/seedance-1-5-pro-no-audio"
"""A stand-in of the deployment's own, whose price nobody publishes."""


@pytest.fixture(scope="module")
async def spared(temporal: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("spared")
    async with running_service(
        temporal, folder, worker=False, key="spared_bchn_test_0123", fallbacks=SPARED
    ) as running:
        yield running


def _posts(page: Page, what: re.Pattern[str]) -> list[Request]:
    seen: list[Request] = []
    page.on("request", lambda one: seen.append(one) if one.method == "POST" and what.search(one.url) else None)
    return seen


async def _lose_first_answer(visitor: Visitor, what: re.Pattern[str]) -> list[str | None]:
    """The API gets the request, and the page never hears its answer. Gives back the keys that all were sent with."""
    keys: list[str | None] = []

    async def lose(route: Route) -> None:
        if route.request.method != "POST":
            return await route.continue_()
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) > 1:
            return await route.continue_()
        await route.fetch()
        return await route.abort()

    await visitor.page.route(what, lose)
    return keys


async def test_a_field_that_is_not_json_yet_stops_the_run_and_says_so(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter()
        sent = _posts(page, CREATES)
        first = page.locator("[data-step=text_to_image]")
        await first.get_by_label("Model", exact=True).select_option("bytedance/seedream-4.5")
        await first.get_by_text(re.compile("^More parameters")).click()
        field = first.locator("textarea.json").first
        await field.fill('{"open": ')
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_text("This is not JSON yet.")).to_be_visible()
        await expect(page.get_by_text(re.compile("^Correct .* to see what it costs"))).to_be_visible()
        await visitor.click("button", re.compile("^Run"))
        await expect(page.get_by_text(re.compile("^Correct .* first"))).to_be_visible()
        await expect(field).to_be_focused()
        assert sent == []
        await field.fill("")
        await expect(field).not_to_have_attribute("aria-invalid", "true")
        await expect(page.locator("[data-total]")).to_contain_text("$")


async def test_a_lost_answer_and_a_second_click_make_one_run(browser: Browser, spared: Service) -> None:
    async with visiting(browser, str(spared.api.base_url).rstrip("/")) as visitor:
        page = visitor.page
        await visitor.enter(key=spared.key)
        keys = await _lose_first_answer(visitor, CREATES)
        await page.get_by_label("Prompt", exact=True).first.fill("clicked twice")
        await visitor.click("button", re.compile("^Run"))
        await expect(page.get_by_role("alert")).to_contain_text("The API does not answer.")
        await visitor.click("button", re.compile("^Run"))
        await expect(page.locator("h1 .pill")).to_be_visible()
        assert len(keys) == 2
        assert keys[0] and keys[0] == keys[1]
        await visitor.open("/")
        await visitor.click("button", re.compile("^Run"))
        await expect(page.locator("h1 .pill")).to_be_visible()
        assert len(keys) == 3
        assert keys[2] != keys[0]
        visitor.errors = [one for one in visitor.errors if "ERR_FAILED" not in one]


async def test_a_retry_whose_answer_was_lost_is_asked_for_again_under_its_key(
    browser: Browser, url: str, service: Service
) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("retried twice")))["id"])
    async with visiting(browser, url) as visitor:
        await visitor.enter(f"/runs/{run['id']}")
        keys = await _lose_first_answer(visitor, RETRIES)
        again = visitor.page.locator("#step-image_to_video").get_by_role("button", name="Retry from here")
        await again.click()
        await expect(visitor.page.get_by_role("alert")).to_contain_text("The API does not answer.")
        await again.click()
        await expect(visitor.page.get_by_text("retry of an earlier run")).to_be_visible()
        visitor.errors = [one for one in visitor.errors if "ERR_FAILED" not in one]
    assert keys[0] and keys[0] == keys[1]
    assert len((await service.get(run["id"]))["retried_by"]) == 1


async def test_a_callback_whose_resend_was_not_answered_is_asked_for_again_under_its_key(
    browser: Browser, url: str, service: Service
) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("told twice", webhook_url=service.hook)))["id"])
    await service.callbacks(run["id"])
    async with visiting(browser, url) as visitor:
        await visitor.enter(f"/runs/{run['id']}")
        again = visitor.page.get_by_role("button", name="Send again")
        await expect(again).to_be_visible()
        sent = await _lose_first_answer(visitor, RESENDS)
        await again.click()
        await expect(visitor.page.get_by_role("alert")).to_contain_text("The API does not answer.")
        await again.click()
        await expect(visitor.page.get_by_text("The callback is on its way again.")).to_be_visible()
        visitor.errors = [one for one in visitor.errors if "ERR_FAILED" not in one]
    assert len(sent) == 2
    assert sent[0] and sent[0] == sent[1]


async def test_enter_in_a_field_starts_nothing_and_control_enter_does(browser: Browser, spared: Service) -> None:
    async with visiting(browser, str(spared.api.base_url).rstrip("/")) as visitor:
        page = visitor.page
        await visitor.enter(key=spared.key)
        sent = _posts(page, CREATES)
        duration = page.get_by_label("duration", exact=True)
        await duration.fill("4")
        await duration.press("Enter")
        await expect(page.locator("[data-total]")).to_contain_text("$")
        assert sent == []
        await duration.press("Control+Enter")
        await expect(page.locator("h1 .pill")).to_be_visible()
        assert len(sent) == 1


async def test_tags_that_are_one_text_are_edited_as_one_tag(browser: Browser, spared: Service) -> None:
    run = await spared.create("chain1", drawn("tagged oddly", metadata={"tags": "justastring"}))
    async with visiting(browser, str(spared.api.base_url).rstrip("/")) as visitor:
        await visitor.enter(f"/?from={run['id']}", key=spared.key)
        await expect(visitor.page.get_by_label("Tags")).to_have_value("justastring")


async def test_a_price_that_a_stand_in_may_exceed_is_no_upper_bound(browser: Browser, spared: Service) -> None:
    async with visiting(browser, str(spared.api.base_url).rstrip("/")) as visitor:
        page = visitor.page
        await visitor.enter(key=spared.key)
        await expect(page.locator("button.run")).to_contain_text(re.compile(r"Run from \$\d"))
        await expect(page.get_by_text("More if a stand-in with no published price serves.")).to_be_visible()


async def test_the_deployments_own_stand_in_is_named_and_can_be_refused(browser: Browser, spared: Service) -> None:
    async with visiting(browser, str(spared.api.base_url).rstrip("/")) as visitor:
        page = visitor.page
        await visitor.enter(key=spared.key)
        spare = page.locator("[data-step=image_to_video]").get_by_label("If it fails, try")
        await expect(spare.locator("option:checked")).to_have_text(
            "the deployment's own: relaydance/seedance-1-5-pro-no-audio"
        )
        sent = _posts(page, CREATES)
        await spare.select_option("none")
        await expect(page.locator("button.run")).to_contain_text(re.compile(r"Run for \$\d"))
        await expect(page.get_by_text("or, if it fails", exact=True)).to_be_hidden()
        await visitor.click("button", re.compile("^Run"))
        await expect(page.locator("h1 .pill")).to_be_visible()
        body: dict[str, Any] = json.loads(sent[0].post_data or "")
        assert body["fallbacks"] is False
