"""What may be kept of a receiver: nothing that could open a door."""

import pytest

from net.receivers import excerpt, masked_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://shop.example.com/hook", "https://shop.example.com/hook"),
        (
            "https://shop.example.com:8443/hook?token=abc&kind=run",
            "https://shop.example.com:8443/hook?token=***&kind=***",
        ),
        ("https://shop.example.com/hook?abc", "https://shop.example.com/hook?abc=***"),
        ("https://shop.example.com/hook?a%00b=1&&%1b[m", "https://shop.example.com/hook?a%00b=***&%1b[m=***"),
        ("https://shop.example.com/services/T0/0123456789abcdef01234567", "https://shop.example.com/services/T0/***"),
        ("https://user:password@shop.example.com/hook", "https://shop.example.com/hook"),
        ("https://shop.example.com/hook#secret", "https://shop.example.com/hook"),
    ],
)
def test_an_address_is_shown_without_what_could_be_a_token(url: str, shown: str) -> None:
    assert masked_url(url) == shown


def test_an_answer_is_shown_short_on_one_line_and_without_controls() -> None:
    assert (
        excerpt(b"not\r\n\x1b[31mnow\x00, \xff" + b"please wait " * 100)
        == ("not [31mnow , \ufffd" + "please wait " * 100)[:200]
    )
    assert excerpt(b"") is None
    assert excerpt(b" \n ") is None


def test_an_answer_that_repeats_secrets_is_shown_without_them() -> None:
    said = excerpt(b'{"secret": "hunter2", "signature": "v1=0123456789abcdef0123456789abcdef"}', ["hunter2", ""])
    assert said == '{"secret": "***", "signature": "***"}'
