"""Copies of stored pictures that fit a model, drawn in a process of their own."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from domain.errors import Refused
from domain.fitting import Copy, Unfit
from domain.media import AssetFacts, MediaKind
from storage.assets import Assets
from storage.pictures import has_alpha
from storage.scaling import Scaler
from tests.unit.storage.samples import PICTURES, in_chunks, picture, png, sample

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return Assets.open(tmp_path.as_uri())


def order(width: int, height: int, kind: str = JPEG, *, most: int = 1_000_000, opaque: bool = True) -> Copy:
    return Copy(width, height, kind, most, 20, opaque)


async def add(assets: Assets, data: bytes) -> str:
    return (await assets.add(in_chunks(data), limit=64_000_000, kinds=frozenset(MediaKind))).id


async def copied(assets: Assets, data: bytes, copy: Copy) -> tuple[AssetFacts, Image.Image]:
    facts = await Scaler(assets).copy(await add(assets, data), copy)
    return facts, Image.open(io.BytesIO(await assets.read(facts.id)))


def encoded(drawn: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    drawn.save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("extension", PICTURES)
@pytest.mark.parametrize("kind", [JPEG, PNG, WEBP])
async def test_every_type_is_copied_into_every_type_that_models_take(assets: Assets, extension: str, kind: str) -> None:
    facts, drawn = await copied(assets, sample(extension), order(33, 24, kind))
    assert (facts.type, facts.width, facts.height) == (kind, 33, 24)
    assert drawn.size == (33, 24)
    # The sample runs from black at its top to white at its bottom.
    assert sum(drawn.convert("RGB").getpixel((16, 1))) < 60  # type: ignore[arg-type]
    assert sum(drawn.convert("RGB").getpixel((16, 22))) > 700  # type: ignore[arg-type]


async def test_the_original_stays_as_it_was(assets: Assets) -> None:
    data = sample("png")
    original = await add(assets, data)
    facts = await Scaler(assets).copy(original, order(33, 24))
    assert facts.id != original
    assert await assets.read(original) == data


async def test_transparent_parts_turn_white_where_none_may_stay(assets: Assets) -> None:
    clear = encoded(Image.new("RGBA", (40, 40), (255, 0, 0, 0)), "PNG")
    _, flat = await copied(assets, clear, order(40, 40, PNG))
    assert flat.mode == "RGB"
    assert flat.getpixel((5, 5)) == (255, 255, 255)
    _, kept = await copied(assets, clear, order(20, 20, PNG, opaque=False))
    assert kept.mode == "RGBA"


async def test_a_picture_that_says_how_it_is_turned_is_turned(assets: Assets) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(Image.new("RGB", (80, 40)), "JPEG", exif=exif)
    facts, _ = await copied(assets, lying, order(40, 20))
    assert (facts.width, facts.height) == (20, 40)


async def test_sixteen_bits_of_grey_do_not_turn_white(assets: Assets) -> None:
    grey = encoded(Image.new("I;16", (40, 40), 0x8000), "PNG")
    _, drawn = await copied(assets, grey, order(40, 40, PNG))
    assert drawn.convert("L").getpixel((5, 5)) == 128


def noise(side: int) -> bytes:
    data = Random(1).randbytes(3 * side * side)
    return encoded(Image.frombytes("RGB", (side, side), data), "PNG")


async def test_what_is_too_many_bytes_is_compressed_and_then_made_smaller(assets: Assets) -> None:
    worse, _ = await copied(assets, noise(200), order(200, 200, PNG, most=60_000))
    assert (worse.type, worse.width) == (JPEG, 200)
    assert worse.bytes <= 60_000
    smaller, _ = await copied(assets, noise(200), order(200, 200, PNG, most=8_000))
    assert smaller.bytes <= 8_000
    assert 20 <= (smaller.width or 0) < 200


async def test_what_can_never_be_few_enough_bytes_is_refused(assets: Assets) -> None:
    with pytest.raises(Unfit):
        await copied(assets, noise(40), order(40, 40, PNG, most=200))


@pytest.mark.parametrize("data", [png(30_000, 2_000), sample("png")[:60] + b"\xff" * 20 + sample("png")[80:]])
async def test_a_bomb_or_a_damaged_picture_is_refused_and_harms_nothing(assets: Assets, data: bytes) -> None:
    with pytest.raises(Unfit, match="decoded"):
        await copied(assets, data, order(40, 40))


Pretend = Callable[[str], None]


@pytest.fixture
def pretend_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pretend:
    """Puts a shell script where the process was."""

    def pretend(script: str) -> None:
        program = tmp_path / "pretender"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))

    return pretend


async def test_a_process_that_hangs_is_ended_and_the_submit_comes_again(
    assets: Assets, pretend_process: Pretend
) -> None:
    original = await add(assets, sample("png"))
    pretend_process("sleep 1000 & wait")
    with pytest.raises(Refused, match="in time"):
        await Scaler(assets, seconds=0.2).copy(original, order(33, 24))


@pytest.mark.parametrize("script", ["echo not a picture", "exit 0", "exit 7", "head -c 2000000 /dev/zero"])
async def test_an_answer_that_is_no_picture_is_refused(assets: Assets, pretend_process: Pretend, script: str) -> None:
    original = await add(assets, sample("png"))
    pretend_process(script)
    with pytest.raises(Unfit):
        await Scaler(assets).copy(original, order(33, 24))


async def test_the_process_sees_no_environment(
    assets: Assets, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pretend_process: Pretend
) -> None:
    monkeypatch.setenv("BFL_API_KEY", "s3cret")
    original = await add(assets, sample("png"))
    pretend_process(f"/usr/bin/env > {tmp_path}/environment")
    with pytest.raises(Unfit):
        await Scaler(assets).copy(original, order(33, 24))
    assert "s3cret" not in (tmp_path / "environment").read_text()


async def test_a_copy_is_made_once(assets: Assets, pretend_process: Pretend) -> None:
    scaler, original = Scaler(assets), await add(assets, sample("png"))
    first = await scaler.copy(original, order(33, 24))
    pretend_process("exit 7")
    assert await scaler.copy(original, order(33, 24)) == first
    with pytest.raises(Unfit):
        await scaler.copy(original, order(32, 24))


@pytest.mark.parametrize(
    ("drawn", "transparent"),
    [
        (Image.new("RGB", (4, 4)), False),
        (Image.new("L", (4, 4)), False),
        (Image.new("RGBA", (4, 4)), True),
        (Image.new("LA", (4, 4)), True),
    ],
)
def test_an_alpha_channel_is_read_from_a_pngs_structure(drawn: Image.Image, transparent: bool) -> None:
    assert has_alpha(encoded(drawn, "PNG")) is transparent


def test_a_colour_that_is_named_transparent_counts_as_alpha() -> None:
    assert has_alpha(encoded(Image.new("P", (4, 4)), "PNG", transparency=0))
    assert not has_alpha(picture("PNG"))
