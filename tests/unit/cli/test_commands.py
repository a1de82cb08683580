"""The commands themselves: each can be had, is in the documentation, and speaks JSON where it answers something."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest
from cyclopts import App

import babychain_client
from cli.failures import Exit, exit_of_error, exit_of_run, told
from cli.main import COMMANDS, app
from tests.support.command_line import Caller, caller_environment
from tests.support.scripted import run_data

DOC = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
PLACES = {name: place for group in COMMANDS.values() for name, place in group.items()}
SILENT = {"serve", "setup", "dev", "demo", "mcp"}
"""They run something, and have no answer."""


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


@pytest.mark.parametrize("name", sorted(PLACES.keys() - SILENT))
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


@pytest.mark.parametrize("name", PLACES)
def test_a_commands_help_is_all_that_its_docstring_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    app([name, "--help"])
    shown = re.sub(r"\W+", "", capsys.readouterr().out)
    found = command(PLACES[name])
    says = found.help if isinstance(found, App) else str(found.__doc__).partition("Parameters")[0]
    assert re.sub(r"\W+", "", says) in shown


def test_a_persons_way_on_is_in_what_they_are_told() -> None:
    away = babychain_client.ConnectionFailed("Nothing answers.", unreached=True)
    assert "babychain dev" in told(away)
    refused = babychain_client.InvalidRequest(400, {"message": "No.", "guidance": {"what_to_try_next": ["Less."]}})
    assert told(refused).endswith("→ Less.")
    lost = babychain_client.DownloadFailed("Not whole.")
    lost.run_id = "the-run"
    assert "the-run" in told(lost)


async def test_the_list_of_commands_says_of_each_what_it_does(tmp_path: Path) -> None:
    listed = (await Caller(caller_environment("", tmp_path)).babychain()).out
    assert [name for name in PLACES if not re.search(rf"│ {name} +\w", listed)] == []
