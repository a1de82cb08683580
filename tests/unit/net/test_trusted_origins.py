import pytest

from domain.errors import SetupError
from net.origins import TrustedOrigins


def test_default_ports_and_case_make_no_difference() -> None:
    trusted = TrustedOrigins.parse("https://Files.Example, http://127.0.0.1:8090/ ,http://[::1]:81,")
    assert trusted.allows("https://files.example:443/a")
    assert trusted.allows("https://FILES.example./a?b")
    assert trusted.allows("http://127.0.0.1:8090")
    assert trusted.allows("http://[::1]:81/x")
    assert trusted.has_peer("127.0.0.1", 8090)
    assert trusted.has_peer("::1", 81)


@pytest.mark.parametrize(
    "url",
    ["http://files.example/", "https://files.example:444/", "https://a.files.example/", "https://files.example.evil.com/",
     "https://files.example@evil.com/", "ftp://files.example/", "", "https://[", "files.example"],
)  # fmt: skip
def test_any_other_origin_is_not_trusted(url: str) -> None:
    assert not TrustedOrigins.parse("https://files.example").allows(url)


def test_nobody_is_trusted_by_default() -> None:
    assert TrustedOrigins.parse(" , ") == TrustedOrigins()
    assert not TrustedOrigins().allows("https://example.com")
    assert not TrustedOrigins().has_peer("example.com", 443)


@pytest.mark.parametrize(
    "entry",
    ["example.com", "https://", "ftp://example.com", "https://example.com/path", "https://example.com?q=1",
     "https://example.com?", "https://example.com#x", "https://u:s3cret@example.com", "https://*.example.com",
     "https://example.com:0", "https://example.com:99999", "https://[::1", "*"],
)  # fmt: skip
def test_wrong_entry_stops_the_start_without_being_repeated(entry: str) -> None:
    with pytest.raises(SetupError) as caught:
        TrustedOrigins.parse(f"https://good.example,{entry}")
    assert "s3cret" not in caught.value.message
