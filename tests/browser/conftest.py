"""A browser and a service for all tests of the console."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright
from temporalio.client import Client

from sandbox.config import Config
from tests.support.service import Service, running_service

LIVELY = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=0.3, video_seconds=0.5)
"""Real pictures and videos, and time enough to be seen at work."""


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's own Chromium: nothing is downloaded."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("needs Chromium: apt-get install chromium")
        pytest.skip("needs Chromium: apt-get install chromium")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*arguments, "--disable-gpu"])
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def service(temporal: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with running_service(temporal, tmp_path_factory.mktemp("console"), config=LIVELY) as running:
        yield running


@pytest.fixture(scope="session")
def url(service: Service) -> str:
    return str(service.api.base_url).rstrip("/")
