"""Which API the commands talk to."""

import pytest

from cli.failures import Misused
from cli.session import api_url


def test_the_callers_own_name_for_the_api_wins() -> None:
    assert api_url({"BABYCHAIN_URL": "https://one", "BABYCHAIN_PUBLIC_URL": "https://two"}) == "https://one"
    assert api_url({"BABYCHAIN_PUBLIC_URL": "https://two"}) == "https://two"
    assert api_url({"BABYCHAIN_API_PORT": "8100"}) == "http://127.0.0.1:8100"


@pytest.mark.parametrize("url", ["localhost:8000", "media.example.com", "http://", "http://h:x", "user:s3cr3t@host"])
def test_an_address_that_is_none_is_named_by_its_variable_and_not_repeated(url: str) -> None:
    with pytest.raises(Misused, match="BABYCHAIN_URL is no web address") as refused:
        api_url({"BABYCHAIN_URL": url})
    assert "s3cr3t" not in str(refused.value)
