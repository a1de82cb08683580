"""A browser and a service for all tests of the console."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright, expect
from temporalio.client import Client

from sandbox.config import Config
from tests.browser.visitor import KEY
from tests.support.service import Service, running_service

LIVELY = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=0.3, video_seconds=0.5)
"""Real pictures and videos, and time enough to be seen at work."""

PATIENCE = 30_000
"""Milliseconds until what was expected is given up: a machine a good deal slower than ours shall pass too."""

MISSING = "the tests in a browser need Chromium: apt-get install chromium"


def found_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The system's own: nothing is downloaded."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found_chromium(), args=[*arguments, "--disable-gpu"])
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if found_chromium() is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    expect.set_options(timeout=PATIENCE)
    async with chromium() as running:
        yield running


@pytest.fixture(scope="session")
async def service(temporal: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with running_service(temporal, tmp_path_factory.mktemp("console"), config=LIVELY, key=KEY) as running:
        yield running


@pytest.fixture(scope="session")
def url(service: Service) -> str:
    return str(service.api.base_url).rstrip("/")
