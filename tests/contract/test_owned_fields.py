"""What an adapter adds to a request is on its list of fields that no caller may set."""

from types import ModuleType

import httpx

from domain.forbidden import is_prewired
from domain.media import InputFile, MediaRequest
from tests.contract.adapters import Control, adapter, request
from tests.contract.cards import each_module
from tests.support.receiver import Receiver


@each_module
async def test_every_field_of_a_request_is_a_parameter_a_picture_or_the_adapters_own(
    sandbox: Control, http: httpx.AsyncClient, receiver: Receiver, module: ModuleType
) -> None:
    provider = adapter(module, sandbox.url, http)
    for number, card in enumerate(module.MODELS.values()):
        pictures = [InputFile(url="https://example.com/a.png")] * card.inputs.minimum
        params = card.from_neutral(MediaRequest(card.kind, prompt="a paper boat", resolution="720p")).params
        await provider.submit(request(card, params, *pictures), f"key-{number}", f"{receiver.url}/hook")
        sent = (await sandbox.submits())[-1]["body"]
        known = set(card.params.model_fields) | card.owned
        assert {name for name in sent if name not in known and not is_prewired(name)} == set(), card.id
