"""BytePlus: making pictures and videos over HTTP."""

import httpx
import pytest

from domain.errors import BadCredentials, CreditExhausted, InputRejected, ModelUnavailable, Moderated
from domain.media import InputFile, MediaKind
from domain.provider import Accepted, Finished, Provider, Succeeded
from providers import byteplus
from providers.byteplus import MODELS
from tests.contract.adapters import TOKEN, Control, adapter, ended, request, shown, start
from tests.contract.byteplus_orders import (
    ADDRESS,
    CONTENT,
    DANCE,
    DREAM,
    PROMPT,
    SECOND,
    SOUND,
    TEXT,
    VIDEO,
    picture_item,
)
from tests.support.pictures import jpeg

PICTURE = InputFile(data=jpeg("a", (512, 512)), media_type="image/jpeg")


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return adapter(byteplus, sandbox.url, http)


async def test_the_simulator_takes_what_the_adapter_sends_with_references(provider: Provider, sandbox: Control) -> None:
    for items in ([TEXT, VIDEO, SOUND], [TEXT, SOUND], [SOUND, picture_item("reference_image")]):
        await start(provider, request(SECOND, {"content": items}, ADDRESS))
    assert await sandbox.paid_starts() == 3


async def test_pictures_are_finished_by_the_submit_itself(provider: Provider, sandbox: Control) -> None:
    for card in (DREAM, MODELS["bytedance/seedream-4"], MODELS["bytedance/seedream-5-lite"]):
        finished = await provider.submit(request(card, PROMPT, PICTURE), "key", None)
        assert isinstance(finished, Finished)
        assert len(finished.outputs) == 1
        assert finished.cost == card.price({}, 0).low
        assert finished.facts["request_id"].startswith("021")
    assert await sandbox.paid_starts() == 3


async def test_of_several_pictures_the_good_ones_are_kept(provider: Provider, sandbox: Control) -> None:
    params = PROMPT | {
        "sequential_image_generation": "auto",
        "sequential_image_generation_options": {"max_images": 3},
    }
    await sandbox.put_faults({"kind": "moderated", "item": 1})
    finished = await provider.submit(request(DREAM, params), "key", None)
    assert isinstance(finished, Finished)
    assert len(finished.outputs) == 2
    assert finished.cost == 80_000


@pytest.mark.parametrize("stage", ["input", "output"])
async def test_a_moderated_picture_is_moderated(provider: Provider, sandbox: Control, stage: str) -> None:
    await sandbox.put_faults({"kind": "moderated", "stage": stage})
    with pytest.raises(Moderated, match="sensitive"):
        await provider.submit(request(DREAM, PROMPT), "key", None)


async def test_a_video_is_made(provider: Provider, sandbox: Control) -> None:
    params = CONTENT | {"ratio": "16:9", "return_last_frame": True}
    job = await start(provider, request(DANCE, params, PICTURE))
    done = await ended(provider, job)
    assert isinstance(done, Succeeded)
    assert done.cost == 261_360
    assert len(done.outputs) == 1
    assert set(done.metadata) == {"last_frame_url", "output_expires_at"}
    (row,) = await sandbox.submits()
    assert row["body"]["safety_identifier"] == TOKEN
    assert row["headers"]["x-client-request-id"] == "babychain:run:step:1"
    assert [item.get("role") for item in row["body"]["content"]] == [None, "first_frame"]


@pytest.mark.parametrize("model", [name for name, card in MODELS.items() if card.kind is MediaKind.VIDEO])
async def test_every_video_model_starts_from_a_picture(provider: Provider, model: str) -> None:
    job = await start(provider, request(MODELS[model], CONTENT, PICTURE))
    assert isinstance(await ended(provider, job), Succeeded)


async def test_a_spending_stop_is_not_waited_for(provider: Provider, sandbox: Control) -> None:
    body = {"error": {"code": "SetLimitExceeded", "message": "The limit that you set is reached."}}
    await sandbox.put_faults({"kind": "status", "status": 429, "body": body})
    with pytest.raises(CreditExhausted, match="limit that you set"):
        await provider.submit(request(DANCE, CONTENT), "key", None)


async def test_what_byteplus_itself_refuses(sandbox: Control, http: httpx.AsyncClient, provider: Provider) -> None:
    with pytest.raises(InputRejected, match="size") as raised:
        await provider.submit(request(DREAM, PROMPT | {"size": "1024x1024"}), "key", None)
    assert raised.value.facts["request_id"].startswith("021")
    await sandbox.put_faults({"kind": "no_credit"})
    with pytest.raises(CreditExhausted, match="overdue"):
        await provider.submit(request(DANCE, CONTENT), "key", None)
    stranger = adapter(byteplus, sandbox.url, http, ARK_API_KEY="wrong-key-123")
    with pytest.raises(BadCredentials):
        await stranger.submit(request(DANCE, CONTENT), "key", None)
    other = adapter(byteplus, sandbox.url, http, BYTEPLUS_ENDPOINT_BYTEDANCE_SEEDANCE_15_PRO="ep-20261121-none")
    with pytest.raises(ModelUnavailable, match="ep-20261121-none"):
        await other.submit(request(DANCE, CONTENT), "key", None)
    assert await sandbox.paid_starts() == 0


@pytest.mark.parametrize(
    ("base", "asked"),
    [
        ({}, "https://ark.ap-southeast.bytepluses.com/api/v3"),
        ({"ARK_API_BASE_URL": "https://ark.eu-west.bytepluses.com"}, "https://ark.eu-west.bytepluses.com/api/v3"),
        ({"ARK_API_BASE_URL": "https://ark.cn-beijing.volces.com/api/v3/"}, "https://ark.cn-beijing.volces.com/api/v3"),
    ],
    ids=shown,
)
async def test_the_base_url_is_taken_with_and_without_its_path(base: dict[str, str], asked: str) -> None:
    urls: list[str] = []

    async def answer(call: httpx.Request) -> httpx.Response:
        urls.append(str(call.url))
        return httpx.Response(200, json={"id": "cgt-1"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        provider = byteplus.create({"ARK_API_KEY": "key-123456"} | base, http)
        assert provider is not None
        assert isinstance(await provider.submit(request(DANCE, CONTENT), "key", None), Accepted)
    assert urls == [f"{asked}/contents/generations/tasks"]
