"""The list of runs: filters in the address, search, many at once."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Route, expect
from temporalio.client import Client

from sandbox.config import Config
from tests.browser.visitor import DESKTOP, PHONE, WHOLE_RUN, Look, visiting
from tests.support.archived import ended_run, opened, plan_of, put_away
from tests.support.bodies import drawn
from tests.support.service import OTHER_KEY, Service, running_service


@pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=lambda look: look.name)
async def test_filters_stand_in_the_address_and_come_back_with_it(
    browser: Browser, url: str, service: Service, look: Look
) -> None:
    tag = f"kept-{look.name}"
    run = await service.succeeded((await service.create("chain1", drawn("listed", metadata={"tags": [tag]})))["id"])
    async with visiting(browser, url, look) as visitor:
        page = visitor.page
        await visitor.enter("/runs")
        await page.get_by_label("Search").fill(f"tag:{tag}")
        await page.keyboard.press("Enter")
        rows = page.locator("li.run")
        await expect(rows).to_have_count(1)
        await page.get_by_label("Status").select_option("succeeded")
        await expect(rows).to_have_count(1)
        assert page.url.endswith(f"#/runs?status=succeeded&tag={tag}")
        await page.reload()
        await expect(rows).to_have_count(1)
        await expect(rows.first).to_have_attribute("data-run", run["id"])
        await expect(rows.first.locator("img").first).to_have_attribute("src", re.compile("/poster"))
        await page.get_by_label("Status").select_option("failed")
        await expect(page.get_by_text("No run fits")).to_be_visible()
        assert await visitor.barriers() == []
        assert not await visitor.is_wider_than_the_window()


async def test_search_finds_by_id_by_metadata_and_by_words_of_the_prompt(
    browser: Browser, url: str, service: Service
) -> None:
    body = drawn('a heron on a 100% "quoted" pond', metadata={"order": "h-77"})
    run = await service.succeeded((await service.create("chain1", body))["id"])
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter("/runs")
        search, rows = page.get_by_label("Search"), page.locator("li.run")
        for words in ('100% "Quoted"', "order=h-77"):
            await search.fill(words)
            await page.keyboard.press("Enter")
            await expect(rows).to_have_count(1)
            await expect(rows.first).to_have_attribute("data-run", run["id"])
        await search.fill("input_prompt_that_nobody_wrote")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("No run fits")).to_be_visible()
        await search.fill(run["id"])
        await page.keyboard.press("Enter")
        await visitor.state("succeeded")


async def test_a_search_heeds_the_model_and_ends_with_its_words(browser: Browser, url: str, service: Service) -> None:
    await service.succeeded((await service.create("chain1", drawn("an otter at noon")))["id"])
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter("/runs?q=otter&model=bfl/flux-2-pro")
        await expect(page.locator("li.run")).to_have_count(1)
        await page.get_by_label("Model").select_option("bach/bach-1.0-preview")
        await expect(page.get_by_text("No run fits")).to_be_visible()
        await page.get_by_label("Search").fill("")
        await expect(page).to_have_url(re.compile(r"#/runs\?model=bach%2Fbach-1.0-preview$"))


async def test_a_new_run_appears_in_the_open_list_and_changes_there(
    browser: Browser, url: str, service: Service
) -> None:
    async with visiting(browser, url) as visitor:
        await visitor.enter("/runs")
        run = await service.create("chain1", drawn("comes in"))
        row = visitor.page.locator(f"[data-run='{run['id']}']")
        await expect(row).to_be_visible()
        await expect(row.locator(".is-succeeded")).to_be_visible(timeout=WHOLE_RUN)


async def test_a_run_that_no_longer_fits_the_filter_leaves_the_open_list(
    browser: Browser, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    slow = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=600, media="tiny")
    async with running_service(
        temporal, tmp_path_factory.mktemp("leaves"), config=slow, key="leaves_bchn_test_0123456789"
    ) as service:
        run, other = [await service.create("chain1", drawn(word)) for word in ("ends", "goes on")]
        async with visiting(browser, str(service.api.base_url).rstrip("/")) as visitor:
            row, left = [visitor.page.locator(f"[data-run='{one['id']}']") for one in (run, other)]
            await visitor.enter("/runs?status=running", key=service.key)
            await expect(row).to_be_visible()
            await expect(left).to_be_visible()
            await service.cancel(run["id"])
            await expect(row).to_be_hidden()
            await expect(left.locator(".is-running")).to_be_visible()
        await service.cancel(other["id"])


async def test_a_live_run_behind_show_more_changes_where_it_stands_and_leaves_its_filter(
    browser: Browser, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running_service(
        temporal, tmp_path_factory.mktemp("behind"), worker=False, key="behind_bchn_test_0123456789"
    ) as service:
        oldest, second = [await service.create("chain1", drawn("at the end")) for _ in range(2)]
        for _ in range(50):
            await service.create("chain1", drawn("on the first page"))
        async with visiting(browser, str(service.api.base_url).rstrip("/")) as visitor:
            page = visitor.page
            rows = page.locator("li.run")
            await visitor.enter("/runs", key=service.key)
            await expect(rows).to_have_count(50)
            await visitor.click("button", "Show more")
            await expect(rows).to_have_count(52)
            await service.client.get_workflow_handle(oldest["id"]).terminate("seen on the second page")
            await expect(page.locator(f"[data-run='{oldest['id']}'] .is-failed")).to_be_visible()
            await expect(rows.last).to_have_attribute("data-run", oldest["id"])

            await visitor.open("/runs?status=queued")
            await visitor.click("button", "Show more")
            await expect(rows).to_have_count(51)
            await service.client.get_workflow_handle(second["id"]).terminate("leaves the second page")
            await expect(page.locator(f"[data-run='{second['id']}']")).to_be_hidden()
            await expect(rows).to_have_count(50)


async def test_a_list_that_can_not_be_read_anew_says_how_old_it_is_and_goes_on(
    browser: Browser, url: str, service: Service
) -> None:
    run = await service.create("chain1", drawn("stays on show"))
    away = True

    async def cut(route: Route) -> None:
        await (route.abort() if away else route.continue_())

    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter("/runs")
        row = page.locator(f"[data-run='{run['id']}']")
        await expect(row).to_be_visible()
        await page.route("**/api/v1/chains/runs?*", cut)
        old = page.get_by_text("The API does not answer. The list is as it was at")
        await expect(old).to_be_visible()
        await expect(row).to_be_visible()
        away = False
        await expect(old).to_be_hidden()
        visitor.errors = [one for one in visitor.errors if "ERR_FAILED" not in one]


async def test_all_live_runs_are_canceled_only_where_the_list_shows_all_of_them(browser: Browser, url: str) -> None:
    """The server's batch knows no status: under that filter it would stop more than is shown."""
    async with visiting(browser, url) as visitor:
        await visitor.enter("/runs")
        every = visitor.page.get_by_role("button", name="Cancel all live…")
        await expect(every).to_be_enabled()
        await visitor.page.get_by_label("Status").select_option("queued")
        await expect(every).to_be_disabled()


async def test_a_slow_count_that_is_asked_for_twice_opens_one_dialog(browser: Browser, url: str) -> None:
    clicked_twice = asyncio.Event()
    asked: list[str | None] = []

    async def hold(route: Route) -> None:
        asked.append(route.request.post_data)
        await clicked_twice.wait()
        await route.continue_()

    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter("/runs")
        await page.route("**/api/v1/chains/runs/cancel", hold)
        await page.get_by_role("button", name="Cancel all live…").dblclick()
        clicked_twice.set()
        await expect(page.get_by_role("dialog", name="Cancel runs")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert len(asked) == 1


async def test_live_runs_are_canceled_together_after_a_count(
    browser: Browser, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running_service(
        temporal, tmp_path_factory.mktemp("idle"), worker=False, key="idle_bchn_test_0123456789"
    ) as service:
        made = [await service.create("chain1", drawn("waits", metadata={"tags": ["batch"]})) for _ in range(3)]
        spared = await service.create("chain1", drawn("waits too"))
        async with visiting(browser, str(service.api.base_url).rstrip("/")) as visitor:
            page = visitor.page
            await visitor.enter("/runs?tag=batch", key=service.key)
            await expect(page.locator("li.run")).to_have_count(3)
            await visitor.click("button", "Cancel all live…")
            await expect(page.get_by_role("heading", name="Cancel 3 live runs?")).to_be_visible()
            await visitor.click("button", "Cancel them")
            await expect(page.get_by_text("3 runs are being stopped.")).to_be_visible()
        async with service.worker():
            for run in made:
                assert (await service.ended(run["id"]))["status"] == "canceled"
            assert (await service.succeeded(spared["id"]))["id"] == spared["id"]


async def test_who_has_no_runs_is_led_to_the_lab(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        await visitor.enter("/runs", key=OTHER_KEY)
        await expect(visitor.page.get_by_text("No runs yet")).to_be_visible()
        await visitor.click("link", "To the lab")
        await expect(visitor.page.locator("[data-total]")).to_be_visible()


async def test_a_long_list_shows_a_page_at_a_time_and_a_search_says_where_it_stops(
    browser: Browser, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running_service(
        temporal, tmp_path_factory.mktemp("long"), worker=False, key="long_bchn_test_0123456789"
    ) as service:
        run = await service.create("chain1", drawn("whose caller"))
        caller = (await plan_of(temporal, run["id"])).caller
        newest = datetime.now(UTC) - timedelta(hours=1)
        async with opened(service.settings.archive_url) as archive:
            for number in range(120):
                await put_away(
                    archive, *ended_run(caller, newest - timedelta(minutes=number), metadata={"tags": ["long"]})
                )
        async with visiting(browser, str(service.api.base_url).rstrip("/")) as visitor:
            rows = visitor.page.locator("li.run")
            await visitor.enter("/runs?tag=long", key=service.key)
            await expect(rows).to_have_count(50)
            await visitor.click("button", "Show more")
            await expect(rows).to_have_count(100)
            await visitor.click("button", "Show more")
            await expect(rows).to_have_count(120)
            await expect(visitor.page.get_by_role("button", name="Show more")).to_be_hidden()
            await visitor.open("/runs?q=picture%20of")
            await expect(rows).to_have_count(100)
            await expect(visitor.page.get_by_text("Older runs than the newest 100 with these words")).to_be_visible()
