from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from storage.links import AssetLinks, Link

ASSET = f"{'a' * 64}.png"
NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
LINKS = AssetLinks(b"secret", "https://api.example/base/")


def parts(url: str) -> tuple[int, str]:
    query = parse_qs(urlsplit(url).query)
    return int(query["expires"][0]), query["signature"][0]


def test_link_is_the_same_all_day_and_lasts_at_least_its_days() -> None:
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    day = {LINKS.url(ASSET, midnight + timedelta(seconds=second)) for second in (1, 43_200, 86_400)}
    assert len(day) == 1
    url = day.pop()
    assert url.startswith(f"https://api.example/base/assets/{ASSET}?expires=")
    expires = datetime.fromtimestamp(parts(url)[0], UTC)
    assert expires == datetime(2026, 11, 28, tzinfo=UTC)
    assert expires - (midnight + timedelta(days=1)) == timedelta(days=7)
    assert LINKS.url(ASSET, midnight + timedelta(seconds=86_401)) != url


def test_link_is_good_until_it_expires() -> None:
    expires, signature = parts(LINKS.url(ASSET, NOW))
    end = datetime.fromtimestamp(expires, UTC)
    assert LINKS.check(ASSET, expires, signature, NOW) is Link.OK
    assert LINKS.check(ASSET, expires, signature, end - timedelta(seconds=1)) is Link.OK
    assert LINKS.check(ASSET, expires, signature, end) is Link.EXPIRED


def test_any_changed_part_is_forged() -> None:
    expires, signature = parts(LINKS.url(ASSET, NOW))
    other = f"{'b' * 64}.png"
    assert LINKS.check(other, expires, signature, NOW) is Link.FORGED
    assert LINKS.check(ASSET, expires + 86_400, signature, NOW) is Link.FORGED
    assert LINKS.check(ASSET, expires, signature, NOW, poster=True) is Link.FORGED
    assert LINKS.check(ASSET, 0, "", NOW) is Link.FORGED
    assert AssetLinks(b"other", "https://api.example/base").check(ASSET, expires, signature, NOW) is Link.FORGED
    for text in (signature[:-1], signature + "A", signature.swapcase(), "é", "\udcff"):
        assert LINKS.check(ASSET, expires, text, NOW) is Link.FORGED


def test_poster_has_a_link_of_its_own() -> None:
    url = LINKS.url(ASSET, NOW, poster=True)
    assert urlsplit(url).path == f"/base/assets/{ASSET}/poster"
    assert LINKS.check(ASSET, *parts(url), NOW, poster=True) is Link.OK
    assert LINKS.check(ASSET, *parts(url), NOW) is Link.FORGED


def test_own_link_names_its_asset() -> None:
    assert LINKS.asset_of(LINKS.url(ASSET, NOW)) == ASSET


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("https://", "http://"),
        lambda url: url.replace("api.example", "api.example.evil.com"),
        lambda url: url.replace("api.example", "evil.com/https://api.example"),
        lambda url: url.replace("/base/", "/other/"),
        lambda url: url.replace("a.png", "b.png"),
        lambda url: url.replace(ASSET, f"../assets/{ASSET}"),
        lambda url: url.replace("expires=", "expires=1"),
        lambda url: url.replace("expires=", "expires=٣"),
        lambda url: url.replace("expires=", f"expires={'9' * 5000}"),
        lambda url: url + "A",
        lambda url: url + "&x=y",
        lambda url: url + "#x",
        lambda url: url + "\udcff",
        lambda url: url.partition("?")[0],
        lambda url: "",
        lambda _: LINKS.url(ASSET, NOW, poster=True),
        lambda _: AssetLinks(b"other", "https://api.example/base").url(ASSET, NOW),
    ],
)
def test_any_other_url_is_not_ours(change: object) -> None:
    assert callable(change)
    assert LINKS.asset_of(change(LINKS.url(ASSET, NOW))) is None
