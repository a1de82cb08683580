"""What goes wrong around the command line: a reader that leaves, a full disk, a missing setting, Ctrl-C at a question.

Each is told in one sentence, and none costs anything."""

import asyncio
import json
import os
import pty
import signal
import sys
from pathlib import Path

import pytest

from tests.support.bodies import drawn
from tests.support.command_line import Caller, caller_environment
from tests.support.service import Service
from tests.support.serving import free_port


@pytest.fixture
def caller(service: Service, tmp_path: Path) -> Caller:
    return Caller(caller_environment(str(service.api.base_url), tmp_path))


async def read_one_line(caller: Caller, *words: str) -> tuple[bytes, int | None, str]:
    """As `babychain ... | head -1` does."""
    process = await caller.start(*words)
    assert process.stdout is not None
    assert process.stderr is not None
    line = await process.stdout.readline()
    process.stdout._transport.close()  # type: ignore[attr-defined]
    err = await process.stderr.read()
    return line, await process.wait(), err.decode()


@pytest.mark.parametrize("more", [["--json"], []])
async def test_a_reader_that_has_seen_enough_ends_the_watching_without_a_word(caller: Caller, more: list[str]) -> None:
    words = ("run", "chain1", "-p", "read by head", "--watch", *more)
    line, code, err = await read_one_line(caller, *words)
    assert line
    assert (code, err) == (1, "")


async def test_lines_whose_ends_nobody_reads_go_on_and_are_taken_up_again(caller: Caller, tmp_path: Path) -> None:
    file = tmp_path / "unread.jsonl"
    file.write_text("\n".join(json.dumps(drawn(f"unread {number}")) for number in range(3)))
    words = ("run", "chain1", "--each", str(file), "--yes")
    line, code, err = await read_one_line(caller, *words)
    assert b"3 runs of chain1" in line
    assert code == 1
    assert err.splitlines() == ["babychain: Runs that were started go on. The same command takes them up again."]
    again = await caller.babychain(*words, "--json")
    assert again.lines[-1] == {"event": "summary", "lines": 3, "succeeded": 3}


async def test_where_files_or_results_cannot_be_written_nothing_is_started(
    service: Service, caller: Caller, tmp_path: Path
) -> None:
    said = await caller.babychain("run", "chain1", "-p", "nowhere to put it", "-d", "/dev/null/out")
    assert (said.code, said.err) == (2, "babychain: --download: /dev/null/out can't be made: Not a directory.\n")
    file = tmp_path / "boats.jsonl"
    file.write_text(json.dumps(drawn("nowhere to put it")))
    (tmp_path / "boats.jsonl.results").symlink_to("/dev/null/results")
    said = await caller.babychain("run", "chain1", "--each", str(file), "--yes")
    assert (said.code, said.err) == (1, f"babychain: {file}.results: Not a directory\n")
    assert await service.submits(prompt="nowhere to put it") == []


async def test_a_line_whose_files_cannot_be_kept_stops_no_other(caller: Caller, tmp_path: Path) -> None:
    file, out = tmp_path / "two.jsonl", tmp_path / "out"
    file.write_text("\n".join(json.dumps(drawn(f"kept {number}")) for number in (1, 2)))
    words = ("run", "chain1", "--each", str(file), "--yes", "--json")
    first = await caller.babychain(*words)
    blocked = next(line["run_id"] for line in first.lines if line.get("line") == 1)
    (tmp_path / "two.jsonl.results").unlink()
    out.mkdir()
    (out / f"00001-{blocked}").write_text("a file where a folder should come")
    said = await caller.babychain(*words, "--download", str(out))
    assert said.lines[-1] == {"event": "summary", "lines": 2, "succeeded": 1, "unfinished": 1}


async def test_a_full_disk_is_one_sentence(caller: Caller) -> None:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", '"$0" -m cli templates > /dev/full', sys.executable),
        env=dict(caller.env),
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert (process.returncode, err) == (1, b"babychain: No space left on device\n")


async def test_a_wrong_command_line_is_json_to_whoever_asked_for_json(caller: Caller) -> None:
    said = await caller.babychain("get", "--jsn", "--json")
    assert (said.code, said.out) == (2, "")
    assert "--jsn" in json.loads(said.err)["error"]["message"]
    plain = await caller.babychain("run", "chain1", "--wach")
    assert plain.err == "babychain: Unknown option: --wach. Did you mean --watch?\n"


@pytest.mark.parametrize("part", ["api", "worker"])
async def test_a_part_without_its_settings_says_so_in_one_line(tmp_path: Path, part: str) -> None:
    env = caller_environment("", tmp_path, key="")
    said = await Caller(env).babychain("serve", part)
    assert said.code == 1
    assert len(said.err.splitlines()) == 1
    assert "BABYCHAIN_SECRET" in said.err
    wrong = await Caller(env | {"BABYCHAIN_API_PORT": "eighty"}).babychain("templates")
    assert (wrong.code, wrong.err.splitlines()[0][:45]) == (2, "babychain: BABYCHAIN_API_PORT is no port: one")


async def test_ctrl_c_at_the_question_starts_nothing(service: Service, caller: Caller, tmp_path: Path) -> None:
    file = tmp_path / "asked.jsonl"
    file.write_text(json.dumps(drawn("asked about")))
    terminal, inside = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "run", "chain1", "--each", str(file)),
        env=dict(caller.env),
        stdin=inside,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        await process.stdout.readuntil(b"Start them?")
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            _, err = await process.communicate()
        assert (process.returncode, err) == (130, b"babychain: Nothing was started.\n")
        assert await service.submits(prompt="asked about") == []
    finally:
        if process.returncode is None:
            process.kill()
        os.close(terminal)
        os.close(inside)


async def test_the_doctor_finds_what_is_wrong_with_a_key_or_a_database_and_changes_nothing(tmp_path: Path) -> None:
    env = caller_environment(f"http://127.0.0.1:{free_port()}", tmp_path, key="a-key-of-the-doctors-test") | {
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "BABYCHAIN_SECRET": "a-secret-of-the-doctors-test-that-is-long",
        "BABYCHAIN_CALLBACK_SECRET": "a-secret-of-the-doctors-test-that-is-long",
        "BABYCHAIN_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/none.db",
    }
    byok = await Caller(env | {"BABYCHAIN_PROVIDER_MODE": "byok", "BFL_API_KEY": "x"}).babychain("doctor", "--json")
    found = {one["part"]: one for one in byok.json["data"]}
    assert "BFL_API_KEY" in found["provider bfl"]["says"]
    assert (found["database"]["state"], found["database"]["says"]) == ("bad", "there is none yet")
    assert not (tmp_path / "none.db").exists()
    babysea = await Caller(env | {"BABYCHAIN_PROVIDER_MODE": "babysea"}).babychain("doctor", "--json")
    [missing] = [one for one in babysea.json["data"] if one["part"] == "providers"]
    assert "Set one of BABYSEA_API_KEY;" in missing["remedy"]
