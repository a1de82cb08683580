"""Adapters as the worker makes them, pointed at a sandbox, and how a test waits for what they see."""

import asyncio
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import httpx

from domain.media import InputFile
from domain.provider import Accepted, Job, JobRequest, JobState, ModelCard, Pending, Provider

SECRET = "a-secret-of-this-server"
TOKEN = "token-of-one-attempt"


def key_of(name: str) -> str:
    """A key that the sandbox takes, with signs that look different once encoded."""
    return f"sandbox-{name}/canary+key=="


def sandbox_env(url: str) -> dict[str, str]:
    # The sandbox hands out addresses under its second name, as real providers do.
    return {
        "BFL_API_KEY": key_of("bfl"),
        "BFL_API_BASE_URL": f"{url}/bfl",
        "ARK_API_KEY": key_of("ark"),
        "ARK_API_BASE_URL": f"{url}/byteplus",
        "BABYSEA_API_KEY": key_of("babysea"),
        "BABYSEA_API_BASE_URL": f"{url}/babysea",
        "BABYSEA_WEBHOOK_SECRET": "whsec_test_secret",
        "BABYCHAIN_SECRET": SECRET,
        "BABYCHAIN_TRUSTED_ORIGINS": f"{url},{url.replace('127.0.0.1', 'localhost')}",
    }


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


@dataclass(frozen=True)
class Control:
    """The sandbox's own routes: what it is told to do wrong, and what it was asked to do."""

    url: str
    http: httpx.AsyncClient

    async def put_faults(self, *rules: dict[str, Any]) -> None:
        answer = await self.http.put(f"{self.url}/_sandbox/faults", json=list(rules))
        assert answer.status_code == 200, answer.text

    async def submits(self) -> list[dict[str, Any]]:
        rows = (await self.http.get(f"{self.url}/_sandbox/jobs")).json()
        return [row for row in rows if row["operation"] == "submit"]

    async def paid_starts(self) -> int:
        return sum(row["job_id"] is not None for row in await self.submits())
