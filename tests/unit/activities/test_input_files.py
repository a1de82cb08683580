"""In which form an input picture travels, and what becomes of one that a model would not take."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Response
from PIL import Image

from activities.inputs import InputFiles, InputMissing
from domain.errors import InputRejected
from domain.fitting import Unfit
from domain.media import InputForm, InputRef, MediaKind, PictureLimits
from storage.assets import Assets
from storage.links import AssetLinks
from tests.support.pictures import jpeg
from tests.support.serving import serving
from tests.unit.storage.samples import in_chunks, png, sample

URL, INLINE, UPLOAD = InputForm.URL, InputForm.INLINE, InputForm.UPLOAD
MODEL = "acme/clip"
NOW = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
SMALL = PictureLimits(formats=("image/jpeg", "image/png"), least_side=32, most_side=100, opaque_png=True)
OURS = "https://ours.example"
SOURCE = "https://maker.example/a.jpeg?signature=x"


@pytest.fixture(scope="module")
async def outside() -> AsyncIterator[str]:
    """Somebody's web server."""
    app = FastAPI()

    @app.get("/{name}")
    async def get_file(name: str) -> Response:
        files = {"large.jpeg": jpeg("large", (400, 200)), "page.html": b"<html>no picture</html>"}
        return Response(files.get(name), 200 if name in files else 404)

    async with serving(app) as url:
        yield url


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
def laptop(http: httpx.AsyncClient, tmp_path: Path) -> InputFiles:
    assets, links = Assets.open(tmp_path.as_uri()), AssetLinks(b"a secret of some length", OURS)
    return InputFiles(http, assets, links, providers_reach_us=False, limits={MODEL: SMALL})


@pytest.fixture
def server(laptop: InputFiles) -> InputFiles:
    return InputFiles(laptop.http, laptop.assets, laptop.links, providers_reach_us=True, limits=laptop.limits)


async def stored(inputs: InputFiles, data: bytes, source: str | None = None) -> InputRef:
    facts = await inputs.assets.add(in_chunks(data), limit=1 << 26, kinds=frozenset({MediaKind.IMAGE}))
    return InputRef(asset=facts.id, source=source)


@pytest.mark.parametrize(
    ("forms", "from_server", "from_laptop"),
    [
        ((URL, INLINE), OURS, "bytes"),
        ((URL, UPLOAD), OURS, "bytes"),
        ((INLINE,), "bytes", "bytes"),
        ((URL,), OURS, SOURCE),
    ],
)
async def test_the_form_is_one_that_works_from_where_the_engine_runs(
    server: InputFiles, laptop: InputFiles, forms: tuple[InputForm, ...], from_server: str, from_laptop: str
) -> None:
    ref = await stored(server, jpeg("a"), SOURCE)
    for inputs, expected in ((server, from_server), (laptop, from_laptop)):
        [file] = (await inputs.hand_on(MODEL, (ref,), forms, NOW)).files
        assert (file.url or "bytes").startswith(expected)
        assert file.media_type == "image/jpeg"


async def test_an_address_of_ours_is_made_anew_for_every_submit(server: InputFiles) -> None:
    """A step may wait for days before a provider takes it, and its maker's own link is long dead then."""
    [file] = (await server.hand_on(MODEL, (await stored(server, jpeg("a"), SOURCE),), (URL,), NOW)).files
    assert server.links.asset_of(file.url or "") is not None


async def test_a_copy_travels_in_the_same_forms_and_is_told_of(server: InputFiles, laptop: InputFiles) -> None:
    original = await stored(server, jpeg("large", (400, 200)))
    for inputs in (server, laptop):
        handed = await inputs.hand_on(MODEL, (original,), (URL, INLINE), NOW)
        assert handed.adapted == "scaled from 400×200 to 100×50"
        [file] = handed.files
        assert file.data is not None or server.links.asset_of(file.url or "") not in (None, original.asset)


async def test_of_several_pictures_it_is_said_which_was_changed(server: InputFiles) -> None:
    refs = (await stored(server, jpeg("a")), await stored(server, sample("gif")), InputRef(url="https://a.example/x"))
    handed = await server.hand_on(MODEL, refs, (URL,), NOW)
    assert handed.adapted == "picture 2: converted from image/gif to image/png"
    assert handed.files[2].url == "https://a.example/x"


async def test_transparency_is_laid_on_white_for_a_model_that_takes_none(server: InputFiles) -> None:
    clear, plain = (drawn_png(mode) for mode in ("RGBA", "RGB"))
    handed = await server.hand_on(MODEL, (await stored(server, clear),), (INLINE,), NOW)
    assert handed.adapted == "laid on white where it was transparent"
    assert handed.files[0].media_type == "image/png"
    assert Image.open(io.BytesIO(handed.files[0].data or b"")).mode == "RGB"
    assert (await server.hand_on(MODEL, (await stored(server, plain),), (INLINE,), NOW)).adapted is None


def drawn_png(mode: str) -> bytes:
    return encoded(Image.new(mode, (64, 64)))


def encoded(drawn: Image.Image) -> bytes:
    out = io.BytesIO()
    drawn.save(out, "PNG")
    return out.getvalue()


async def test_pictures_inside_one_request_share_what_it_may_hold(server: InputFiles, laptop: InputFiles) -> None:
    noise = [Image.effect_noise((200, 200), 90 + number).convert("RGB") for number in range(2)]
    refs = tuple([await stored(server, encoded(picture)) for picture in noise])
    room = PictureLimits(bytes=1_000_000, together=150_000)
    for inputs in (server, laptop):
        inputs.limits = {MODEL: room}
    alone = await laptop.hand_on(MODEL, refs[:1], (INLINE,), NOW)
    assert alone.adapted is None
    both = await laptop.hand_on(MODEL, refs, (INLINE,), NOW)
    assert all(len(file.data or b"") <= 75_000 for file in both.files)
    assert (await server.hand_on(MODEL, refs, (URL, INLINE), NOW)).adapted is None


async def test_a_model_without_limits_gets_everything_as_it_is(server: InputFiles) -> None:
    original = await stored(server, sample("tiff"))
    handed = await server.hand_on("acme/other", (original,), (INLINE,), NOW)
    assert handed.adapted is None
    assert handed.files[0].data == sample("tiff")


async def test_a_copy_that_the_provider_could_not_fetch_is_not_swapped_for_the_misfit(laptop: InputFiles) -> None:
    with pytest.raises(Unfit, match="BABYCHAIN_PUBLIC_URL"):
        await laptop.hand_on(MODEL, (await stored(laptop, jpeg("large", (400, 200)), SOURCE),), (URL,), NOW)


async def test_a_picture_behind_an_address_is_fetched_for_a_model_that_takes_bytes_and_fitted(
    server: InputFiles, outside: str
) -> None:
    handed = await server.hand_on(MODEL, (InputRef(url=f"{outside}/large.jpeg"),), (INLINE,), NOW)
    assert handed.adapted == "scaled from 400×200 to 100×50"
    assert handed.files[0].data


@pytest.mark.parametrize(("name", "reason"), [("page.html", "web page"), ("gone.png", "dead")])
async def test_an_address_that_is_no_picture_fails_the_step_with_the_reason(
    server: InputFiles, outside: str, name: str, reason: str
) -> None:
    with pytest.raises(InputRejected, match=reason) as caught:
        await server.hand_on(MODEL, (InputRef(url=f"{outside}/{name}"),), (INLINE,), NOW)
    assert caught.value.reason == "chain_step_params_failed"


async def test_what_can_never_fit_and_what_is_gone_fail_with_the_reason(server: InputFiles) -> None:
    with pytest.raises(Unfit, match="too small"):
        await server.hand_on(MODEL, (await stored(server, jpeg("dot", (4, 4))),), (URL,), NOW)
    with pytest.raises(Unfit, match="decoded"):
        await server.hand_on(MODEL, (await stored(server, png(3_000, 2_000)),), (URL,), NOW)
    with pytest.raises(InputMissing):
        await server.hand_on(MODEL, (InputRef(asset=f"{'0' * 64}.png"),), (URL,), NOW)
