"""What goes away under an open page, and comes back: Temporal, a provider, the API, the key."""

import re
from pathlib import Path

from playwright.async_api import Browser, Route, expect

from tests.browser.visitor import Visitor, visiting
from tests.support.bodies import drawn
from tests.support.service import OTHER_KEY, Service, running_service
from tests.support.temporal_server import running_temporal
from tests.support.waiting import eventually

EVENTS = re.compile("/events$")
UNREACHED = "ERR_FAILED"


def _forgive_unreached(visitor: Visitor) -> None:
    visitor.errors = [one for one in visitor.errors if UNREACHED not in one]


async def _some_time_later(visitor: Visitor) -> None:
    """The page looks every 15 seconds whether it can go on."""
    await visitor.page.clock.fast_forward(16_000)


async def test_a_temporal_that_ends_is_said_on_the_open_page_of_a_run(browser: Browser, tmp_path: Path) -> None:
    temporal = running_temporal()
    client = await temporal.__aenter__()
    is_up = True
    try:
        async with running_service(client, tmp_path, worker=False) as service:
            run = await service.create("chain1", drawn("loses its server"))
            url = str(service.api.base_url).rstrip("/")
            async with visiting(browser, url, may_be_refused=True) as visitor:
                await visitor.page.clock.install()
                await visitor.enter(f"/runs/{run['id']}", key=service.key)
                await expect(visitor.page.locator(".banner[data-cause=worker]")).to_be_visible()
                await temporal.__aexit__(None, None, None)
                is_up = False
                banner = visitor.page.locator(".banner[data-cause=temporal]")

                async def said() -> bool:
                    await _some_time_later(visitor)
                    return await banner.is_visible()

                await eventually(said, bool)
                await expect(banner).to_contain_text("The workflow server (Temporal) does not answer.")
                await expect(banner).to_contain_text("check TEMPORAL_ADDRESS")
                visitor.errors = [one for one in visitor.errors if "ERR_INCOMPLETE" not in one]
    finally:
        if is_up:
            await temporal.__aexit__(None, None, None)


async def test_a_run_that_waits_for_a_provider_that_is_out_says_so(
    browser: Browser, url: str, service: Service
) -> None:
    await service.api.post("/api/v1/providers/bfl/disable", json={})
    try:
        run = await service.create("chain1", drawn("waits for its provider"))
        async with visiting(browser, url) as visitor:
            await visitor.enter(f"/runs/{run['id']}")
            waiting = visitor.page.locator(".waiting")
            await expect(waiting).to_contain_text("An operator has switched bfl")
            await expect(visitor.page.get_by_label("Timeline")).to_contain_text("to be submitted to bfl")
            await service.api.post("/api/v1/providers/bfl/enable")
            await visitor.state("succeeded")
            await expect(waiting).to_be_hidden()
    finally:
        await service.api.post("/api/v1/providers/bfl/enable")


async def test_an_api_that_goes_away_is_said_on_the_page_of_a_run_and_its_return_too(
    browser: Browser, url: str, service: Service
) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("looked at meanwhile")))["id"])
    away = True

    async def cut(route: Route) -> None:
        await (route.abort() if away else route.continue_())

    async with visiting(browser, url) as visitor:
        page = visitor.page
        await page.clock.install()
        await visitor.enter(f"/runs/{run['id']}")
        await visitor.state("succeeded")
        await page.route("**/readyz", cut)
        banner = page.locator(".banner[data-cause=api]")
        await _some_time_later(visitor)
        await expect(banner).to_contain_text("The API does not answer.")
        away = False
        await _some_time_later(visitor)
        await expect(banner).to_be_hidden()
        _forgive_unreached(visitor)


async def test_an_estimate_that_nobody_answered_is_asked_for_again(browser: Browser, url: str) -> None:
    away = True

    async def cut(route: Route) -> None:
        await (route.abort() if away else route.continue_())

    async with visiting(browser, url) as visitor:
        await visitor.page.route("**/estimate", cut)
        await visitor.enter()
        await expect(visitor.page.get_by_role("alert")).to_contain_text("The API does not answer.")
        away = False
        await expect(visitor.page.locator("[data-total]")).to_contain_text("$")
        _forgive_unreached(visitor)


async def test_a_key_that_is_revoked_while_a_run_is_watched_leads_to_signing_in_and_back(
    browser: Browser, url: str, service: Service
) -> None:
    keys = [(await service.api.post("/api/v1/keys", json={"caller": "watcher"})).json() for _ in range(2)]
    headers = {"authorization": f"Bearer {keys[0]['key']}"}
    made = await service.anyone.post("/api/v1/chains/chain1/runs", json=drawn("watched"), headers=headers)
    revoked = False

    async def cut(route: Route) -> None:
        if revoked:
            return await route.continue_()
        # A stream that breaks off is taken up again.
        return await route.fulfill(status=200, content_type="text/event-stream", body=": nothing yet\n\n")

    async with visiting(browser, url, may_be_refused=True) as visitor:
        page = visitor.page
        await page.route(EVENTS, cut)
        await visitor.enter(f"/runs/{made.json()['id']}", key=keys[0]["key"])
        await expect(page.locator("h1 .pill")).to_be_visible()
        await service.api.delete(f"/api/v1/keys/{keys[0]['id']}")
        revoked = True
        await expect(page.get_by_label("Caller key")).to_be_focused()
        await visitor.sign_in(keys[1]["key"])
        await visitor.state("succeeded")
        assert visitor.run_id() == made.json()["id"]


async def test_who_signs_out_leaves_nothing_behind_that_was_typed(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter()
        prompt = page.get_by_label("Prompt", exact=True).first
        await prompt.fill("nobody else's business")
        await visitor.click("button", "Sign out")
        await visitor.sign_in(OTHER_KEY)
        await expect(prompt).to_have_value(re.compile("paper boat"))
        await expect(page.locator("#request")).not_to_contain_text("business")
