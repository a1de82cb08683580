import io
import random
import tracemalloc

import pytest
from PIL import Image

from domain.errors import OutputInvalid
from domain.media import AssetFacts, MediaKind
from storage.measure import measure
from tests.unit.storage.samples import EVERY_EXTENSION, HEIGHT, PICTURES, WIDTH, box, picture, png, sample, video

ANY = frozenset(MediaKind)
FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")


def look(data: bytes, kinds: frozenset[MediaKind] = ANY) -> AssetFacts:
    return measure(io.BytesIO(data), len(data), "0" * 64, kinds)


def reason(data: bytes, kinds: frozenset[MediaKind] = ANY) -> str:
    with pytest.raises(OutputInvalid) as caught:
        look(data, kinds)
    assert caught.value.reason == "provider_output_invalid"
    found: str = caught.value.facts["reason"]
    return found


@pytest.mark.parametrize("extension", PICTURES)
def test_picture_is_told_by_its_bytes_and_measured(extension: str) -> None:
    facts = look(sample(extension))
    assert facts.id == f"{'0' * 64}.{extension}"
    assert facts.type == Image.MIME[PICTURES[extension]]
    assert (facts.width, facts.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0" + bytes(2000), "comment": b"\xff\xd9 not the end"}),
        ("PNG", {"compress_level": 0}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0MM\0*"}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"tiffinfo": {278: 1}}),
    ],
)
def test_every_flavour_is_measured_as_the_decoder_does(form: str, options: dict[str, object]) -> None:
    data = picture(form, (301, 203), **options)
    facts = look(data)
    assert (facts.width, facts.height) == Image.open(io.BytesIO(data)).size == (301, 203)


def test_moving_pictures_are_measured() -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    for form in ("GIF", "WEBP"):
        out = io.BytesIO()
        frames[0].save(out, form, save_all=True, append_images=frames[1:])
        facts = look(out.getvalue())
        assert (facts.width, facts.height) == (40, 30)


@pytest.mark.parametrize(("container", "type"), [("mp4", "video/mp4"), ("mov", "video/quicktime")])
def test_video_is_measured(container: str, type: str) -> None:
    facts = look(video(container, sound=True))
    assert (facts.type, facts.width, facts.height) == (type, WIDTH, HEIGHT)
    assert (facts.fps, facts.has_audio) == (24.0, True)
    assert facts.seconds == pytest.approx(1.0, abs=0.05)
    assert look(video(container)).has_audio is False


def test_fragmented_video_is_whole_too() -> None:
    facts = look(video("mp4", fragmented=True))
    assert (facts.width, facts.height, facts.fps) == (WIDTH, HEIGHT, None)


def test_webm_is_recognised() -> None:
    assert look(sample("webm")).type == "video/webm"


@pytest.mark.parametrize("extension", EVERY_EXTENSION)
def test_file_cut_anywhere_is_refused(extension: str) -> None:
    data = sample(extension)
    for length in {0, 1, 7, 8, 12, 40, *range(100, len(data), 97), len(data) - 1}:
        assert reason(data[:length]) in ("empty", "truncated", "not_media", "malformed"), length


@pytest.mark.parametrize("extension", EVERY_EXTENSION)
def test_cut_at_half_is_named_truncated(extension: str) -> None:
    data = sample(extension)
    assert reason(data[: len(data) // 2]) == "truncated"


@pytest.mark.parametrize("extension", [name for name in EVERY_EXTENSION if name not in ("bmp", "tiff")])
def test_second_file_behind_the_first_is_refused(extension: str) -> None:
    assert reason(sample(extension) + b"<script>alert(1)</script>") in ("malformed", "truncated")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><title>Not found</title>", "html"),
        (b"\xef\xbb\xbf \r\n<HTML><body>", "html"),
        (b"<script>alert(1)</script>", "html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "markup"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "markup"),
        (b'{"error": "expired"}', "not_media"),
        (b"%PDF-1.7\n", "not_media"),
        (b"PK\3\4" + bytes(100), "not_media"),
        (b"\x7fELF" + bytes(100), "not_media"),
        (b"ID3\4" + bytes(100), "not_media"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd", "not_media"),
        (box(b"ftyp", b"heic\0\0\0\0mif1heic"), "not_media"),
        (box(b"ftyp", b"avif\0\0\0\0mif1avifmiaf"), "not_media"),
        (box(b"ftyp", b"M4A \0\0\0\0M4A mp42isom"), "not_media"),
        (b"GIF89a=1;alert(1)//", "malformed"),
        (b"BM=1;alert(1)//", "not_media"),
        (b"\xff\xd8\xff\xd9", "truncated"),
    ],
)
def test_what_is_no_media_is_refused_by_name(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_wrong_kind_is_refused() -> None:
    assert reason(sample("png"), frozenset({MediaKind.VIDEO})) == "wrong_kind"
    assert reason(sample("mp4"), frozenset({MediaKind.IMAGE})) == "wrong_kind"


@pytest.mark.parametrize(
    "data",
    [
        FTYP + box(b"moov", size=0),
        FTYP + box(b"moov") + box(b"mdat", size=2**31),
        FTYP + box(b"moov") + box(b"mdat", bytes(8), size=7),
        FTYP + box(b"moov") + box(b"mdat", b"\xff" * 8, size=1),
        FTYP + box(b"moov") + box(b"mdat", bytes(8), size=1),
        FTYP + box(b"mdat", b"x"),
        FTYP + box(b"moov") + box(b"mdat", b"x"),
        FTYP + box(b"moov", box(b"trak", size=2**31)) + box(b"mdat"),
        FTYP + box(b"moov", box(b"trak", box(b"mdia", box(b"hdlr", b"12345678vide")))) + box(b"mdat"),
        FTYP + box(b"moov", box(b"trak", box(b"tkhd") + box(b"mdia", box(b"hdlr", b"12345678vide")))) + box(b"mdat"),
        FTYP + box(b"free") * 30_000,
        FTYP + box(b"moov", bytes(17 * 1024 * 1024)) + box(b"mdat"),
        FTYP + box(b"moov", box(b"trak", box(b"trak") * 100_000)) + box(b"mdat"),
    ],
)
def test_hostile_box_sizes_are_refused(data: bytes) -> None:
    assert reason(data) in ("malformed", "truncated")


def test_picture_track_with_a_cut_clock_is_refused() -> None:
    head = box(b"tkhd", bytes(76) + b"\0\x40\0\0\0\x30\0\0")
    media = box(b"mdia", box(b"hdlr", b"12345678vide") + box(b"mdhd", bytes(10)))
    assert reason(FTYP + box(b"moov", box(b"trak", head + media)) + box(b"mdat")) == "malformed"


def test_bomb_is_refused_without_being_unpacked() -> None:
    bomb = png(30_000, 30_000)
    tracemalloc.start()
    try:
        assert reason(bomb) == "too_many_pixels"
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_picture_without_pixels_is_refused() -> None:
    assert reason(png(0, 10)) == "malformed"


def test_file_of_nothing_but_tiny_parts_is_given_up() -> None:
    endless = b"GIF89a\1\0\1\0\0\0\0!\xff" + b"\1x" * 1_000_000
    assert reason(endless) == "malformed"


@pytest.mark.parametrize("extension", EVERY_EXTENSION)
def test_damaged_file_is_measured_or_refused_and_nothing_else(extension: str) -> None:
    chance = random.Random(extension)
    for _ in range(400):
        data = bytearray(sample(extension))
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(min(len(data), 2000))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        try:
            look(bytes(data))
        except OutputInvalid:
            continue
