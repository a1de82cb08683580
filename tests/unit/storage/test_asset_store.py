import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import obstore
import pytest
from obstore.store import LocalStore

from domain.errors import OutputInvalid, Refused, SetupError, UnavailableError
from domain.media import AssetFacts, MediaKind
from storage.assets import AssetMissing, Assets
from tests.unit.storage.samples import in_chunks, picture, sample

ANY = frozenset(MediaKind)
MIB = 1024 * 1024
UNSAFE_IDS = [
    "", ".", "..", "../secret", "a" * 64, f"{'a' * 64}.", f"{'a' * 64}.svg", f"{'a' * 64}.html", f"{'A' * 64}.png",
    f"{'a' * 64}.PNG", f"{'a' * 64}.png\n", f"{'a' * 64}.png.json", f"{'a' * 64}.png/..", f"../{'a' * 61}.png",
    f"{'a' * 63}.png", f"{'a' * 64}.png\0", f"grants/{'a' * 64}", f"{'a' * 64}.jpeg", f"{'ａ' * 64}.png",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "assets"


@pytest.fixture
def assets(folder: Path) -> Assets:
    return Assets.open(folder.as_uri())


async def add(assets: Assets, data: bytes, *, limit: int = 64 * MIB) -> AssetFacts:
    return await assets.add(in_chunks(data), limit=limit, kinds=ANY)


def stored(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("extension", ["png", "mp4"])
async def test_file_is_kept_byte_for_byte_under_its_hash(assets: Assets, extension: str) -> None:
    data = sample(extension)
    facts = await add(assets, data)
    assert facts.id == f"{hashlib.sha256(data).hexdigest()}.{extension}"
    assert facts.bytes == len(data) == await assets.size(facts.id)
    assert await assets.read(facts.id) == data
    assert await assets.facts(facts.id) == facts


async def test_large_file_goes_through_the_disk_unchanged(assets: Assets) -> None:
    data = picture("PNG", (2500, 1500), compress_level=0)
    assert len(data) > 8 * MIB
    facts = await add(assets, data)
    assert hashlib.sha256(await assets.read(facts.id)).hexdigest() == facts.sha256
    assert (facts.width, facts.height) == (2500, 1500)


async def test_same_bytes_are_one_asset_however_often_they_come(assets: Assets, folder: Path) -> None:
    facts = await asyncio.gather(*(add(assets, sample("jpg")) for _ in range(10)))
    assert len(set(facts)) == 1
    assert stored(folder) == {facts[0].id, f"{facts[0].id}.json"}


@pytest.mark.parametrize("data", [b"", b"<html>", sample("mp4")[:-1], sample("png") + b"x"])
async def test_refused_file_leaves_nothing_behind(assets: Assets, folder: Path, data: bytes) -> None:
    with pytest.raises(OutputInvalid):
        await add(assets, data)
    assert stored(folder) == set()


async def test_file_over_the_limit_is_refused_while_it_comes(assets: Assets, folder: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(MIB)

    with pytest.raises(OutputInvalid) as caught:
        await assets.add(endless(), limit=20 * MIB, kinds=ANY)
    assert caught.value.facts["reason"] == "too_large"
    assert stored(folder) == set()


async def test_download_that_breaks_leaves_nothing_behind(assets: Assets, folder: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield sample("png")[:100]
        raise Refused("the connection broke")

    with pytest.raises(Refused):
        await assets.add(broken(), limit=MIB, kinds=ANY)
    assert stored(folder) == set()


async def test_message_never_holds_the_body(assets: Assets) -> None:
    with pytest.raises(OutputInvalid) as caught:
        await add(assets, b"<html>s3cret")
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in str(caught.value.facts)


async def test_file_without_facts_is_not_there_yet_and_is_completed_by_the_next_add(
    assets: Assets, folder: Path
) -> None:
    facts = await add(assets, sample("gif"))
    (folder / f"{facts.id}.json").unlink()
    assert await assets.facts(facts.id) is None
    assert await add(assets, sample("gif")) == facts == await assets.facts(facts.id)


async def test_unreadable_facts_are_no_facts(assets: Assets, folder: Path) -> None:
    facts = await add(assets, sample("gif"))
    (folder / f"{facts.id}.json").write_bytes(b"")
    assert await assets.facts(facts.id) is None


async def test_damaged_file_is_never_handed_out_and_heals_with_the_next_add(assets: Assets, folder: Path) -> None:
    facts = await add(assets, sample("gif"))
    (folder / facts.id).write_bytes(b"")
    with pytest.raises(UnavailableError, match="damaged"):
        await assets.read(facts.id)
    await add(assets, sample("gif"))
    assert await assets.read(facts.id) == sample("gif")


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 1), (5, 105), (100, None)])
async def test_part_of_a_file_can_be_streamed(assets: Assets, start: int, end: int | None) -> None:
    data = sample("mp4")
    facts = await add(assets, data)
    assert b"".join([chunk async for chunk in assets.stream(facts.id, start, end)]) == data[start:end]


@pytest.mark.parametrize("asset_id", UNSAFE_IDS)
async def test_unsafe_id_never_reaches_the_store(asset_id: str) -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> None:
            raise AssertionError("the store was asked")

    assets = Assets(Untouchable())  # type: ignore[arg-type]
    assert await assets.facts(asset_id) is None
    assert await assets.size(asset_id) is None
    assert await assets.kept_poster(asset_id) is None
    assert not await assets.is_granted(asset_id, "caller")
    for attempt in (
        assets.read(asset_id),
        anext(assets.stream(asset_id)),
        assets.grant(asset_id, "caller"),
        assets.keep_poster(asset_id, b""),
    ):
        with pytest.raises(AssetMissing):
            await attempt


async def test_absent_asset_is_named_missing(assets: Assets) -> None:
    absent = f"{'a' * 64}.png"
    assert await assets.facts(absent) is None
    assert await assets.size(absent) is None
    with pytest.raises(AssetMissing):
        await assets.read(absent)
    with pytest.raises(AssetMissing):
        await anext(assets.stream(absent))


async def test_grant_is_for_one_caller_and_its_name_is_not_written_down(assets: Assets, folder: Path) -> None:
    facts = await add(assets, sample("webp"))
    await assets.grant(facts.id, "../alice")
    assert await assets.is_granted(facts.id, "../alice")
    assert not await assets.is_granted(facts.id, "bob")
    assert not any("alice" in name for name in stored(folder))


def replace_with_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("a file where the folder was")


def replace_with_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


async def test_store_that_fails_is_unavailable_and_recovers(folder: Path, assets: Assets) -> None:
    replace_with_file(folder)
    with pytest.raises(UnavailableError) as caught:
        await add(assets, sample("png"))
    assert caught.value.reason == "assets_unreachable"
    replace_with_folder(folder)
    await add(assets, sample("png"))


async def test_folder_store_never_shows_a_half_written_file(folder: Path) -> None:
    """The promise of `Assets` rests on this habit of obstore."""
    store = LocalStore(folder, mkdir=True)

    async def breaking() -> AsyncIterator[bytes]:
        yield bytes(6 * MIB)
        assert not (folder / "file").exists()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await obstore.put_async(store, "file", breaking())
    assert not (folder / "file").exists()


@pytest.mark.parametrize("url", ["", "assets", "/srv/assets", "http://example.com/", "ftp://x/", "s3://"])
def test_wrong_store_url_stops_the_start(url: str) -> None:
    with pytest.raises(SetupError, match="BABYCHAIN_ASSETS_URL"):
        Assets.open(url)
