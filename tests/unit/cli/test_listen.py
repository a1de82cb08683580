"""Which ends `babychain listen` takes for new, and what it says of receivers."""

import json

import httpx
import pytest

from babychain_client import RunState
from cli.failures import Misused
from cli.listen import Ends, Forwarding, listen
from tests.support.scripted import run_data
from tests.support.serving import free_port


def ended(id: str, at: str) -> RunState:
    return RunState.read(run_data("succeeded", id=id, updated_at=f"2026-11-21T{at}+00:00"))


def new(ends: Ends, *page: RunState) -> list[str]:
    return [state.id for state in ends.new(list(page))]


def test_only_what_ends_after_the_first_look_is_forwarded_once_and_in_order() -> None:
    ends = Ends()
    old = ended("old", "08:00:00")
    assert new(ends, old) == []
    first, second = ended("first", "08:00:00"), ended("second", "08:00:01")
    assert new(ends, second, first, old) == ["first", "second"]
    assert new(ends, second, first, old) == []


def test_an_older_run_that_moves_up_because_another_was_deleted_is_no_new_end() -> None:
    ends = Ends()
    assert new(ends, ended("a", "08:00:05")) == []
    assert new(ends, ended("older", "07:59:00")) == []


def test_where_nothing_had_ended_everything_is_new() -> None:
    ends = Ends()
    assert new(ends) == []
    assert new(ends, ended("first", "08:00:00")) == ["first"]


@pytest.mark.parametrize("url", ["nonsense", "http://[bad", "localhost:9000", "ftp://localhost/", "http://h:99999/"])
def test_what_is_no_web_address_is_refused_before_anything_is_awaited(url: str) -> None:
    with pytest.raises(Misused, match="no web address"):
        listen(url)


async def test_a_receiver_that_is_away_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    forwarding = Forwarding(f"http://127.0.0.1:{free_port()}", "a secret", as_json=True)
    async with httpx.AsyncClient(trust_env=False) as http:
        assert not await forwarding.send(http, ended("away", "08:00:00"))
    assert json.loads(capsys.readouterr().out)["error"] == "Nobody listens there."
