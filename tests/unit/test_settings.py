"""The environment is read whole or refused by name."""

import pytest

from domain.errors import SetupError
from settings import Settings
from tests.support.runs import SECRETS


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"BABYCHAIN_{name.upper()}", value)
    return monkeypatch


def test_every_missing_and_every_wrong_name_is_said_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("BABYCHAIN_SECRET")
    environment.delenv("BABYCHAIN_API_KEY")
    environment.setenv("BABYCHAIN_ASSET_LINK_DAYS", "soon")
    with pytest.raises(SetupError) as caught:
        Settings.load()
    assert caught.value.facts == {
        "missing": ["BABYCHAIN_SECRET", "BABYCHAIN_API_KEY"],
        "invalid": ["BABYCHAIN_ASSET_LINK_DAYS"],
    }
    assert "soon" not in caught.value.message


def test_a_mode_that_is_not_there_stops_the_start_and_is_not_pretended(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BABYCHAIN_PROVIDER_MODE", "seababy")
    with pytest.raises(SetupError, match="BABYCHAIN_PROVIDER_MODE"):
        Settings.load()


def test_babysea_mode_reads_its_key_from_the_real_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BABYCHAIN_PROVIDER_MODE", "babysea")
    seen = Settings.load().provider_environment({"BABYSEA_API_KEY": "bye_0123456789"})
    assert seen["BABYSEA_API_KEY"] == "bye_0123456789"
    assert "BABYSEA_API_BASE_URL" not in seen


def test_links_live_a_week_at_least(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BABYCHAIN_ASSET_LINK_DAYS", "6")
    with pytest.raises(SetupError, match="BABYCHAIN_ASSET_LINK_DAYS"):
        Settings.load()


def test_real_provider_keys_are_not_even_looked_at_in_sandbox_mode(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BABYCHAIN_PROVIDER_MODE", "sandbox")
    seen = Settings.load().provider_environment({"BFL_API_KEY": "a-real-key", "ARK_API_KEY": "another"})
    assert seen["BFL_API_KEY"] == "sandbox-bfl"
    assert "a-real-key" not in seen.values()
    assert seen["BFL_API_BASE_URL"] == "http://127.0.0.1:8090/bfl"


def test_only_a_public_https_address_lets_providers_reach_us(environment: pytest.MonkeyPatch) -> None:
    assert not Settings.load().providers_reach_us
    environment.setenv("BABYCHAIN_PUBLIC_URL", "http://media.example.com")
    assert not Settings.load().providers_reach_us
    environment.setenv("BABYCHAIN_PUBLIC_URL", "https://media.example.com")
    assert Settings.load().providers_reach_us


def test_over_plain_http_providers_reach_us_where_the_operator_vouches_for_our_address(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("BABYCHAIN_PUBLIC_URL", "http://127.0.0.1:8000")
    environment.setenv("BABYCHAIN_TRUSTED_ORIGINS", "http://127.0.0.1:8090")
    assert not Settings.load().providers_reach_us
    environment.setenv("BABYCHAIN_TRUSTED_ORIGINS", "http://127.0.0.1:8090,http://127.0.0.1:8000")
    assert Settings.load().providers_reach_us
