"""A run that does not simply go well: its cause and remedy, its attempts, and what can be done about it."""

import asyncio
import json
import re

import pytest
from playwright.async_api import Browser, Route, expect
from temporalio.client import Client

from sandbox.config import Config
from tests.browser.visitor import DESKTOP, PHONE, Look, visiting
from tests.support.bodies import drawn, restyled
from tests.support.pictures import jpeg
from tests.support.service import Service, running_service
from tests.support.waiting import eventually

_SHARE = "(piece) => piece.getBoundingClientRect().width / piece.parentElement.getBoundingClientRect().width"
_ON_CANCEL = re.compile("On cancel: the (provider stopped the job|job could not be stopped, and may be billed)")
SLOW = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=0.1, video_seconds=600, media="tiny")


@pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=lambda look: look.name)
async def test_a_failed_run_shows_cause_and_remedy_on_one_screen_and_is_retried_from_there(
    browser: Browser, url: str, service: Service, look: Look
) -> None:
    # Of a model that no other test's run could meet it with, here as below.
    await service.sandbox.put_faults({"kind": "moderated", "model": "flux-2-klein-9b", "count": 1})
    body = drawn(f"refused {look.name}")
    body["input"]["chain_models"]["text_to_image_model"] = "bfl/flux-2-klein-9b"
    run = await service.ended((await service.create("chain1", body))["id"])
    assert run["status"] == "failed"
    async with visiting(browser, url, look) as visitor:
        page = visitor.page
        await visitor.enter(f"/runs/{run['id']}")
        await visitor.state("failed")
        await visitor.shows("filter refused the picture")
        await visitor.shows("Change the prompt or the picture")
        edits = page.get_by_label("What happened").get_by_role("link", name="Run again with edits")
        await expect(edits).to_have_class(re.compile("primary"))
        retry = page.get_by_role("button", name="Retry from text to image")
        await expect(retry).not_to_have_class(re.compile("primary"))
        await expect(retry).to_be_in_viewport()
        assert await visitor.barriers() == []
        assert not await visitor.is_wider_than_the_window()
        await retry.click()
        await expect(page).not_to_have_url(re.compile(run["id"]))
        await visitor.state("succeeded")


async def test_a_start_that_nobody_knows_of_is_retried_only_by_who_says_so_twice(
    browser: Browser, url: str, service: Service
) -> None:
    await service.sandbox.put_faults(
        {"kind": "reset", "model": "seedream-4-0-250828", "operation": "submit", "count": 1}
    )
    body = drawn("perhaps paid")
    body["input"]["chain_models"]["text_to_image_model"] = "bytedance/seedream-4"
    run = await service.ended((await service.create("chain1", body))["id"])
    assert run["error"]["code"] == "start_outcome_unknown"
    async with visiting(browser, url) as visitor:
        await visitor.enter(f"/runs/{run['id']}")
        said = visitor.page.get_by_label("What happened")
        await expect(said.get_by_role("link", name="Run again with edits")).to_have_class(re.compile("primary"))
        await said.get_by_role("button", name="Retry from text to image").click()
        sure = said.get_by_role("button", name="May pay a second time. Retry anyway?")
        await expect(sure).to_be_visible()
        assert "retried_by" not in await service.get(run["id"])
        await sure.click()
        await visitor.state("succeeded")
    assert len((await service.get(run["id"]))["retried_by"]) == 1


async def test_an_uploaded_start_picture_is_shown_wherever_its_run_is(
    browser: Browser, url: str, service: Service
) -> None:
    file = ("boat.jpg", jpeg("a boat to begin with", (300, 200)), "image/jpeg")
    asset = (await service.api.post("/api/v1/assets", files={"file": file})).json()["id"]
    run = await service.succeeded((await service.create("chain2", restyled("begins", source_image_url=asset)))["id"])
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter(f"/runs/{run['id']}")
        for place, name in (
            (f"/runs/{run['id']}", "The picture this step begins with"),
            (f"/?from={run['id']}", "The start picture"),
            (f"/compare?a={run['id']}&b={run['id']}", "The start picture"),
        ):
            await visitor.open(place)
            seen = page.get_by_alt_text(name).first
            await expect(seen).to_have_attribute("src", re.compile(f"/assets/{asset}/poster"))
            whole = page.locator("a.stored").filter(has=page.get_by_alt_text(name)).first
            await expect(whole).to_have_attribute("href", re.compile(rf"^/assets/{asset}\?"))


async def test_a_failover_shows_each_attempt_and_its_reason(browser: Browser, url: str, service: Service) -> None:
    await service.sandbox.put_faults({"kind": "failed", "model": "flux-pro-1.1", "count": 1})
    body = drawn("stands in")
    body["input"]["chain_models"]["text_to_image_model"] = ["bfl/flux-1.1-pro", "bytedance/seedream-4.5"]
    run = await service.succeeded((await service.create("chain1", body))["id"])
    async with visiting(browser, url) as visitor:
        await visitor.enter(f"/runs/{run['id']}")
        part = visitor.page.locator("#step-text_to_image")
        await expect(part).to_contain_text("2 attempts")
        await expect(part).to_contain_text("provider_failed")
        await expect(part.locator(".attempts li").nth(1)).to_contain_text("bytedance/seedream-4.5")


async def test_a_step_is_retried_without_paying_for_the_one_before(
    browser: Browser, url: str, service: Service
) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("paid once")))["id"])
    async with visiting(browser, url) as visitor:
        await visitor.enter(f"/runs/{run['id']}")
        await visitor.page.locator("#step-image_to_video").get_by_role("button", name="Retry from here").click()
        await expect(visitor.page).not_to_have_url(re.compile(run["id"]))
        await expect(visitor.page.get_by_text("retry of an earlier run")).to_be_visible()
        await visitor.state("succeeded")
    pictures = [row for row in await service.submits(prompt="paid once") if row["provider"] == "bfl"]
    assert len(pictures) == 1


async def test_a_live_run_says_what_it_waits_for_and_is_canceled(
    browser: Browser, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with running_service(temporal, tmp_path_factory.mktemp("slow"), config=SLOW) as service:
        run = await service.create("chain1", drawn("takes long"))
        async with visiting(browser, str(service.api.base_url).rstrip("/")) as visitor:
            page = visitor.page
            await page.clock.install()
            await visitor.enter(f"/runs/{run['id']}", key=service.key)
            await expect(page.locator(".waiting", has_text="works on the job of bytedance")).to_be_visible()
            await expect(page.get_by_text("so far").first).to_be_visible()
            await page.clock.fast_forward(60_000)
            assert await eventually(
                lambda: page.locator(".piece.working").last.evaluate(_SHARE), lambda part: part > 0.5
            )
            await visitor.click("button", "Cancel")
            await visitor.state("canceled")
            await expect(page.get_by_label("What happened")).to_contain_text("was canceled")
            await expect(page.locator("#step-image_to_video")).to_contain_text(_ON_CANCEL)


async def test_a_broken_stream_is_taken_up_where_it_broke(browser: Browser, url: str, service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("cut off")))["id"])
    seen: list[str | None] = []

    async def cut(route: Route) -> None:
        seen.append(route.request.headers.get("last-event-id"))
        if len(seen) == 1:
            row = (await service.api.get("/api/v1/chains/runs", params={"limit": 100})).json()["data"]
            [first] = [one for one in row if one["id"] == run["id"]]
            text = f"id: 7\nevent: run\ndata: {json.dumps(first)}\n\n"
            await route.fulfill(status=200, content_type="text/event-stream", body=text)
        else:
            await route.continue_()

    async with visiting(browser, url) as visitor:
        await visitor.page.route(re.compile("/events$"), cut)
        await visitor.enter(f"/runs/{run['id']}")
        await expect(visitor.page.get_by_label("Timeline")).to_contain_text("accepted, bfl works")
    assert seen == [None, "7"]


async def test_callbacks_are_shown_and_sent_again(browser: Browser, url: str, service: Service) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("told", webhook_url=service.hook)))["id"])
    await service.callbacks(run["id"])
    async with visiting(browser, url) as visitor:
        await visitor.enter(f"/runs/{run['id']}")
        calls = visitor.page.get_by_label("Callbacks")
        await expect(calls).to_contain_text("HTTP 200")
        await expect(visitor.page.get_by_label("Timeline")).to_contain_text("Callback delivered (HTTP 200)")
        await calls.get_by_role("button", name="Send again").click()
        await service.callbacks(run["id"], 2)
        await expect(calls.locator(".delivery")).to_have_count(2)


@pytest.mark.parametrize("look", [DESKTOP, PHONE], ids=lambda look: look.name)
async def test_two_runs_stand_side_by_side_and_play_in_step(
    browser: Browser, url: str, service: Service, look: Look
) -> None:
    calm, wild = (drawn(f"{word} harbour") for word in ("calm", "wild"))
    wild["input"]["chain_models"]["text_to_image_model"] = ["bfl/flux-2-pro", "bytedance/seedream-4.5"]
    made = await asyncio.gather(*(service.create("chain1", body) for body in (calm, wild)))
    first, second = [await service.succeeded(run["id"]) for run in made]
    async with visiting(browser, url, look) as visitor:
        page = visitor.page
        await visitor.enter(f"/compare?a={first['id']}&b={second['id']}")
        table = page.get_by_label("Table of differences")
        await expect(table).to_contain_text("calm harbour")
        await expect(table).to_contain_text("wild harbour")
        for name in ("status", "time", "cost", "wasted of it", "text to image params: prompt"):
            await expect(table.get_by_role("rowheader", name=name, exact=True)).to_be_visible()
        await expect(table).to_contain_text("bfl/flux-2-pro, bytedance/seedream-4.5")
        assert await visitor.barriers() == []
        assert not await visitor.is_wider_than_the_window()
        videos = page.locator("video")
        await expect(videos).to_have_count(2)
        await videos.first.evaluate("(video) => { video.currentTime = 1; video.play(); }")
        await eventually(lambda: videos.last.evaluate("(video) => video.currentTime"), lambda time: time >= 1)
        assert not await videos.last.evaluate("(video) => video.paused")
