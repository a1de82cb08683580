"""What a run has cost and may cost, as the console says it: one total, what of it was wasted, and no false limits."""

import re

from playwright.async_api import Browser, expect

from tests.browser.visitor import visiting
from tests.support.bodies import drawn, restyled
from tests.support.pictures import jpeg
from tests.support.service import Service


async def test_a_run_has_one_total_wherever_it_is_shown_and_what_of_it_was_wasted(
    browser: Browser, url: str, service: Service
) -> None:
    # A picture that was made, and paid for, and is no picture. A model that no other test's run could meet it with.
    await service.sandbox.put_faults({"kind": "empty", "model": "flux-2-max"})
    body = drawn("paid in part for nothing", metadata={"tags": ["partly"]})
    body["input"]["chain_models"]["text_to_image_model"] = ["bfl/flux-2-max", "bytedance/seedream-4.5"]
    run = await service.succeeded((await service.create("chain1", body))["id"])
    await service.sandbox.put_faults()
    spent = run["cost"]
    total = f"${float(spent['useful']['low']) + float(spent['wasted']['low']):.3f}"
    wasted = f"${float(spent['wasted']['low']):.3f}"
    assert total != wasted != "$0.000", spent
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter("/runs?tag=partly")
        cost = page.locator(f"[data-run='{run['id']}'] .cost span")
        await expect(cost).to_have_text([total, f"{wasted} of it wasted"])
        await visitor.open(f"/runs/{run['id']}")
        await expect(page.locator(".facts")).to_contain_text(f"actual {total}, {wasted} of it wasted")
        await visitor.open(f"/compare?a={run['id']}&b={run['id']}")
        await expect(page.get_by_role("row", name=re.compile("^cost"))).to_contain_text(total)
        await expect(page.get_by_role("row", name=re.compile("^wasted"))).to_contain_text(wasted)


async def test_what_was_all_for_nothing_is_no_run_that_cost_nothing(
    browser: Browser, url: str, service: Service
) -> None:
    await service.sandbox.put_faults({"kind": "reset", "model": "seedream-5-0-lite-260128", "operation": "submit"})
    body = drawn("perhaps paid for nothing", metadata={"tags": ["perhaps"]})
    body["input"]["chain_models"]["text_to_image_model"] = "bytedance/seedream-5-lite"
    run = await service.ended((await service.create("chain1", body))["id"])
    async with visiting(browser, url) as visitor:
        await visitor.enter("/runs?tag=perhaps")
        cost = visitor.page.locator(f"[data-run='{run['id']}'] .cost span")
        await expect(cost).to_have_text(["$0 – $0.035", "all of it wasted"])


async def test_what_a_retry_took_over_is_said_with_what_that_saved(
    browser: Browser, url: str, service: Service
) -> None:
    first = await service.succeeded((await service.create("chain1", drawn("made once")))["id"])
    answer = await service.api.post(f"/api/v1/chains/runs/{first['id']}/retry", json={"from_step": "image_to_video"})
    run = await service.succeeded(answer.json()["id"])
    saved = f"${float(run['saved']['low']):.3f}"
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter(f"/runs/{run['id']}")
        await expect(page.locator(".facts")).to_contain_text(f"saved {saved}")
        await expect(page.locator("#step-text_to_image")).to_contain_text(
            f"Taken over from the earlier run; that saved {saved}"
        )
        await expect(page.locator("[data-step=text_to_image]")).to_contain_text("taken over")


async def test_a_price_that_is_no_upper_bound_is_said_to_be_open(browser: Browser, url: str, service: Service) -> None:
    """How large the references are, nobody knows before the run: the more pixels, the dearer."""
    names = [await _uploaded(service, number) for number in range(2)]
    body = restyled("two references", source_image_url=names[0], image_to_image_params={"input_image_2": names[1]})
    run = await service.succeeded((await service.create("chain2", body))["id"])
    assert run["estimate"]["high"] is None
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter(f"/?from={run['id']}")
        open_ended = re.compile(r"^\$[\d.]+ or more$")
        await expect(page.locator("[data-total]")).to_have_text(open_ended)
        await expect(page.locator("button.run")).to_have_text(re.compile(r"^Run for \$[\d.]+ or more$"))
        await visitor.open(f"/runs/{run['id']}")
        await expect(page.locator(".facts")).to_contain_text(re.compile(r"estimated \$[\d.]+ or more"))


async def test_a_cost_limit_goes_along_to_the_next_run_and_its_curl(
    browser: Browser, url: str, service: Service
) -> None:
    run = await service.create("chain1", drawn("limited", max_cost="4.5"))
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter(f"/runs/{run['id']}")
        await expect(page.locator(".facts")).to_contain_text("limit $4.50")
        await visitor.click("button", "Copy as curl")
        await expect(page.locator("#notices")).to_contain_text("curl copied.")
        assert '"max_cost": "4.5"' in await visitor.copied()
        await visitor.click("link", "Run again with edits")
        await expect(page.get_by_label("Most it may cost")).to_have_value("4.5")
        await expect(page.locator("#request")).to_contain_text('"max_cost": "4.5"')


async def test_a_callback_that_is_left_out_is_said_and_nothing_where_there_was_none(
    browser: Browser, url: str, service: Service
) -> None:
    told = await service.succeeded((await service.create("chain1", drawn("tells", webhook_url=service.hook)))["id"])
    quiet = await service.succeeded((await service.create("chain1", drawn("tells nobody")))["id"])
    await service.callbacks(told["id"])
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter()
        for run, log, said in (
            (told, "Send again", "Without its callback address."),
            (quiet, "None was sent.", ""),
        ):
            await visitor.open(f"/runs/{run['id']}")
            await expect(page.get_by_label("Callbacks")).to_contain_text(log)
            await visitor.click("button", "Copy as curl")
            await expect(page.locator("#notices")).to_have_text(f"curl copied. {said}".strip())
            await visitor.open(f"/?from={run['id']}")
            await expect(page.get_by_text("to run again with your changes.")).to_have_text(
                f"From run {run['id']}, to run again with your changes. {said}".strip()
            )


async def _uploaded(service: Service, number: int) -> str:
    file = ("reference.jpg", jpeg(f"reference {number}", (300, 300)), "image/jpeg")
    asset: str = (await service.api.post("/api/v1/assets", files={"file": file})).json()["id"]
    return asset
