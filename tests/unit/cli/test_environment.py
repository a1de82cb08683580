"""What `dev` and `demo` add to the environment."""

import stat
from pathlib import Path

import pytest

from cli.environment import keep_secrets, local_environment

NAMES = {"BABYCHAIN_SECRET", "BABYCHAIN_API_KEY", "BABYCHAIN_CALLBACK_SECRET", "BABYCHAIN_CRON_SECRET"}


def test_secrets_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    file = tmp_path / "data" / "dev.env"
    made = keep_secrets(file, {})
    assert made.keys() == NAMES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keep_secrets(file, {}) == made


def test_a_secret_that_is_set_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "dev.env"
    assert "BABYCHAIN_API_KEY" not in keep_secrets(file, {"BABYCHAIN_API_KEY": "mine"})
    assert "BABYCHAIN_API_KEY" in keep_secrets(file, {}), "it is made when it is set no more"


def test_a_file_that_others_could_read_is_closed_before_a_secret_enters(tmp_path: Path) -> None:
    file = tmp_path / "dev.env"
    file.touch(mode=0o644)
    keep_secrets(file, {})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({}, "sandbox"),
        ({"ACME_API_KEY": ""}, "sandbox"),
        ({"ACME_API_KEY": "key"}, None),
        ({"BABYCHAIN_PROVIDER_MODE": "byok"}, "byok"),
    ],
)
def test_the_sandbox_is_chosen_only_where_no_key_and_no_mode_is_set(
    tmp_path: Path, given: dict[str, str], mode: str | None
) -> None:
    env = local_environment(given | {"BABYCHAIN_DATA_DIR": str(tmp_path)}, ["ACME_API_KEY"])
    assert env.get("BABYCHAIN_PROVIDER_MODE") == mode


def test_ports_move_the_addresses(tmp_path: Path) -> None:
    given = {"BABYCHAIN_API_PORT": "8100", "BABYCHAIN_TEMPORAL_PORT": "7300", "BABYCHAIN_DATA_DIR": str(tmp_path)}
    env = local_environment(given, [])
    assert env["BABYCHAIN_PUBLIC_URL"] == "http://127.0.0.1:8100"
    assert env["TEMPORAL_ADDRESS"] == "127.0.0.1:7300"


def test_what_is_set_stays(tmp_path: Path) -> None:
    given = {
        "BABYCHAIN_PUBLIC_URL": "https://media.example.com",
        "TEMPORAL_ADDRESS": "temporal.example.com:7233",
        "BABYCHAIN_SHUTDOWN_GRACE": "20",
        "BABYCHAIN_DATA_DIR": str(tmp_path),
    }
    assert local_environment(given, []).items() >= given.items()
