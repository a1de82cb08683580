"""Fifty files that are a picture and something else too: whatever is stored of them, a browser runs nothing."""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image
from playwright.async_api import Browser

from tests.browser.visitor import visiting
from tests.support.service import Service

RAN = "document.title='ran'"
PAYLOADS = {
    "page": f"<!doctype html><html><body><script>{RAN}</script></body></html>",
    "handler": f'<html><body onload="{RAN}"><img src=x onerror="{RAN}"></body></html>',
    "svg": f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RAN}"><script>{RAN}</script></svg>',
    "xml": f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>{RAN}</script></html>',
    "script": f"*/=1;{RAN};/*",
    "refresh": f'<meta http-equiv="refresh" content="0;url=javascript:{RAN}">',
    "frame": f'<iframe srcdoc="<script>parent.{RAN}</script>"></iframe>',
    "object": f'<object data="data:text/html,<script>parent.{RAN}</script>"></object>',
    "pdf": f"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS({RAN})>>>>endobj\n%%EOF",
    "mhtml": f"MIME-Version: 1.0\nContent-Type: text/html\n\n<script>{RAN}</script>",
}


def _drawn(kind: str, seed: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (seed * 20 % 255, 90, 40)).save(out, kind)
    return out.getvalue()


def _jpeg(said: bytes, seed: int) -> bytes:
    whole = _drawn("JPEG", seed)
    return whole[:2] + b"\xff\xfe" + struct.pack(">H", len(said) + 2) + said + whole[2:]


def _png(said: bytes, seed: int) -> bytes:
    whole, chunk = _drawn("PNG", seed), b"tEXt" + b"Comment\0" + said
    return whole[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + whole[33:]


def _gif(said: bytes, seed: int) -> bytes:
    whole = _drawn("GIF", seed)
    blocks = b"".join(bytes([len(part)]) + part for part in (said[i : i + 255] for i in range(0, len(said), 255)))
    at = whole.index(b"\x2c", 13 + 3 * (2 << (whole[10] & 7)))
    return whole[:at] + b"\x21\xfe" + blocks + b"\0" + whole[at:]


def _webp(said: bytes, seed: int) -> bytes:
    padded = said + b" " * (len(said) % 2)
    whole = _drawn("WEBP", seed) + b"XTRA" + struct.pack("<I", len(padded)) + padded
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def _trailing(said: bytes, seed: int) -> bytes:
    return _drawn("BMP", seed) + said


MAKERS: tuple[Callable[[bytes, int], bytes], ...] = (_jpeg, _png, _gif, _webp, _trailing)


async def test_no_polyglot_runs_a_script_in_a_browser(browser: Browser, url: str, service: Service) -> None:
    stored = 0
    async with visiting(browser, url) as visitor:
        page = visitor.page
        for seed, (name, text) in enumerate(PAYLOADS.items()):
            for make in MAKERS:
                file = (f"{name}.html", make(text.encode(), seed), "text/html")
                answer = await service.api.post("/api/v1/assets", files={"file": file})
                if answer.status_code == 400:
                    continue
                stored += 1
                address = answer.json()["url"]
                opened = await page.goto(address)
                assert opened is not None
                assert opened.headers["content-type"].startswith("image/"), name
                assert opened.headers["x-content-type-options"] == "nosniff"
                assert await page.title() != "ran", (name, make.__name__)
                await page.goto(f"{url}/assets/none")
                await page.evaluate(
                    "(address) => { const made = document.createElement('iframe'); made.src = address; "
                    "document.body.append(made); return new Promise((done) => { made.onload = done; }); }",
                    address,
                )
                assert await page.title() != "ran", (name, make.__name__)
        assert stored >= 20, "most of these files are true pictures: they should have been taken"
        await page.goto("about:blank")
        visitor.errors.clear()
