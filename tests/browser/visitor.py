"""Somebody at the console: a window of a size and a theme, and whatever went wrong in it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page, expect

Json = dict[str, Any]

KEY = "console_bchn_test_0123456789"
"""Of the service that most of these tests share."""

WHOLE_RUN = 90_000
"""Milliseconds that a run with true media may take on a slow machine."""


@dataclass(frozen=True)
class Look:
    name: str
    width: int
    height: int
    theme: Any


DESKTOP = Look("desktop-light", 1360, 900, "light")
PHONE = Look("phone-dark", 360, 740, "dark")
LOOKS = (DESKTOP, Look("desktop-dark", 1360, 900, "dark"), Look("phone-light", 360, 740, "light"), PHONE)

_REFUSED = "Failed to load resource: the server responded with a status of"
_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Visitor:
    page: Page
    url: str
    actions: int = 0
    """How often this visitor clicked, typed or pressed."""
    errors: list[str] = field(default_factory=list)

    async def open(self, place: str = "/") -> None:
        await self.page.goto(f"{self.url}/#{place}")

    async def sign_in(self, key: str = KEY) -> None:
        """Opening the page has put the cursor into the field."""
        await self.page.get_by_label("Caller key").fill(key)
        await self.page.keyboard.press("Enter")
        self.actions += 1

    async def enter(self, place: str = "/", key: str = KEY) -> None:
        await self.open(place)
        await self.sign_in(key)
        await expect(self.page.get_by_role("navigation", name="Pages")).to_be_visible()

    async def click(self, role: Any, name: Any, **more: Any) -> None:
        await self.page.get_by_role(role, name=name, **more).first.click()
        self.actions += 1

    async def state(self, status: str) -> None:
        await expect(self.page.locator(f"h1 .is-{status}")).to_be_visible(timeout=WHOLE_RUN)

    def run_id(self) -> str:
        return self.page.url.rsplit("/", 1)[1]

    async def copied(self) -> str:
        text: str = await self.page.evaluate("navigator.clipboard.readText()")
        return text

    async def is_wider_than_the_window(self) -> bool:
        over: bool = await self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return over

    async def shows(self, text: str) -> None:
        """These words can be read without scrolling."""
        await expect(self.page.get_by_text(text).first).to_be_in_viewport(ratio=1)

    def note(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.errors.append(f"{said.text} [{said.location['url']}]")

    async def barriers(self) -> list[str]:
        """What axe finds serious or critical."""
        found = await self.page.evaluate(_axe() + "; axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {json.dumps([node['target'] for node in one['nodes']])}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


@asynccontextmanager
async def visiting(
    browser: Browser, url: str, look: Look = DESKTOP, *, may_be_refused: bool = False
) -> AsyncIterator[Visitor]:
    """At the end nothing may have gone wrong; `may_be_refused` leaves out what the API was meant to refuse."""
    context = await browser.new_context(
        viewport={"width": look.width, "height": look.height}, color_scheme=look.theme, reduced_motion="reduce"
    )
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    visitor = Visitor(page, url)
    await page.add_init_script(_WATCH)
    page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    page.on("dialog", lambda dialog: visitor.errors.append(f"dialog: {dialog.message}"))
    page.on("console", visitor.note)
    try:
        yield visitor
        violations = await page.evaluate("window.violations")
        wrong = [one for one in visitor.errors if not (may_be_refused and one.startswith(_REFUSED))]
        assert not wrong + violations, wrong + violations
    finally:
        await context.close()
