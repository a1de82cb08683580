"""From flags, JSON and files to the body of a request."""

import json
from pathlib import Path
from typing import Any

import pytest

from babychain_client import BabyChain
from cli.failures import CommandFailed
from cli.orders import Order
from tests.support.serving import free_port


@pytest.fixture
def nobody() -> BabyChain:
    """Nothing answers there: what these flags say needs no API."""
    return BabyChain(f"http://127.0.0.1:{free_port()}", "a key", tries=1)


def body(client: BabyChain, **flags: Any) -> dict[str, Any]:
    return Order(**flags).body(client, "chain1")


def test_an_input_and_a_whole_body_are_told_apart(nobody: BabyChain, tmp_path: Path) -> None:
    assert body(nobody, input='{"a": 1}') == {"input": {"a": 1}}
    file = tmp_path / "body.json"
    file.write_text(json.dumps({"input": {"a": 1}, "fallbacks": False}))
    assert body(nobody, input=str(file)) == {"input": {"a": 1}, "fallbacks": False}


def test_values_are_what_they_look_like_and_reach_deep(nobody: BabyChain) -> None:
    made = body(nobody, set=["p.duration=4", "p.watermark=false", "p.content=[1]", "prompt=4 boats", "n=x=y"])
    assert made["input"] == {"p": {"duration": 4, "watermark": False, "content": [1]}, "prompt": "4 boats", "n": "x=y"}


def test_flags_win_over_the_file(nobody: BabyChain) -> None:
    given = json.dumps(
        {"input": {"chain_models": {"a_model": "x", "b_model": "y"}}, "metadata": {"order": "1", "b": "2"}}
    )
    made = body(
        nobody, input=given, model=["a=z"], metadata=["order=7"], tag=["one"], max_cost="0.5", webhook_url="http://h"
    )
    assert made["input"]["chain_models"] == {"a_model": "z", "b_model": "y"}
    assert made["metadata"] == {"order": "7", "b": "2", "tags": ["one"]}
    assert (made["max_cost"], made["webhook_url"]) == ("0.5", "http://h")


def test_an_address_of_a_picture_is_handed_on(nobody: BabyChain) -> None:
    assert body(nobody, image="https://example.com/boat.jpeg") == {
        "input": {"source_image_url": "https://example.com/boat.jpeg"}
    }


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"input": "{"}, "no JSON"),
        ({"input": "/no/such/file"}, "no file"),
        ({"set": ["duration"]}, "--set takes NAME=VALUE"),
        ({"model": ["=x"]}, "--model takes NAME=VALUE"),
        ({"input": '{"a": 1}', "set": ["a.b=1"]}, "a is a value"),
    ],
)
def test_what_cannot_be_read_names_the_flag(nobody: BabyChain, flags: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandFailed, match=said):
        body(nobody, **flags)
