"""A status word that no sheet knows, at every adapter: it is shown, and read again for a bounded time."""

from types import ModuleType

import httpx
import pytest

import providers
from domain.errors import UnexpectedResponse
from domain.media import InputFile
from domain.provider import ModelCard, Unsure
from tests.contract.adapters import Control, adapter, key_of, request, start
from tests.contract.test_every_provider import least


def with_a_job(module: ModuleType) -> ModelCard:
    """The first model whose job is read later: a picture that comes with the answer itself has no status."""
    cards: list[ModelCard] = [card for card in module.MODELS.values() if card.submit_timeout < 600]
    return cards[0]


@pytest.mark.parametrize("module", providers.every_module(), ids=lambda module: module.NAME)
async def test_a_word_that_no_sheet_knows_is_read_for_two_minutes_and_ten_times_and_then_shown(
    sandbox: Control, http: httpx.AsyncClient, module: ModuleType
) -> None:
    env = providers.sandbox_environment(sandbox.url) | {module.KEY_NAME: key_of(module.NAME)}
    provider, card = adapter(module, sandbox.url, http, **env), with_a_job(module)
    pictures = [InputFile(url="https://example.com/a.png")] * card.inputs.minimum
    job = await start(provider, request(card, least(card), *pictures))
    await sandbox.put_faults({"kind": "unknown_status", "operation": "status"})
    unsure = await provider.status(job)
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (120, 10)
    assert type(unsure.error) is UnexpectedResponse
    assert repr(unsure.word) in unsure.error.message
