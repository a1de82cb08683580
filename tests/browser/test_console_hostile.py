"""What callers and providers send is text and pictures here, and never anything that runs."""

from playwright.async_api import Browser, expect

from tests.browser.visitor import visiting
from tests.support.bodies import drawn
from tests.support.pictures import jpeg
from tests.support.service import Service

MARKUP = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>{{7*7}}<svg/onload=window.ran=1>'


async def test_a_prompt_of_markup_renders_as_text_on_every_page(browser: Browser, url: str, service: Service) -> None:
    body = drawn(MARKUP, metadata={"tags": [MARKUP], "order": MARKUP})
    run = await service.succeeded((await service.create("chain1", body))["id"])
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter(f"/runs/{run['id']}")
        await expect(page.locator("#step-text_to_image .prompt")).to_have_text(MARKUP)
        await expect(page.locator("a.tag")).to_have_text(MARKUP)
        await page.get_by_text("The run as JSON").click()
        await visitor.click("link", "Run again with edits")
        await expect(page.get_by_label("Prompt", exact=True).first).to_have_value(MARKUP)
        await expect(page.locator("#request")).to_contain_text("onerror")
        await visitor.open(f"/compare?a={run['id']}&b={run['id']}")
        await expect(page.get_by_text("No differences")).to_be_visible()
        await visitor.open("/runs?q=onerror")
        await expect(page.locator("li.run").first).to_be_visible()
        await visitor.open("/runs/%3Cimg%20src=x%20onerror=%22window.ran=1%22%3E")
        await expect(page.get_by_role("alert")).to_be_visible()
        assert await page.evaluate("window.ran") is None
        assert await page.locator("main img[src=x], main script").count() == 0
        visitor.errors = [one for one in visitor.errors if "status of 400" not in one]


async def test_the_policy_refuses_script_that_was_put_into_the_page(browser: Browser, url: str) -> None:
    async with visiting(browser, url) as visitor:
        page = visitor.page
        await visitor.enter()
        refused = await page.evaluate(
            """() => {
                try { document.body.innerHTML = "<b>x</b>"; return "taken"; } catch (error) { return error.name; }
            }"""
        )
        assert refused == "TypeError"
        assert any("trusted-types" in one for one in await page.evaluate("window.violations"))
        await page.evaluate("window.violations.length = 0")
        visitor.errors.clear()


async def test_a_picture_that_is_also_a_page_runs_nothing(browser: Browser, url: str, service: Service) -> None:
    page = b"<html><body><script>document.title='ran'</script></body></html>"
    whole = jpeg("polyglot")
    # A comment of the picture's, which any decoder skips.
    polyglot = whole[:2] + b"\xff\xfe" + (len(page) + 2).to_bytes(2, "big") + page + whole[2:]
    answer = await service.api.post("/api/v1/assets", files={"file": ("x.html", polyglot, "text/html")})
    assert answer.status_code == 201, answer.text
    async with visiting(browser, url) as visitor:
        opened = await visitor.page.goto(answer.json()["url"])
        assert opened is not None
        assert opened.headers["content-type"] == "image/jpeg"
        assert "sandbox" in opened.headers["content-security-policy"]
        assert await visitor.page.title() != "ran"
        assert await visitor.page.locator("script").count() == 0
        # The browser's own page around a picture has a style of its own, which the picture's policy refuses too.
        await visitor.page.goto("about:blank")
        visitor.errors.clear()
