"""Caller keys of the environment: who is who, and which sets of keys are none."""

import pytest

from api.callers import SCOPES, EnvironmentKeys
from domain.errors import AuthError, SetupError

ONE, TWO = "bchn_one_0123456789", "bchn_two_0123456789"


@pytest.mark.parametrize("text", [f"{ONE},{TWO}", f"{ONE}\n{TWO}", f" {ONE} ,\n\n {TWO},"])
def test_keys_are_split_at_commas_and_lines(text: str) -> None:
    keys = EnvironmentKeys(text)
    one, two = [keys.authenticate(f"Bearer {key}") for key in (ONE, TWO)]
    assert one.id != two.id
    assert one.scopes == SCOPES


@pytest.mark.parametrize("text", ["", " , \n", "short", f"{ONE},short", f"{ONE},{ONE[:12]}other", f"{ONE},{ONE}"])
def test_keys_that_cannot_be_told_apart_stop_the_start(text: str) -> None:
    with pytest.raises(SetupError) as caught:
        EnvironmentKeys(text)
    assert ONE not in caught.value.message


def test_a_callers_id_outlives_the_rest_of_the_key_and_does_not_show_it() -> None:
    old, new = [EnvironmentKeys(key).authenticate(f"Bearer {key}") for key in (ONE, ONE[:12] + "-rotated")]
    assert old == new
    assert ONE[:12] not in old.id


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", f"bearer {ONE}", f"Token {ONE}", ONE])
def test_a_header_without_a_bearer_key_is_a_missing_key(header: str | None) -> None:
    with pytest.raises(AuthError) as caught:
        EnvironmentKeys(ONE).authenticate(header)
    assert caught.value.reason == "missing_api_key"


@pytest.mark.parametrize("key", [TWO, ONE[:-1], ONE + "x", ONE.upper(), f" {ONE}", "\ud800", "🛶"])
def test_another_key_is_an_invalid_key(key: str) -> None:
    with pytest.raises(AuthError) as caught:
        EnvironmentKeys(ONE).authenticate(f"Bearer {key}")
    assert caught.value.reason == "invalid_api_key"
