"""Which pictures fit which model, and what copy is made of those that don't."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fitting import Copy, Picture, Unfit, describe, fit, fits
from domain.media import PictureLimits
from domain.provider import ModelCard
from tests.support.orders import catalogue

LIMITS = PictureLimits(
    formats=("image/jpeg", "image/png"), bytes=10_000_000, least_side=360, most_side=2_000, ratio=(0.4, 2.5)
)
PICTURE = Picture(1_000, 800, "image/jpeg", 200_000)
COPY = Copy(1_000, 800, "image/jpeg", 10_000_000, 360, opaque=True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"width": 360, "height": 360}, None),
        ({"width": 2_000, "height": 2_000}, None),
        ({"bytes": 10_000_000}, None),
        ({"type": None, "bytes": 0}, None),
        ({"width": 2_048, "height": 2_048}, {"width": 2_000, "height": 2_000}),
        ({"width": 4_000, "height": 2_000}, {"width": 2_000, "height": 1_000}),
        ({"width": 359, "height": 512}, {"width": 360, "height": 514}),
        ({"width": 90, "height": 90}, {"width": 360, "height": 360}),
        ({"bytes": 10_000_001}, {}),
        ({"type": "image/png", "bytes": 10_000_001}, {"type": "image/png", "opaque": False}),
        ({"type": "image/webp"}, {"type": "image/png", "opaque": False}),
        ({"type": "image/gif"}, {"type": "image/png", "opaque": False}),
    ],
)
def test_a_picture_is_left_alone_or_copied_as_little_changed_as_will_do(
    change: dict[str, object], expected: dict[str, object] | None
) -> None:
    wanted = None if expected is None else replace(COPY, **{"width": 1_000, "height": 800} | expected)  # type: ignore[arg-type]
    assert fit(replace(PICTURE, **change), LIMITS) == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (2_501, 1_000, "shape"),
        (1_000, 2_501, "shape"),
        (89, 89, "too small"),
    ],
)
def test_a_picture_that_only_cropping_or_blurring_would_fit_is_refused(width: int, height: int, reason: str) -> None:
    with pytest.raises(Unfit, match=reason) as caught:
        fit(replace(PICTURE, width=width, height=height), LIMITS)
    assert "360 to 2000" in caught.value.message


def test_a_long_picture_whose_short_side_would_be_too_short_is_refused() -> None:
    without_ratio = replace(LIMITS, ratio=None)
    assert fit(replace(PICTURE, width=4_000, height=720), without_ratio) == replace(COPY, width=2_000, height=360)
    with pytest.raises(Unfit, match="too long"):
        fit(replace(PICTURE, width=4_000, height=700), without_ratio)


def test_pixels_in_all_are_a_limit_too() -> None:
    limits = PictureLimits(pixels=1_000_000)
    assert fit(replace(PICTURE, width=2_000, height=2_000), limits) == Copy(
        1_000, 1_000, "image/jpeg", 30_000_000, 1, opaque=True
    )


def test_transparency_goes_only_where_the_model_demands_it() -> None:
    drawn = replace(PICTURE, type="image/png", has_alpha=True)
    assert fit(drawn, LIMITS) is None
    flat = fit(drawn, replace(LIMITS, opaque_png=True))
    assert flat == replace(COPY, type="image/png")
    assert fit(replace(drawn, has_alpha=False), replace(LIMITS, opaque_png=True)) is None


def test_where_nothing_is_documented_everything_goes() -> None:
    assert fit(Picture(1, 60_000, "image/tiff", 1 << 40, has_alpha=True), PictureLimits()) is None


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (Picture(500, 400, "image/jpeg"), "scaled from 1000×800 to 500×400"),
        (Picture(1_000, 800, "image/png"), "converted from image/jpeg to image/png"),
        (Picture(500, 400, "image/png"), "scaled from 1000×800 to 500×400, converted from image/jpeg to image/png"),
        (replace(PICTURE, bytes=100_000), "compressed from 200000 to 100000 bytes"),
    ],
)
def test_what_was_done_is_said_in_one_sentence(after: Picture, sentence: str) -> None:
    assert describe(PICTURE, after) == sentence


_SIDES = st.integers(1, 12_000)
_TYPES = st.sampled_from(["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff"])
_CARDS = sorted(catalogue().models.values(), key=lambda card: card.id)


@given(st.sampled_from(_CARDS), _SIDES, _SIDES, _TYPES, st.integers(1, 64_000_000))
def test_every_copy_fits_every_real_model_and_keeps_its_shape(
    card: ModelCard, width: int, height: int, kind: str, size: int
) -> None:
    picture = Picture(width, height, kind, size)
    try:
        copy = fit(picture, card.pictures)
    except Unfit:
        return
    if copy is None:
        assert fits(picture, card.pictures)
        return
    assert fits(Picture(copy.width, copy.height, copy.type, copy.most_bytes), card.pictures)
    assert abs(copy.width / width - copy.height / height) < 1.5 / min(width, height) + 0.01
