"""What the console says when something is missing: a sentence with its cause, and one with its remedy."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect
from temporalio.client import Client

from api.main import build
from storage.database import upgrade
from tests.browser.visitor import DESKTOP, PHONE, Look, visiting
from tests.support.bodies import drawn
from tests.support.runs import SECRETS
from tests.support.runs import test_settings as settings_in
from tests.support.service import Service, running_service
from tests.support.serving import free_port, serving
from tests.support.waiting import eventually


@pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=lambda look: look.name)
async def test_a_wrong_key_is_said_and_not_kept(browser: Browser, url: str, look: Look) -> None:
    async with visiting(browser, url, look, may_be_refused=True) as visitor:
        await visitor.open()
        await visitor.sign_in("not-a-key-of-this-place")
        await expect(visitor.page.get_by_role("alert")).to_contain_text("This key is not known here.")
        await expect(visitor.page.get_by_role("alert")).to_contain_text("ask its operator for one")
        assert await visitor.page.evaluate("sessionStorage.length") == 0
        assert await visitor.barriers() == []


async def test_the_key_lives_in_the_tab_alone_and_leaves_with_a_sign_out(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        await visitor.enter()
        assert await visitor.page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
        await visitor.page.reload()
        await expect(visitor.page.locator("[data-total]")).to_be_visible()
        await visitor.click("button", "Sign out")
        await expect(visitor.page.get_by_label("Caller key")).to_be_visible()
        assert await visitor.page.evaluate("sessionStorage.length") == 0


async def test_a_run_leads_to_its_workflow_where_the_web_ui_is_named(
    browser: Browser, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    named: dict[str, Any] = {"worker": False, "temporal_ui_url": "http://ui.example:8233/"}
    async with running_service(temporal, tmp_path_factory.mktemp("linked"), **named) as service:
        run = await service.create("chain1", drawn("looked at elsewhere"))
        async with visiting(browser, str(service.api.base_url).rstrip("/")) as visitor:
            await visitor.enter(f"/runs/{run['id']}", key=service.key)
            link = visitor.page.get_by_role("link", name="Temporal")
            where = f"http://ui.example:8233/namespaces/default/workflows/{run['id']}"
            await expect(link).to_have_attribute("href", where)


async def test_without_a_worker_the_page_says_how_to_start_one(
    browser: Browser, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running_service(temporal, tmp_path_factory.mktemp("alone"), worker=False) as service:
        run = await service.create("chain1", drawn("nobody works"))
        async with visiting(browser, str(service.api.base_url).rstrip("/")) as visitor:
            await visitor.enter(key=service.key)
            for place in ("/", f"/runs/{run['id']}"):
                await visitor.open(place)
                await expect(visitor.page.locator(".banner")).to_contain_text("No worker is running.")
                await expect(visitor.page.locator(".banner code")).to_have_text("babychain serve worker")
            await visitor.open("/operations")
            await expect(visitor.page.get_by_text("No worker is running: runs wait.")).to_be_visible()


async def test_a_worker_that_comes_is_noticed_by_an_open_page(
    browser: Browser, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with (
        running_service(temporal, tmp_path_factory.mktemp("later"), worker=False) as service,
        visiting(browser, str(service.api.base_url).rstrip("/")) as visitor,
    ):
        page = visitor.page
        await page.clock.install()
        await visitor.enter(key=service.key)
        await expect(page.locator(".banner")).to_be_visible()

        async def later() -> bool:
            await page.clock.fast_forward(16_000)
            return await page.locator(".banner").is_hidden()

        async with service.worker():
            await eventually(later, bool)


async def test_without_temporal_every_page_says_so(browser: Browser, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    await upgrade(settings.archive_url)
    nowhere = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    async with serving(build(settings, nowhere)) as url, visiting(browser, url, may_be_refused=True) as visitor:
        await visitor.enter(key=SECRETS["api_key"])
        await expect(visitor.page.get_by_text("The workflow server (Temporal) does not answer.")).to_be_visible()
        await visitor.open("/runs")
        await expect(visitor.page.get_by_text("runs can neither be read nor started")).to_be_visible()
        await expect(visitor.page.get_by_text("check TEMPORAL_ADDRESS")).to_be_visible()
        await visitor.open("/operations")
        await expect(visitor.page.get_by_text("Temporal does not answer.")).to_be_visible()


async def test_an_api_that_is_away_is_said_and_asked_again_on_demand(browser: Browser, url: str) -> None:
    away = True

    async def cut(route: Route) -> None:
        await (route.abort() if away else route.continue_())

    async with visiting(browser, url) as visitor:
        await visitor.enter()
        await visitor.page.route("**/api/v1/chains/runs?*", cut)
        await visitor.open("/runs")
        await expect(visitor.page.get_by_role("alert")).to_contain_text("The API does not answer.")
        away = False
        await visitor.click("button", "Try again")
        await expect(visitor.page.get_by_role("alert")).to_be_hidden()
        visitor.errors = [one for one in visitor.errors if "ERR_FAILED" not in one]


async def test_a_run_that_is_not_there_is_said(browser: Browser, url: str) -> None:
    async with visiting(browser, url, may_be_refused=True) as visitor:
        await visitor.enter("/runs/01a1fd35-90f3-7215-b468-4c17104be3bd")
        said = visitor.page.get_by_role("alert")
        await expect(said).to_contain_text("There is no such run.")
        await expect(said.get_by_role("button", name="Try again")).to_be_hidden()
        await said.get_by_role("link", name="To the runs").click()
        await expect(visitor.page.get_by_role("heading", name="Runs", exact=True)).to_be_focused()


async def test_a_page_that_is_come_to_has_the_focus_and_names_the_tab(
    browser: Browser, url: str, service: Service
) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("titled")))["id"])
    async with visiting(browser, url) as visitor:
        await visitor.enter()
        await expect(visitor.page).to_have_title("Lab · BabyChain")
        await visitor.click("link", "Operations")
        await expect(visitor.page.get_by_role("heading", name="Operations")).to_be_focused()
        await visitor.open(f"/runs/{run['id']}")
        await expect(visitor.page).to_have_title("succeeded · chain1 · BabyChain")


async def test_what_a_key_may_not_do_is_not_offered(browser: Browser, url: str, service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("only looked at")))["id"])
    made = await service.api.post("/api/v1/keys", json={"caller": "reader-only", "scopes": ["chains:read"]})
    async with visiting(browser, url, may_be_refused=True) as visitor:
        page = visitor.page
        await visitor.enter(key=made.json()["key"])
        await expect(page.get_by_text("it has not the scope chains:run")).to_be_visible()
        await expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
        await visitor.open("/runs")
        await expect(page.get_by_role("button", name="Compare two")).to_be_visible()
        await expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
        reader = await service.anyone.get(
            f"/api/v1/chains/get/{run['id']}", headers={"authorization": f"Bearer {made.json()['key']}"}
        )
        assert reader.status_code == 404, "a key of another caller sees none of its runs"


async def test_a_provider_that_is_out_is_said_beside_its_model(browser: Browser, url: str, service: Service) -> None:
    await service.api.post("/api/v1/providers/bach/disable", json={"reason": "Its contract has ended."})
    async with visiting(browser, url) as visitor:
        await visitor.enter()
        await visitor.page.get_by_label("Model", exact=True).last.select_option("bach/bach-1.0-preview")
        await expect(visitor.page.get_by_text("Bach is disabled: Its contract has ended.")).to_be_visible()
    await service.api.post("/api/v1/providers/bach/enable")
