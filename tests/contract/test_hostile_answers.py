"""Answers made to hurt, at every adapter: a paid start in doubt stays in doubt, and a read loses no job."""

from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest

import providers
from domain.errors import Refused, StartUnknown
from domain.media import InputFile
from domain.provider import Accepted, JobRequest, JobState, Provider, Succeeded, Unsure
from net.client import provider_client
from net.origins import TrustedOrigins
from tests.contract.adapters import Control, adapter, ended, key_of, request
from tests.contract.test_every_provider import least

PRIVATE = "http://169.254.169.254/latest/meta-data"
HOSTILE: tuple[dict[str, Any], ...] = (
    {"kind": "huge"},
    {"kind": "redirect", "location": PRIVATE},
    {"kind": "html", "status": 200},
    {"kind": "garbage"},
    {"kind": "wrong_type"},
)

each_module = pytest.mark.parametrize("module", providers.every_module(), ids=lambda module: module.NAME)
each_fault = pytest.mark.parametrize("fault", HOSTILE, ids=lambda fault: fault["kind"])


def order(module: ModuleType) -> JobRequest:
    card = next(card for card in module.MODELS.values() if card.submit_timeout < 600)
    return request(card, least(card), *[InputFile(url="https://example.com/a.png")] * card.inputs.minimum)


def made(module: ModuleType, url: str, http: httpx.AsyncClient) -> Provider:
    env = providers.sandbox_environment(url) | {module.KEY_NAME: key_of(module.NAME)}
    return adapter(module, url, http, **env)


def guarded(url: str) -> httpx.AsyncClient:
    """The client that a worker gives its adapters."""
    return provider_client(TrustedOrigins.parse(f"{url},{url.replace('127.0.0.1', 'localhost')}"))


@each_fault
@each_module
async def test_a_hostile_answer_to_a_paid_start_leaves_it_in_doubt(
    sandbox: Control, module: ModuleType, fault: dict[str, Any]
) -> None:
    async with guarded(sandbox.url) as http:
        await sandbox.put_faults(fault | {"when": "after", "operation": "submit"})
        with pytest.raises(StartUnknown):
            await made(module, sandbox.url, http).submit(order(module), f"babychain:{uuid4()}:step:1", None)
    assert await sandbox.paid_starts() == 1


@each_fault
@each_module
async def test_a_hostile_answer_to_a_read_loses_no_job(
    sandbox: Control, module: ModuleType, fault: dict[str, Any]
) -> None:
    async with guarded(sandbox.url) as http:
        provider = made(module, sandbox.url, http)
        accepted = await provider.submit(order(module), f"babychain:{uuid4()}:step:1", None)
        assert isinstance(accepted, Accepted)
        job = accepted.job
        await sandbox.put_faults(fault | {"operation": "status"})
        try:
            state: JobState | None = await provider.status(job)
        except Refused:
            state = None
        assert state is None or isinstance(state, Unsure)
        assert isinstance(await ended(provider, job), Succeeded)
