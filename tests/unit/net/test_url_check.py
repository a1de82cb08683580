import pytest

from domain.errors import RequestError
from net.origins import TrustedOrigins
from net.resolve import resolve_public
from net.urls import check_url
from tests.unit.net.resolvers import Answers, no_dns, unknown_name
from tests.unit.net.test_public_addresses import BLOCKED

NOBODY = TrustedOrigins()

LITERALS = [
    *(f"https://[{address}]/" if ":" in address else f"https://{address}/" for address in BLOCKED),
    "https://0.0.0.0/", "https://2130706433/", "https://0x7f000001/", "https://0x7F.1/", "https://017700000001/", "https://0177.0.0.1/",
    "https://127.1/", "https://127.0.1/", "https://0/", "https://127.0.0.1./", "https://127.0.0.1..", "https://1.2.3.4.5",
    "https://256.1.1.1/", "https://3232235521", "https://0xa9fea9fe/latest", "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]/", "https://[::1%25eth0]/", "https://[127.0.0.1]/", "https://[example.com]/",
    "https://127。0。0。1/", "https://１２７.0.0.1/", "https://①②⑦.0.0.1/", "https://%31%32%37.0.0.1/",
]  # fmt: skip

NOT_ALLOWED = [
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)",
    "data:text/html,x", "//example.com/", "/relative", "example.com", "", "https:example.com", "https:/example.com",
    "https://", "https:///path", "https://?q", "https://user@example.com/", "https://user:pass@example.com/",
    "https://@example.com/", "https://:@example.com/", "https://public.example@127.0.0.1/",
    "https://example.com\\@127.0.0.1/", "https:\\\\example.com", " https://example.com", "https://example.com ",
    "https://exa mple.com/", "https://example.com/a b", "https://example.com/\r\nX: y", "https://example.com/\x00",
    "https://example.com/\x7f", "https://example.com/\u202e", "https://exa\u00admple.com/", "https://\u200bexample.com",
    "https://example.com:0/", "https://example.com:65536/", "https://example.com:/", "https://example.com:+443/",
    "https://example.com:８443/", "https://example.com:x/", "https://example.com:443:443/", "https://[::1",
    "https://::1/", "https://exam*ple.com/", "https://a..b/", "https://.example.com/", f"https://{'a' * 64}.com/",
    f"https://{'a.' * 127}com/",
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/", "https://a.LocalHost./",
    "https://xn--/", "https://XN--A/", "https://xn--zzzzzz.com/", "https://xn--ls8h.la/",
    "https://metadata.google.internal/", "https://db.internal/", "https://printer.local/", "https://nas.home.arpa/",
]  # fmt: skip

ALLOWED = [
    "https://example.com", "HTTPS://EXAMPLE.COM./a", "https://example.com:8443/a?b=c@d#e", "https://8.8.8.8/",
    "https://[2606:4700::1111]:443/x", "https://[::ffff:8.8.8.8]/", "https://exämple.com/ü", "https://xn--exmple-cua.com",
    "https://under_score.example.com/", "https://127.0.0.1.nip.io/", "https://example.com/%0d%0a",
]  # fmt: skip


@pytest.mark.parametrize("url", LITERALS + NOT_ALLOWED)
async def test_unsafe_url_is_refused_without_asking_dns(url: str) -> None:
    with pytest.raises(RequestError):
        check_url(url, NOBODY)
    with pytest.raises(RequestError):
        await resolve_public(url, NOBODY, no_dns)


@pytest.mark.parametrize("url", ALLOWED)
def test_ordinary_url_passes_unchanged(url: str) -> None:
    assert check_url(url, NOBODY) == url


@pytest.mark.parametrize(
    "url",
    ["https://user:s3cret@example.com/", "http://example.com/?key=s3cret", "https://10.0.0.1/?s3cret", "ftp://s3cret/"],
)
def test_message_never_repeats_the_url(url: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_url(url, NOBODY)
    assert "s3cret" not in caught.value.message


def test_trusted_origin_may_be_plain_and_private() -> None:
    trusted = TrustedOrigins.parse("http://127.0.0.1:8090")
    assert check_url("http://127.0.0.1:8090/bfl/v1?x=y", trusted)
    for other in ("http://127.0.0.1:8091/", "https://127.0.0.1:8090/", "http://user@127.0.0.1:8090/"):
        with pytest.raises(RequestError):
            check_url(other, trusted)


async def test_name_passes_only_if_all_its_addresses_are_public() -> None:
    await resolve_public("https://example.com/", NOBODY, Answers(["8.8.8.8", "2606:4700::1111"]))
    for answer in (["8.8.8.8", "10.0.0.1"], ["fd00::1", "8.8.8.8"], ["127.0.0.1"], []):
        with pytest.raises(RequestError):
            await resolve_public("https://example.com/", NOBODY, Answers(answer))


async def test_name_that_does_not_resolve_is_refused() -> None:
    with pytest.raises(RequestError, match="does not resolve"):
        await resolve_public("https://nowhere.example/", NOBODY, unknown_name)


async def test_trusted_and_public_literal_urls_need_no_dns() -> None:
    await resolve_public("http://sandbox:8090/x", TrustedOrigins.parse("http://sandbox:8090"), no_dns)
    await resolve_public("https://8.8.8.8/", NOBODY, no_dns)
