"""The answer to a paid start, at every adapter: it was refused, or it is in doubt and nothing is paid twice."""

from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.errors import BadCredentials, InputRejected, Refused, StartUnknown
from domain.provider import Accepted, ModelCard
from tests.contract.adapters import Control, adapter, key_of, shown
from tests.contract.cards import MODULES, each_module, first_job, is_read_later, order
from tests.support.serving import free_port

PRIVATE = "http://169.254.169.254/latest/meta-data"
LOST: tuple[dict[str, Any], ...] = (
    {"kind": "reset"},
    *({"kind": "status", "status": status} for status in (408, 409, 425, 500, 502, 503, 504)),
    {"kind": "truncated"},
    {"kind": "truncated", "declared": "whole"},
    {"kind": "garbage"},
    {"kind": "huge"},
    {"kind": "html", "status": 200},
    {"kind": "html", "status": 502},
    {"kind": "wrong_type"},
    {"kind": "error_in_200"},
    {"kind": "no_job_id"},
    {"kind": "redirect", "location": "https://example.com/"},
    {"kind": "redirect", "location": PRIVATE},
)


def new_key() -> str:
    """Some providers remember keys, so each start has its own."""
    return f"babychain:{uuid4()}:step:1"


STARTS = [
    (module, card)
    for module in MODULES
    for card in {is_read_later(card): card for card in reversed(module.MODELS.values())}.values()
]
"""The first model of each way in which a provider starts: a job, or the picture with the answer itself."""
CERTAIN = {("bach", "error_in_200"), ("babysea", "status-502")}
"""Here the page says for certain what became of the start: the provider's own file tests it."""


def leaves_in_doubt(module: ModuleType, card: ModelCard, fault: dict[str, Any]) -> bool:
    """A picture that comes with the answer itself has no id to be left out."""
    return (module.NAME, shown(fault)) not in CERTAIN and (is_read_later(card) or fault["kind"] != "no_job_id")


@pytest.mark.parametrize(
    ("module", "card", "fault"),
    [(*start, fault) for start in STARTS for fault in LOST if leaves_in_doubt(*start, fault)],
    ids=shown,
)
async def test_a_lost_answer_leaves_the_start_in_doubt_and_it_is_paid_once(
    sandbox: Control, worker_http: httpx.AsyncClient, module: ModuleType, card: ModelCard, fault: dict[str, Any]
) -> None:
    provider, key = adapter(module, sandbox.url, worker_http), new_key()
    await sandbox.put_faults(fault | {"operation": "submit", "when": "after"})
    with pytest.raises(StartUnknown):
        await provider.submit(order(card), key, None)
    if card.honours_key:
        assert isinstance(await provider.submit(order(card), key, None), Accepted)
    assert await sandbox.paid_starts() == 1


@each_module
async def test_no_room_is_refused_with_the_time_to_wait(
    sandbox: Control, worker_http: httpx.AsyncClient, module: ModuleType
) -> None:
    provider, job, key = adapter(module, sandbox.url, worker_http), order(first_job(module)), new_key()
    await sandbox.put_faults({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}})
    with pytest.raises(Refused) as raised:
        await provider.submit(job, key, None)
    assert (raised.value.reason, raised.value.retry_after) == ("provider_rate_limited", 7)
    assert await sandbox.paid_starts() == 0
    assert isinstance(await provider.submit(job, key, None), Accepted)


@each_module
async def test_an_address_where_nobody_listens_is_refused(worker_http: httpx.AsyncClient, module: ModuleType) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(Refused) as raised:
            await adapter(module, nowhere, http).submit(order(first_job(module)), new_key(), None)
    assert raised.value.reason == "provider_network_error"


@each_module
async def test_a_wrong_key_starts_nothing(sandbox: Control, worker_http: httpx.AsyncClient, module: ModuleType) -> None:
    stranger = adapter(module, sandbox.url, worker_http, **{module.KEY_NAME: "wrong-key-123"})
    with pytest.raises(BadCredentials):
        await stranger.submit(order(first_job(module)), new_key(), None)
    assert await sandbox.paid_starts() == 0


@each_module
async def test_a_key_that_the_provider_echoes_is_in_no_error(
    sandbox: Control, worker_http: httpx.AsyncClient, module: ModuleType
) -> None:
    await sandbox.put_faults({"kind": "echo_key"})
    with pytest.raises(InputRejected) as raised:
        await adapter(module, sandbox.url, worker_http).submit(order(first_job(module)), new_key(), None)
    assert "[redacted]" in raised.value.message
    assert key_of(module.NAME) not in raised.value.message
    assert await sandbox.paid_starts() == 0
