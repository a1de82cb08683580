"""How a picture reaches RelayDance: by its address or uploaded first; an upload that fails starts nothing."""

from typing import Any

import httpx
import pytest

from domain.errors import BadCredentials, InputRejected, Refused, StepError
from domain.media import InputForm
from domain.provider import Provider
from net.paid import fenced
from providers import relaydance
from providers.relaydance.references import reference
from tests.contract.adapters import Control, adapter, request, shown, start
from tests.contract.relaydance_orders import ADDRESS, FIRST, KITE, LAST, PICTURE, PROMPT, SILENT, having


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return adapter(relaydance, sandbox.url, http)


async def test_bytes_are_uploaded_first_and_their_address_is_sent(provider: Provider, sandbox: Control) -> None:
    assert provider.accepts == (InputForm.URL, InputForm.UPLOAD)
    await start(provider, request(SILENT, PROMPT, PICTURE))
    (upload,) = await sandbox.jobs("upload")
    assert upload["body"] == {
        "file": {"filename": "picture.jpeg", "content_type": "image/jpeg", "bytes": len(PICTURE.data or b"")}
    }
    (row,) = await sandbox.submits()
    (sent,) = row["body"]["metadata"]["content"]
    assert (await sandbox.http.get(sent["image_url"]["url"])).content == PICTURE.data
    assert sent["role"] == "reference_image"
    assert await sandbox.paid_starts() == 1


async def test_a_public_address_is_used_without_an_upload(provider: Provider, sandbox: Control) -> None:
    await start(provider, request(SILENT, PROMPT | {"seconds": "5"}, ADDRESS))
    assert await sandbox.jobs("upload") == []
    (row,) = await sandbox.submits()
    assert row["body"] == {
        "model": SILENT.raw_id,
        "prompt": "@image1 the kite lifts off",
        "seconds": "5",
        "metadata": {"content": [reference(KITE)]},
    }


async def test_a_first_frame_of_bytes_is_uploaded_into_its_place(provider: Provider, sandbox: Control) -> None:
    await start(provider, request(SILENT, having(LAST, FIRST), PICTURE))
    (row,) = await sandbox.submits()
    last, first = row["body"]["metadata"]["content"]
    assert (last, first["role"], row["body"]["prompt"]) == (LAST, "first_frame", PROMPT["prompt"])
    assert (await sandbox.http.get(first["image_url"]["url"])).content == PICTURE.data


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 500}, "provider_unavailable"),
        ({"kind": "status", "status": 503}, "provider_unavailable"),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}}, "provider_rate_limited"),
        ({"kind": "reset"}, "provider_network_error"),
        ({"kind": "truncated", "declared": "whole", "when": "after"}, "provider_network_error"),
        ({"kind": "garbage"}, "provider_unexpected_response"),
        ({"kind": "html"}, "provider_unexpected_response"),
        ({"kind": "error_in_200"}, "provider_unexpected_response"),
        ({"kind": "wrong_type", "when": "after"}, "provider_unexpected_response"),
        ({"kind": "no_job_id", "when": "after"}, "provider_unexpected_response"),
        ({"kind": "redirect", "location": "https://example.com/"}, "provider_unavailable"),
    ],
    ids=shown,
)
async def test_a_failed_upload_starts_nothing_and_is_tried_again(
    provider: Provider, sandbox: Control, fault: dict[str, Any], code: str
) -> None:
    await sandbox.put_faults(fault | {"operation": "upload"})
    with pytest.raises(Refused) as raised:
        await provider.submit(request(SILENT, PROMPT, PICTURE), "key", None)
    assert raised.value.reason == code
    assert raised.value.retry_after == (7 if code == "provider_rate_limited" else None)
    assert await sandbox.submits() == []
    await start(provider, request(SILENT, PROMPT, PICTURE))
    assert await sandbox.paid_starts() == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 413}, InputRejected),
        ({"kind": "status", "status": 415}, InputRejected),
        ({"kind": "status", "status": 401}, BadCredentials),
        ({"kind": "echo_key"}, InputRejected),
    ],
    ids=shown,
)
async def test_an_upload_that_will_never_do_is_not_repeated(
    provider: Provider, sandbox: Control, fault: dict[str, Any], kind: type[StepError]
) -> None:
    await sandbox.put_faults(fault | {"operation": "upload"})
    with pytest.raises(kind) as raised:
        await provider.submit(request(SILENT, PROMPT, PICTURE), "key", None)
    assert type(raised.value) is kind
    assert "canary" not in raised.value.message
    assert await sandbox.submits() == []


async def test_only_the_submit_passes_the_fence(provider: Provider, sandbox: Control) -> None:
    """An attempt that has been given up may still upload; it must not pay."""

    async def given_up() -> None:
        raise Refused("given up")

    with fenced(given_up), pytest.raises(Refused, match="given up"):
        await provider.submit(request(SILENT, PROMPT, PICTURE), "key", None)
    assert len(await sandbox.jobs("upload")) == 1
    assert await sandbox.submits() == []
