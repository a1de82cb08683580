"""The chain's picture first, then those that the caller adds: planned, handed on, and as the provider got them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import providers
from activities.inputs import InputFiles
from domain.media import InputRef, MediaKind
from domain.provider import JobRequest
from storage.assets import Assets
from storage.links import AssetLinks
from tests.contract.adapters import SECRET, TOKEN, Control
from tests.support.pictures import jpeg
from tests.unit.domain.test_handing_on import DANCE_2, FLUX, danced, edited, picture, relayed
from tests.unit.domain.test_planning import plan
from tests.unit.storage.samples import in_chunks

Json = dict[str, Any]

OURS = "https://ours.example/assets/"


def numbered(body: Json) -> list[Any]:
    assert "input_image_4" not in body
    return [body["input_image"], body["input_image_2"], body["input_image_3"]]


def references(content: list[Json]) -> list[Any]:
    pictures = [item for item in content if item["type"] == "image_url"]
    assert {item["role"] for item in pictures} == {"reference_image"}
    return [item["image_url"]["url"] for item in pictures]


@pytest.mark.parametrize(
    ("slug", "asked", "read"),
    [
        ("chain3", edited(FLUX, input_image_2=picture(2), input_image_3=picture(3)), numbered),
        ("chain1", danced(DANCE_2, "reference_image", "reference_image"), lambda body: references(body["content"])),
        (
            "chain1",
            relayed("reference_image", "reference_image", prompt="@image1 meets @image3"),
            lambda body: references(body["metadata"]["content"]),
        ),
    ],
    ids=["bfl", "byteplus", "relaydance"],
)
async def test_the_callers_pictures_are_numbered_after_the_chains(
    sandbox: Control, http: httpx.AsyncClient, tmp_path: Path, slug: str, asked: Json, read: Any
) -> None:
    step = plan(slug, asked).steps[1]
    candidate = step.candidates[0]
    assets = Assets.open(tmp_path.as_uri())
    facts = await assets.add(in_chunks(jpeg("chain", (512, 512))), limit=1 << 20, kinds=frozenset({MediaKind.IMAGE}))
    inputs = InputFiles(http, assets, AssetLinks(b"a secret of some length", "https://ours.example"), True)
    env = {"BABYCHAIN_SECRET": SECRET, "BABYCHAIN_TRUSTED_ORIGINS": sandbox.url}
    provider = providers.load(env | providers.sandbox_environment(sandbox.url), http).providers[candidate.provider]
    handed = await inputs.hand_on(
        candidate.model,
        (InputRef(asset=facts.id), *step.inputs)[: candidate.pictures],
        provider.accepts,
        datetime.now(UTC),
    )
    await provider.submit(JobRequest(candidate.raw_id, candidate.params, handed.files, TOKEN), "key", None)
    [start] = await sandbox.submits()
    assert start["job_id"] is not None
    first, *others = read(start["body"])
    assert first.startswith(OURS + facts.id)
    assert others == [picture(2), picture(3)]
