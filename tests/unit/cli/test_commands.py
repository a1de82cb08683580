"""The commands themselves: each can be had, is in the documentation, and speaks JSON where it answers something."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest
from cyclopts import App

import babychain_client
from cli.failures import Exit, exit_of_error, exit_of_run
from cli.main import COMMANDS, app
from tests.support.scripted import run_data

DOC = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
PLACES = {name: place for group in COMMANDS.values() for name, (place, _) in group.items()}
SILENT = {"serve", "setup", "dev", "demo", "mcp"}
"""They run something, and have no answer."""
OTHERS = {"providers"}


def command(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("name", PLACES)
def test_every_command_is_there_under_its_name(name: str) -> None:
    found = command(PLACES[name])
    assert callable(found)
    assert name in app.resolved_commands()


def test_the_documentation_lists_exactly_the_commands_there_are() -> None:
    listed = re.findall(r"^\| `([a-z]+)` \|", DOC, re.MULTILINE)
    assert sorted(listed) == sorted(PLACES)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_learns_commands_and_flags(shell: Literal["bash", "zsh", "fish"]) -> None:
    script = app.generate_completion(shell=shell)
    assert all(name in script for name in PLACES)
    assert "download" in script


def test_the_documentation_lists_every_exit_code() -> None:
    listed = re.findall(r"^\| (\d+) \|", DOC, re.MULTILINE)
    assert sorted(map(int, listed)) == sorted(Exit)


@pytest.mark.parametrize("name", sorted(PLACES.keys() - SILENT - OTHERS))
def test_every_command_that_answers_takes_json(name: str) -> None:
    found = command(PLACES[name])
    parts = (
        [found[word] for word in found if not word.startswith("-")]
        if isinstance(found, App)
        else [App(default_command=found)]
    )
    for part in parts:
        words = {flag for argument in part.assemble_argument_collection() for flag in argument.names}
        assert "--json" in words, part.name


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (babychain_client.InvalidRequest(400, {}), Exit.REFUSED),
        (babychain_client.NotFound(404, {}), Exit.REFUSED),
        (babychain_client.TooManyRequests(429, {}), Exit.UNREACHABLE),
        (babychain_client.ServiceUnavailable(503, {}), Exit.UNREACHABLE),
        (babychain_client.ConnectionFailed("gone"), Exit.UNREACHABLE),
        (babychain_client.DownloadFailed("cut"), Exit.FAILED),
        (babychain_client.WaitTimeout(babychain_client.RunState.read(run_data("running")), 3), Exit.STILL_RUNNING),
    ],
)
def test_a_script_can_tell_what_went_wrong(error: babychain_client.BabyChainError, code: Exit) -> None:
    assert exit_of_error(error) is code


@pytest.mark.parametrize(
    ("status", "code"),
    [("succeeded", Exit.DONE), ("failed", Exit.RUN_FAILED), ("canceled", Exit.RUN_CANCELED)],
)
def test_a_script_can_tell_how_a_run_ended(status: str, code: Exit) -> None:
    assert exit_of_run(babychain_client.RunState.read(run_data(status))) is code
