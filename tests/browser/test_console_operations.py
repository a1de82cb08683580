"""The operator's page."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.visitor import LOOKS, PHONE, Look, visiting
from tests.support.bodies import drawn
from tests.support.service import Service


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
async def test_operations_show_workers_providers_spend_callbacks_and_keys(
    browser: Browser, url: str, service: Service, look: Look
) -> None:
    await service.succeeded((await service.create("chain1", drawn(f"spent {look.name}")))["id"])
    async with visiting(browser, url, look) as visitor:
        page = visitor.page
        await visitor.enter("/operations")
        await expect(page.locator("[data-part=workers]")).to_contain_text("Workflow tasks waiting")
        await expect(page.locator("[data-provider=bfl]")).to_contain_text("healthy")
        await expect(page.locator("[data-part=spend] svg")).to_be_visible()
        await expect(page.locator("[data-part=spend]")).to_contain_text("bfl/flux-2-pro")
        await expect(page.locator("[data-part=callbacks]")).to_contain_text("Callbacks that do not arrive")
        await expect(page.locator("[data-part=keys]")).to_contain_text("Make a key")
        assert await visitor.barriers() == []
        assert not await visitor.is_wider_than_the_window()


async def test_a_list_of_keys_scrolls_in_its_own_place_on_a_phone(browser: Browser, url: str, service: Service) -> None:
    made = await service.api.post("/api/v1/keys", json={"caller": "phone-owner", "name": "a key with a long name"})
    async with visiting(browser, url, PHONE) as visitor:
        await visitor.enter("/operations")
        await expect(visitor.page.get_by_role("row", name="phone-owner")).to_be_visible()
        assert not await visitor.is_wider_than_the_window()
    await service.api.delete(f"/api/v1/keys/{made.json()['id']}")


async def test_what_changes_at_a_provider_is_seen_by_who_watches(browser: Browser, url: str, service: Service) -> None:
    async with visiting(browser, url) as visitor:
        await visitor.enter("/operations")
        account = visitor.page.locator("[data-provider=relaydance]")
        await expect(account).to_contain_text("Succeeded, last hour")
        await service.api.post("/api/v1/providers/relaydance/disable", json={"reason": "Seen from elsewhere."})
        await expect(account).to_contain_text("Seen from elsewhere.")
        await service.api.post("/api/v1/providers/relaydance/enable")
        await expect(account).not_to_contain_text("Seen from elsewhere.")


async def test_a_provider_is_disabled_and_enabled_and_the_lab_says_so(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter("/operations")
        account = page.locator("[data-provider=byteplus]")
        await page.get_by_role("button", name="Disable: byteplus").click()
        await expect(account).to_contain_text("disabled")
        await page.get_by_role("link", name="Lab").click()
        await expect(page.get_by_text("Byteplus is disabled").first).to_be_visible()
        await page.get_by_role("link", name="Operations").click()
        await account.get_by_role("button", name="Enable").click()
        await expect(account).to_contain_text("healthy")


async def test_spend_can_also_be_read_as_a_table(browser: Browser, url: str, service: Service) -> None:
    await service.succeeded((await service.create("chain1", drawn("added up")))["id"])
    async with visiting(browser, url, PHONE) as visitor:
        page = visitor.page
        await visitor.enter("/operations")
        await page.get_by_text("As a table").click()
        table = page.get_by_role("region", name="Spend by model")
        cells = table.get_by_role("row", name="bfl/flux-2-pro").get_by_role("cell")
        amount = re.compile(r"^\$\d")
        await expect(cells).to_have_text([amount, amount, amount, re.compile(r"^\d+$")])
        await expect(page.get_by_role("region", name="Spend by day").get_by_role("row")).not_to_have_count(0)
        assert await visitor.barriers() == []
        assert not await visitor.is_wider_than_the_window()


async def test_a_model_that_is_switched_off_is_said_to_operators_and_in_the_lab(
    browser: Browser, url: str, service: Service
) -> None:
    model = "/api/v1/models/bfl/flux-2-pro"
    await service.api.post(f"{model}/disable", json={"reason": "It draws no hands."})
    try:
        async with visiting(browser, url) as visitor:
            page = visitor.page
            await visitor.enter("/operations")
            said = "bfl/flux-2-pro is disabled: It draws no hands."
            await expect(page.locator("[data-provider=bfl]")).to_contain_text(said)
            await page.get_by_role("link", name="Lab").click()
            await page.get_by_label("Model", exact=True).first.select_option("bfl/flux-2-pro")
            await expect(page.locator("[data-step=text_to_image]")).to_contain_text(said)
    finally:
        await service.api.post(f"{model}/enable")


async def test_a_double_click_makes_one_key(browser: Browser, url: str, service: Service) -> None:
    async with visiting(browser, url) as visitor:
        keys = visitor.page.locator("[data-part=keys]")
        await visitor.enter("/operations")
        await keys.get_by_text("Make a key").click()
        await keys.get_by_role("textbox", name="Caller").fill("clicks-twice")
        await keys.get_by_role("button", name="Make the key").dblclick()
        await keys.get_by_role("button", name="I have it").click()
        await expect(keys.get_by_role("row", name="clicks-twice")).to_have_count(1)
    rows = (await service.api.get("/api/v1/keys")).json()["data"]
    [made] = [row for row in rows if row["caller"] == "clicks-twice"]
    await service.api.delete(f"/api/v1/keys/{made['id']}")


async def test_a_key_is_shown_once_signs_in_and_is_revoked(browser: Browser, url: str) -> None:
    async with visiting(browser, url, may_be_refused=True) as visitor:
        page = visitor.page
        await visitor.enter("/operations")
        keys = page.locator("[data-part=keys]")
        await keys.get_by_text("Make a key").click()
        await keys.get_by_role("textbox", name="Caller").fill("console-test")
        await keys.get_by_role("button", name="Make the key").click()
        made = await keys.locator(".made code").text_content() or ""
        await keys.get_by_role("button", name="I have it").click()
        row = keys.get_by_role("row", name="console-test")
        await expect(row).to_contain_text("never")
        await expect(keys.get_by_text(made)).to_be_hidden()

        async with visiting(browser, url) as guest:
            await guest.enter("/operations", key=made)
            await expect(guest.page.get_by_text("need a key with the scope admin")).to_be_visible()

        await row.get_by_role("button", name="Revoke").click()
        await row.get_by_role("button", name="Revoke for good?").click()
        await expect(row).to_contain_text("revoked")


async def test_a_callback_that_does_not_arrive_is_listed_with_its_answer(
    browser: Browser, url: str, service: Service
) -> None:
    service.receiver.answers = [410]
    run = await service.succeeded((await service.create("chain1", drawn("unwanted", webhook_url=service.hook)))["id"])
    await service.callbacks(run["id"])
    async with visiting(browser, url) as visitor:
        row = visitor.page.locator("[data-part=callbacks] tr", has_text=run["id"][:8])
        await visitor.enter("/operations")
        await expect(row).to_contain_text("gone")
        await expect(row).to_contain_text("HTTP 410")
        await row.get_by_role("link").click()
        await visitor.state("succeeded")
