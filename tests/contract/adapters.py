"""Adapters as the worker makes them, pointed at a sandbox, and how a test waits for what they see."""

import asyncio
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, cast

import httpx

import providers
from domain.media import InputFile
from domain.provider import Accepted, Job, JobRequest, JobState, ModelCard, Pending, Provider
from providers._answers import Redactor
from tests.support import sandbox_client

SECRET = "a-secret-of-this-server"
TOKEN = "token-of-one-attempt"
NOW = datetime(2026, 11, 21, 3, 10, tzinfo=UTC)
Control = sandbox_client.Control
hide_nothing = Redactor("no-such-key-anywhere")


def shown(value: object) -> str:
    """In a test's name: a card or a module would print addresses in memory, which differ between processes."""
    if isinstance(value, ModelCard):
        return value.id
    if isinstance(value, ModuleType):
        return str(value.NAME)
    return "-".join(map(str, value.values())) if isinstance(value, dict) else str(value)


def key_of(name: str) -> str:
    """A key that the sandbox takes, with signs that look different once encoded."""
    return f"sandbox-{name}/canary+key=="


def sandbox_env(url: str) -> dict[str, str]:
    env = {"BABYSEA_WEBHOOK_SECRET": "whsec_test_secret", "BABYCHAIN_SECRET": SECRET}
    for module in providers.every_module():
        env[module.KEY_NAME] = key_of(module.NAME)
        env[module.KEY_NAME.replace("_KEY", "_BASE_URL")] = f"{url}/{module.NAME}"
    # The sandbox hands out addresses under its second name, as real providers do.
    return env | {"BABYCHAIN_TRUSTED_ORIGINS": f"{url},{url.replace('127.0.0.1', 'localhost')}"}


def adapter(module: ModuleType, url: str, http: httpx.AsyncClient, **env: str) -> Provider:
    made = module.create(sandbox_env(url) | env, http)
    assert made is not None
    return cast("Provider", made)


def request(card: ModelCard, params: dict[str, Any], *pictures: InputFile) -> JobRequest:
    return JobRequest(card.raw_id, params, pictures, TOKEN)


async def start(provider: Provider, job: JobRequest, callback_url: str | None = None) -> Job:
    answer = await provider.submit(job, "babychain:run:step:1", callback_url)
    assert isinstance(answer, Accepted)
    return answer.job


async def ended(provider: Provider, job: Job) -> JobState:
    """Looks until the job is no longer pending."""
    async with asyncio.timeout(10):
        while isinstance(state := await provider.status(job), Pending):
            await asyncio.sleep(0.005)
    return state
