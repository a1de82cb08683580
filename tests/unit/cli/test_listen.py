"""Which ends `babychain listen` takes for new."""

from babychain_client import RunState
from cli.listen import Ends
from tests.support.scripted import run_data


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
