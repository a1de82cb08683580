"""Amounts and times in words, as every page of the console says them."""

import pytest
from playwright.async_api import Browser

from tests.browser.visitor import visiting

_SAID = """async ([name, value]) => {
    const words = await import(document.querySelector("script[src]").src.replace("app.js", "words.js"));
    return words[name](value);
}"""


def _cost(low: str | None, high: str | None) -> dict[str, str | None]:
    return {"low": low, "high": high}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("seconds", 9.97, "10 s"),
        ("seconds", 59.6, "1 min 0 s"),
        ("seconds", 599.7, "10 min 0 s"),
        ("seconds", 3599.8, "1 h 0 min"),
        ("money", _cost("0.04", None), "$0.040 or more"),
        ("money", _cost(None, "0.04"), "up to $0.040"),
        ("money", _cost(None, None), "price unknown"),
        ("money", _cost("0.04", "0.04"), "$0.040"),
        ("money", _cost("0", "2"), "$0 – $2.00"),
    ],
)
async def test_a_figure_is_said_so(browser: Browser, url: str, name: str, value: object, text: str) -> None:
    async with visiting(browser, url) as visitor:
        await visitor.open()
        assert await visitor.page.evaluate(_SAID, [name, value]) == text
