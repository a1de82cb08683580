"""What stands beside `input` in a body, and everything that can be wrong with it."""

from typing import Any

import pytest

from api.requests import read_envelope
from domain.errors import RequestError

Json = dict[str, Any]

KEY = "sk" + "-live-0123456789abcdefghijABCDEF"
SECRET = "the-secret-itself"


def refused(body: Json) -> RequestError:
    """Of a body without an `input`: there is nothing to plan, so its faults are raised at once."""
    with pytest.raises(RequestError) as caught:
        read_envelope(body)
    assert (caught.value.reason, caught.value.message) == ("invalid_request", "Request validation failed.")
    return caught.value


def places(error: RequestError) -> list[str]:
    return [".".join(map(str, fault.path)) for fault in error.faults]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"api_key": SECRET}, "api_key"),
        ({"X-API-Keys": [SECRET]}, "X-API-Keys"),
        ({"execution": {"deep": [{"clientSecret": SECRET}]}}, "execution.deep.0.clientSecret"),
        ({"note": f"use {KEY}"}, "note"),
        ({"metadata": {"api_key": SECRET}}, "metadata.api_key"),
        ({"metadata": {"order": KEY}}, "metadata.order"),
        ({"metadata": {"tags": ["shop", KEY]}}, "metadata.tags"),
        ({"metadata": {"deep": {"Authorization": f"Bearer {KEY}"}}}, "metadata.deep.Authorization"),
        ({"metadata": {"note": f"Authorization: Bearer {KEY.removeprefix('sk-')}"}}, "metadata.note"),
        ({"metadata": {KEY: "x"}}, "metadata.[hidden]"),
        ({KEY: "x"}, "[hidden]"),
    ],
)
def test_a_credential_beside_the_input_is_refused_at_its_place_and_not_repeated(body: Json, place: str) -> None:
    error = refused(body)
    assert places(error) == [place]
    said = f"{error.message} {error.faults}"
    assert KEY not in said
    assert SECRET not in said


def test_a_credential_is_found_in_the_deepest_and_fullest_metadata_that_is_taken() -> None:
    deep: Json = {"token": SECRET}
    for _ in range(11):
        deep = {"a": deep}
    assert places(refused({"metadata": deep})) == [f"metadata.{'a.' * 11}token"]
    full = {f"key {number}": number for number in range(199)} | {"token": SECRET}
    assert places(refused({"metadata": full})) == ["metadata.token"]


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"order": "7781", "object_key": "a/b.png", "note": "a secret token, an api_key, password: none"}},
        {
            "metadata": {"source": f"https://a.example/b.png?token={KEY}"},
            "webhook_url": f"https://a.example/?key={KEY}",
        },
        {"execution": {"type": "self_control"}, "from_step": "image_to_video", "max_tokens": 5},
    ],
)
def test_a_body_that_only_speaks_of_credentials_passes(body: Json) -> None:
    assert read_envelope(body).faults == ()


def test_ignored_fields_without_an_end_are_ignored_still() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    ignored = {"deep": deep, "wide": [0] * 5_000, "long": KEY + "x" * 70_000, "half \ud800": KEY}
    assert read_envelope(ignored).faults == ()


def test_a_body_of_credentials_alone_does_not_make_an_endless_answer() -> None:
    assert len(refused({f"api_key_{number}": SECRET for number in range(5_000)}).faults) == 100


def test_every_fault_beside_the_input_is_in_one_refusal() -> None:
    body = {"metadata": 5, "max_cost": "a", "webhook_url": "no url", "fallbacks": 1, "api_key": SECRET}
    assert set(places(refused(body))) == {"metadata", "max_cost", "webhook_url", "fallbacks", "api_key"}
