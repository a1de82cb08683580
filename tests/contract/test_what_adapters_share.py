"""The pieces that adapters share: what is hidden in errors, sizes that fit, numbers as JSON has them."""

import base64
from types import ModuleType
from urllib.parse import quote

import pytest

from domain.errors import RequestError
from domain.media import MediaKind, MediaRequest
from providers import bach, bfl, byteplus, relaydance
from providers._answers import REASON_LENGTH, Redactor
from providers._neutral import fit_size, nearest_ratio, untold
from providers._params import native

KEY = "sk-live/4f9A+b0Zq=="
redact = Redactor(KEY)


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"the key {KEY!r} is wrong",
        KEY.upper(),
        quote(KEY, safe=""),
        quote(KEY, safe="").lower(),
        base64.b64encode(KEY.encode()).decode(),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
        base64.b64encode(f"u:{KEY}".encode()).decode(),
        base64.b64encode(f"user:{KEY}, more".encode()).decode(),
        f"{KEY[:6]}\n{KEY[6:]}",
        f"{KEY[:6]} {KEY[6:]}",
        f"{KEY[:6]}\u200b{KEY[6:]}",
        f"{KEY[:6]}\x00{KEY[6:]}",
    ],
)
def test_our_key_is_hidden_in_every_spelling(text: str) -> None:
    shown = redact(f"before {text} after")
    assert "[redacted]" in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    for part in (KEY, KEY[:8], quote(KEY, safe="")[3:12], base64.b64encode(KEY.encode()).decode()[:10]):
        assert part.lower() not in shown.lower()


def test_a_key_is_hidden_before_the_text_is_cut() -> None:
    assert KEY[:4] not in redact("x" * (REASON_LENGTH - 4) + KEY)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  two\r\n lines\t ", "two lines"),
        ("bell\x07 and \u202eturned", "bell and turned"),
        ("half \ud800 a character", "half a character"),
        ("see https://a.example/x.png?sig=abc#d for it", "see https://a.example/x.png for it"),
        ("größe 尺寸", "größe 尺寸"),
        ("x" * 600, "x" * (REASON_LENGTH - 1) + "…"),
        (None, ""),
        (["text"], ""),
        (5, ""),
    ],
)
def test_a_providers_words_become_one_short_line(text: object, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    ("size", "limits", "fitted"),
    [
        ((1000, 500), {"area": (1, 10**7)}, (1000, 500)),
        ((4096, 4096), {"area": (1, 2048 * 2048)}, (2048, 2048)),
        ((10, 10), {"area": (64 * 64, 10**7)}, (64, 64)),
        ((1000, 500), {"area": (1, 10**7), "step": 32}, (992, 480)),
        ((100, 50), {"area": (1, 10**7), "step": 32, "side": (256, 1440)}, (512, 256)),
        ((5000, 2500), {"area": (1, 10**8), "side": (256, 1440)}, (1440, 720)),
        ((60_000, 10), {"area": (1, 10**9), "side": (256, 1440)}, (1440, 256)),
    ],
)
def test_a_size_is_fitted_into_limits_and_keeps_its_shape_where_it_can(
    size: tuple[int, int], limits: dict[str, int], fitted: tuple[int, int]
) -> None:
    assert fit_size(*size, **limits) == fitted  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "ratio", "lost"),
    [
        ({}, None, ()),
        ({"ratio": "16:9"}, "16:9", ()),
        ({"ratio": "17:9"}, "16:9", ("exact ratio (it gets 16:9)",)),
        ({"ratio": "secret-looking"}, None, ("ratio",)),
        ({"width": 1920, "height": 1080}, "16:9", ("exact size (it gets 16:9)",)),
        ({"width": 500, "height": 510}, "1:1", ("exact size (it gets 1:1)",)),
        ({"width": 500}, None, ()),
    ],
)
def test_the_nearest_ratio(wish: dict[str, object], ratio: str | None, lost: tuple[str, ...]) -> None:
    request = MediaRequest(MediaKind.IMAGE, **wish)  # type: ignore[arg-type]
    assert nearest_ratio(request, ("16:9", "1:1", "adaptive")) == (ratio, lost)


def test_a_wish_for_nothing_is_not_lost() -> None:
    assert untold(MediaRequest(MediaKind.VIDEO, audio=False, watermark=False, seed=0), ()) == ("seed",)


def test_numbers_go_out_as_json_has_them() -> None:
    params = {"a": 5.0, "b": 5.5, "c": [1.0, {"d": 2.0}], "e": True, "output_format": "jpg"}
    assert repr(native(params)) == repr({"a": 5, "b": 5.5, "c": [1, {"d": 2}], "e": True, "output_format": "jpeg"})
    assert params["output_format"] == "jpg", "the plan itself is not changed"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000], ids=range(6))
@pytest.mark.parametrize("wire", [bach.wire, bfl.wire, byteplus.wire, relaydance.wire], ids=lambda wire: wire.__name__)
def test_a_notice_that_is_no_json_object_is_the_senders_fault(wire: ModuleType, body: bytes) -> None:
    with pytest.raises(RequestError) as raised:
        wire.read_notice(body)
    assert raised.value.reason == "invalid_json"
