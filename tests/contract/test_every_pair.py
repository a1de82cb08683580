"""The picture that each image model makes unasked reaches each video model, from a server and from a laptop."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from pkgutil import iter_modules
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Response

import providers
import sandbox.providers
from activities.inputs import HandedOn, InputFiles
from domain.errors import InputRejected
from domain.media import InputRef, MediaKind
from domain.provider import Accepted, Finished, JobRequest, Pending, Succeeded
from net.client import provider_client
from net.download import download
from net.origins import TrustedOrigins
from providers import Loaded
from storage.assets import Assets
from storage.links import AssetLinks
from tests.contract.adapters import SECRET, TOKEN
from tests.support.orders import catalogue, chain, order
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.serving import serving

# Where there is no simulator yet, nobody can tell.
_SIMULATED = {module.name for module in iter_modules(sandbox.providers.__path__)}
_CARDS = {name: card for name, card in catalogue().models.items() if card.provider in _SIMULATED}
IMAGES = sorted(name for name, card in _CARDS.items() if card.kind is MediaKind.IMAGE)
VIDEOS = sorted(name for name, card in _CARDS.items() if card.kind is MediaKind.VIDEO)
# Drawn for real, since sizes and bytes are what this is about; videos are not looked at here.
DRAWING = replace(QUICK, media="real")
FILMING = replace(QUICK, sees_pictures=True, limits=False)


@dataclass(frozen=True)
class Made:
    """A picture as its step leaves it: in our store, and for a while at its maker."""

    asset: str
    source: str


@dataclass(frozen=True)
class Workshop:
    loaded: Loaded
    server: InputFiles
    laptop: InputFiles
    pictures: Mapping[str, Made]


def key() -> str:
    """One a job: a provider that honours keys would give the same job twice."""
    return f"babychain:{uuid4()}:step:1"


def load(url: str, http: httpx.AsyncClient) -> Loaded:
    origins = f"{url},{url.replace('127.0.0.1', 'localhost')}"
    env = {"BABYCHAIN_SECRET": SECRET, "BABYCHAIN_TRUSTED_ORIGINS": origins}
    return providers.load(env | providers.sandbox_environment(url), http)


async def draw(model: str, loaded: Loaded, http: httpx.AsyncClient, assets: Assets) -> Made:
    candidate = order(model).steps[0].candidates[0]
    provider = loaded.providers[candidate.provider]
    started = await provider.submit(JobRequest(candidate.raw_id, candidate.params, (), TOKEN), key(), None)
    if isinstance(started, Accepted):
        async with asyncio.timeout(60):
            while isinstance(state := await provider.status(started.job), Pending):
                await asyncio.sleep(0.05)
        assert isinstance(state, Succeeded), state
        outputs = state.outputs
    else:
        assert isinstance(started, Finished)
        outputs = started.outputs
    async with download(http, outputs[0].url, max_bytes=1 << 26, timeout=30) as chunks:
        facts = await assets.add(chunks, limit=1 << 26, kinds=frozenset({MediaKind.IMAGE}))
    return Made(facts.id, outputs[0].url)


def file_server(assets: Assets) -> FastAPI:
    app = FastAPI()

    @app.get("/assets/{asset_id}")
    async def get_file(asset_id: str) -> Response:
        return Response(await assets.read(asset_id), media_type="image/any")

    return app


@pytest.fixture(scope="module")
async def workshop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    assets = Assets.open(Path(tmp_path_factory.mktemp("assets")).as_uri())
    async with (
        running_sandbox(DRAWING) as easel,
        running_sandbox(FILMING) as camera,
        serving(file_server(assets)) as us,
    ):
        trusted = TrustedOrigins.parse(f"{easel},{easel.replace('127.0.0.1', 'localhost')},{camera}")
        async with provider_client(trusted) as http:
            drawing = load(easel, http)
            links = AssetLinks(b"secret-of-the-links", us)
            limits = {card.id: card.pictures for card in _CARDS.values()}
            yield Workshop(
                loaded=load(camera, http),
                server=InputFiles(http, assets, links, providers_reach_us=True, limits=limits),
                laptop=InputFiles(http, assets, links, providers_reach_us=False, limits=limits),
                pictures={model: await draw(model, drawing, http, assets) for model in IMAGES},
            )


async def hand_on(workshop: Workshop, inputs: InputFiles, image: str, video: str) -> HandedOn:
    candidate = chain("image-to-video", video).steps[0].candidates[0]
    provider = workshop.loaded.providers[candidate.provider]
    made = workshop.pictures[image]
    ref = InputRef(asset=made.asset, source=made.source)
    handed = await inputs.hand_on(candidate.model, (ref,), candidate.input_forms or provider.accepts, datetime.now(UTC))
    request = JobRequest(candidate.raw_id, candidate.params, handed.files, TOKEN)
    assert isinstance(await provider.submit(request, key(), None), Accepted)
    return handed


@pytest.mark.parametrize("video", VIDEOS)
@pytest.mark.parametrize("image", IMAGES)
async def test_a_picture_made_unasked_is_taken_by_every_video_model(workshop: Workshop, image: str, video: str) -> None:
    await hand_on(workshop, workshop.server, image, video)


@pytest.mark.parametrize("video", VIDEOS)
@pytest.mark.parametrize("image", IMAGES)
async def test_so_it_is_from_a_laptop_that_no_provider_can_reach(workshop: Workshop, image: str, video: str) -> None:
    [file] = (await hand_on(workshop, workshop.laptop, image, video)).files
    assert file.data is not None or file.url == workshop.pictures[image].source


async def test_what_is_too_large_is_scaled_and_the_original_kept(workshop: Workshop) -> None:
    made = workshop.pictures["bytedance/seedream-4.5"]
    handed = await hand_on(workshop, workshop.server, "bytedance/seedream-4.5", "bailian/wan2.6-i2v")
    assert handed.adapted == "scaled from 2048×2048 to 2000×2000"
    assert made.asset not in (handed.files[0].url or "")
    facts = await workshop.server.assets.facts(made.asset)
    assert facts is not None
    assert (facts.width, facts.height) == (2048, 2048)


async def test_unscaled_it_would_have_been_refused(workshop: Workshop) -> None:
    unaware = replace(workshop.server, limits={})
    with pytest.raises(InputRejected, match="sides"):
        await hand_on(workshop, unaware, "bytedance/seedream-4.5", "bailian/wan2.6-i2v")


async def test_what_fits_is_handed_on_untouched(workshop: Workshop) -> None:
    handed = await hand_on(workshop, workshop.server, "bytedance/seedream-4.5", "bytedance/seedance-1.5-pro")
    assert handed.adapted is None
    assert workshop.pictures["bytedance/seedream-4.5"].asset in (handed.files[0].url or "")
