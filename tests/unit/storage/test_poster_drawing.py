import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from domain.media import MediaKind
from storage import posters
from storage.assets import AssetMissing, Assets
from storage.posters import PosterUnavailable, poster
from tests.unit.storage.samples import EVERY_EXTENSION, in_chunks, picture, png, sample

ANY = frozenset(MediaKind)


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return Assets.open(tmp_path.as_uri())


Pretend = Callable[[str], None]


@pytest.fixture
def pretend_decoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pretend:
    """Puts a shell script where the decoder was."""

    def pretend(script: str) -> None:
        program = tmp_path / "pretender"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))

    return pretend


async def add(assets: Assets, data: bytes) -> str:
    return (await assets.add(in_chunks(data), limit=64_000_000, kinds=ANY)).id


def draw(extension: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "storage.poster_process", extension],
        input=data,
        capture_output=True,
        check=False,
        env={},
    )


@pytest.mark.parametrize("extension", EVERY_EXTENSION)
async def test_every_type_has_a_poster(assets: Assets, extension: str) -> None:
    drawn = Image.open(io.BytesIO(await poster(assets, await add(assets, sample(extension)))))
    assert drawn.format == "WEBP"
    assert drawn.size == (66, 48)


async def test_poster_is_small_and_keeps_its_shape(assets: Assets) -> None:
    drawn = Image.open(io.BytesIO(await poster(assets, await add(assets, picture("JPEG", (2000, 1000))))))
    assert drawn.size == (480, 240)


async def test_poster_is_made_once_even_for_many_at_once(assets: Assets, monkeypatch: pytest.MonkeyPatch) -> None:
    asset_id = await add(assets, sample("png"))
    first = await asyncio.gather(*(poster(assets, asset_id) for _ in range(5)))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert [await poster(assets, asset_id)] * 5 == first


async def test_file_that_cannot_be_decoded_has_none_and_is_tried_once(
    assets: Assets, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sample("png")
    start = whole.index(b"IDAT") + 4
    asset_id = await add(assets, whole[:start] + b"\xff" * 20 + whole[start + 20 :])
    with pytest.raises(PosterUnavailable):
        await poster(assets, asset_id)
    monkeypatch.setattr(sys, "executable", "/no/such/program")
    with pytest.raises(PosterUnavailable):
        await poster(assets, asset_id)


async def test_absent_asset_has_no_poster(assets: Assets) -> None:
    with pytest.raises(AssetMissing):
        await poster(assets, f"{'a' * 64}.png")


async def test_video_has_no_poster_without_the_optional_decoder(
    assets: Assets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posters, "find_spec", lambda _: None)
    with pytest.raises(PosterUnavailable, match="av"):
        await poster(assets, await add(assets, sample("mp4")))


async def test_decoder_that_hangs_is_killed(
    assets: Assets, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pretend_decoder: Pretend
) -> None:
    asset_id = await add(assets, sample("png"))
    pretend_decoder(f"echo $$ > {tmp_path}/pid; sleep 1000 & wait")
    monkeypatch.setattr(posters, "_WALL_SECONDS", 0.3)
    with pytest.raises(PosterUnavailable, match="in time"):
        await poster(assets, asset_id)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    monkeypatch.undo()
    assert await poster(assets, asset_id)


@pytest.mark.parametrize(
    "script", ["head -c 3000000 /dev/zero", "echo not a picture", "exit 0", "exit 7", "kill -9 $$"]
)
async def test_answer_that_is_no_small_webp_is_not_kept(assets: Assets, pretend_decoder: Pretend, script: str) -> None:
    asset_id = await add(assets, sample("png"))
    pretend_decoder(script)
    with pytest.raises(PosterUnavailable):
        await poster(assets, asset_id)
    assert await assets.kept_poster(asset_id) == b""


async def test_decoder_sees_no_environment(
    assets: Assets, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pretend_decoder: Pretend
) -> None:
    monkeypatch.setenv("BFL_API_KEY", "s3cret")
    asset_id = await add(assets, sample("png"))
    pretend_decoder(f"/usr/bin/env > {tmp_path}/environment")
    with pytest.raises(PosterUnavailable):
        await poster(assets, asset_id)
    assert "s3cret" not in (tmp_path / "environment").read_text()


def test_bomb_that_got_this_far_still_ends_the_process_only() -> None:
    for data in (png(30_000, 30_000), png(60_000, 1_000)):
        assert draw("png", data).returncode != 0


def test_playlist_named_as_a_video_opens_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(sample("mp4"))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret.as_uri()}\n#EXT-X-ENDLIST\n".encode()
    done = draw("mp4", playlist)
    assert done.returncode != 0
    assert done.stdout == b""
