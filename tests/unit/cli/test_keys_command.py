"""`babychain keys`: what a person and a script get to see, and what is in the database afterwards."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.environment import keep_secrets
from cli.failures import CommandFailed
from cli.keys import keys
from storage.database import open_database
from storage.keys import KeyStore, StoredKey, hash_key
from tests.support.command_line import Caller, caller_environment
from tests.support.runs import SECRETS

Command = Callable[..., Any]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"BABYCHAIN_{name.upper()}", value)
    monkeypatch.setenv("BABYCHAIN_DATA_DIR", str(tmp_path))
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    monkeypatch.setenv("BABYCHAIN_DATABASE_URL", url)
    return url


def command(*words: str) -> None:
    assert keys(words, result_action="return_value") == 0


def stored(url: str) -> list[StoredKey]:
    async def read() -> list[StoredKey]:
        engine = open_database(url)
        try:
            return await KeyStore(engine).listed()
        finally:
            await engine.dispose()

    return asyncio.run(read())


def test_a_key_alone_goes_to_standard_output_so_that_a_script_can_take_it(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command("create", "alice", "--name", "laptop", "--days", "30", "--creates-per-minute", "5")
    told = capsys.readouterr()
    [key] = stored(database)
    assert hash_key(told.out.strip()) == key.hash
    assert (key.caller, key.name, key.creates_per_minute) == ("alice", "laptop", 5)
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days in (29, 30)
    assert key.scopes == {"chains:run", "chains:read", "runs:cancel"}
    assert key.id in told.err
    assert told.out.strip() not in told.err


def test_rotate_and_revoke_leave_what_list_shows(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    command("create", "alice", "--scope", "chains:read", "--json")
    first = json.loads(capsys.readouterr().out)
    command("rotate", first["id"], "--overlap-seconds", "60", "--json")
    second = json.loads(capsys.readouterr().out)
    command("revoke", second["id"], "--json")
    capsys.readouterr()
    command("list", "--json")
    shown = {key["id"]: key for key in json.loads(capsys.readouterr().out)["data"]}
    assert shown[first["id"]]["replaced_by"] == second["id"]
    assert shown[second["id"]]["status"] == "revoked"
    assert shown[second["id"]]["scopes"] == ["chains:read"]
    assert all("key" not in key for key in shown.values())
    command("list")
    assert first["id"] in capsys.readouterr().out, "an id cut short can't be handed to rotate"
    command("list", "--caller", "bob")
    assert first["prefix"] not in capsys.readouterr().out


def test_caps_and_callback_secret_of_a_caller(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    command("create", "alice", "--json")
    capsys.readouterr()
    command("callback-secret", "alice", "--json")
    assert json.loads(capsys.readouterr().out)["secret"].startswith("whsec_")
    command("caps", "alice", "--daily-cap", "5000000", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["daily_cap"], shown["monthly_cap"], shown["has_callback_secret"]) == (5_000_000, None, True)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["create", "a b"], "caller"),
        (["create", "alice", "--scope", "everything"], "scopes"),
        (["create", "alice", "--days", "0"], "expires_at"),
        (["rotate", "none", "--overlap-seconds", "-1"], "overlap_seconds"),
    ],
)
def test_a_wrong_word_is_refused_by_its_name_and_changes_nothing(database: str, words: list[str], field: str) -> None:
    with pytest.raises(CommandFailed) as caught:
        command(*words)
    assert caught.value.details[0].startswith(field)
    assert stored(database) == []


def test_a_key_that_is_not_there_is_said_to_be_not_there(database: str) -> None:
    with pytest.raises(CommandFailed, match="no such key"):
        command("revoke", "none")


def test_what_is_shown_to_people_has_no_microseconds(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    command("create", "alice", "--days", "30")
    told = capsys.readouterr().err
    command("list")
    assert re.search(r"expires_at +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n", told)
    assert not re.search(r"\d:\d\d\.\d", told + capsys.readouterr().out)


async def test_where_dev_has_run_its_secrets_fill_in_and_elsewhere_the_remedy_is_said(tmp_path: Path) -> None:
    caller = Caller(caller_environment("", tmp_path, key=""))
    lacking = await caller.babychain("keys", "list")
    assert lacking.code == 1
    assert "missing" in lacking.err
    assert "docs/operating.md" in lacking.err
    keep_secrets(tmp_path / "dev.env", {})
    refused = await caller.babychain("keys", "create", "a b", "--json")
    assert refused.code == 2
    assert json.loads(refused.err)["error"]["details"][0].startswith("caller: must be")
    assert (await caller.babychain("keys", "create", "alice", "--json")).json["caller"] == "alice"
    listed = await caller.babychain("keys", "list", "--json")
    assert [key["caller"] for key in listed.json["data"]] == ["alice"]
