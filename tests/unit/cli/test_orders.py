"""From flags, JSON and files to the body of a request."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from babychain_client import BabyChain
from cli.failures import Exit, Misused
from cli.orders import Order
from tests.support.scripted import answer, scripted
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


@pytest.mark.parametrize("picture", ["https://example.com/boat.jpeg", f"{'0a' * 32}.jpg"])
def test_an_address_or_an_id_of_a_picture_is_handed_on(nobody: BabyChain, picture: str) -> None:
    assert body(nobody, image=picture) == {"input": {"source_image_url": picture}}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"input": "{"}, "no JSON"),
        ({"input": "/no/such/file"}, "no file"),
        ({"set": ["duration"]}, "--set takes NAME=VALUE"),
        ({"model": ["=x"]}, "--model takes NAME=VALUE"),
        ({"input": '{"a": 1}', "set": ["a.b=1"]}, "a is a value"),
        ({"input": '{"a": NaN}'}, "no JSON"),
        ({"input": '{"input": {"chain_models": ["a"]}}', "model": ["a=b"]}, "chain_models must be a JSON object"),
        ({"input": '{"input": {}, "metadata": "s"}', "tag": ["a"]}, "metadata must be a JSON object"),
        ({"input": '{"input": {}, "idempotency_key": "k"}'}, "'idempotency_key'"),
        ({"image": "/nope.jpg"}, "no file '/nope.jpg'"),
    ],
)
def test_what_cannot_be_read_names_the_flag_and_is_a_wrong_command_line(
    nobody: BabyChain, flags: dict[str, Any], said: str
) -> None:
    with pytest.raises(Misused, match=said) as refused:
        body(nobody, **flags)
    assert refused.value.exit_code is Exit.MISUSED


async def prompted(given: dict[str, Any], **flags: Any) -> Any:
    chains = {"data": [{"slug": "chain1", "steps": [{"key": "draw"}, {"key": "move"}]}]}

    def work() -> Any:
        with httpx.Client(trust_env=False) as http:
            return body(BabyChain(server.url, "a key", http=http), input=json.dumps(given), **flags)["input"]

    async with scripted(answer(200, chains)) as server:
        return await asyncio.to_thread(work)


async def test_a_prompt_wins_over_the_file_wherever_the_file_has_it() -> None:
    assert await prompted({"draw_prompt": "file"}, prompt="flag") == {"draw_prompt": "flag", "move_prompt": "flag"}
    own = {
        "draw_params": {"prompt": "file", "width": 8},
        "move_params": {"content": [{"type": "image_url"}, {"type": "text", "text": "file"}]},
    }
    assert await prompted(own, prompt="flag") == {
        "draw_params": {"prompt": "flag", "width": 8},
        "move_params": {"content": [{"type": "image_url"}, {"type": "text", "text": "flag"}]},
    }
    words = {"draw_params": {"generation_prompt": "file"}, "move_prompt": "file"}
    assert await prompted(words, prompt="flag") == {
        "draw_params": {"generation_prompt": "flag"},
        "move_prompt": "flag",
    }
    odd = {"draw_params": "the API's to refuse", "move_params": {"content": "too"}}
    assert await prompted(odd, prompt="flag", set=["move_prompt=own"]) == odd | {
        "draw_prompt": "flag",
        "move_prompt": "own",
    }
