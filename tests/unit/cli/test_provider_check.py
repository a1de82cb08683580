"""Keys that are good, wrong or missing, providers that answer nonsense or nothing, and jobs that are paid for."""

import copy
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

import providers
from cli.failures import CommandFailed
from cli.provider_check import check, checked, compare, compared
from cli.shapes import differences, shape_of
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import running_sandbox

Json = dict[str, Any]

NAMES = [module.NAME for module in providers.modules()]
NOBODY = "http://127.0.0.1:9"
HALF_A_DOLLAR = 500_000
GARBLED: dict[str, dict[str, Any]] = {
    "garbage": {"kind": "garbage"},
    "html": {"kind": "html"},
    "503": {"kind": "status", "status": 503},
    "418": {"kind": "status", "status": 418},
    "wrong types": {"kind": "wrong_type"},
}


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as url, httpx.AsyncClient(trust_env=False, timeout=30) as http:
        yield Sandbox(url, http)


def keys(url: str, **instead: str) -> dict[str, str]:
    env = providers.sandbox_environment(url)
    return (
        env
        | {name: instead["key"] for name in env if name.endswith("_KEY") and instead}
        | {
            "BABYCHAIN_SECRET": "a-secret-of-this-server",
            "BABYCHAIN_TRUSTED_ORIGINS": f"{url},{url.replace('127.0.0.1', 'localhost')}",
        }
    )


async def said(env: dict[str, str], **more: Any) -> tuple[int, dict[str, str], str]:
    """The exit code, what is said of each provider first, and all of it."""
    out = io.StringIO()
    asked: dict[str, Any] = {"live": False, "budget": HALF_A_DOLLAR, "yes": True, "transcript": None}
    code = await checked(Console(file=out, width=200), env, **(asked | more))
    lines = [line for line in out.getvalue().splitlines() if line.split(" ")[0] in NAMES]
    return code, {line.split(" ")[0]: line[12:].strip() for line in reversed(lines)}, out.getvalue()


# ---- for free -------------------------------------------------------------------------------------------------------


async def test_a_good_key_is_found_good_and_nothing_is_started(sandbox: Sandbox) -> None:
    before = await sandbox.paid_starts()
    code, lines, _ = await said(keys(sandbox.url))
    assert code == 0
    assert lines.keys() == set(NAMES)
    assert all(line.startswith("good: ") for line in lines.values()), lines
    assert await sandbox.paid_starts() == before


async def test_a_wrong_key_is_refused_and_shown_nowhere(sandbox: Sandbox) -> None:
    code, lines, all_of_it = await said(keys(sandbox.url, key="canary-key-123"))
    assert code == 1
    assert all(line.startswith("refused: ") for line in lines.values()), lines
    assert "canary" not in all_of_it


async def test_a_missing_key_is_named_and_nobody_is_asked() -> None:
    code, lines, _ = await said({})
    assert code == 0
    assert lines["bfl"] == "no key: BFL_API_KEY is not set"
    assert all(line.startswith("no key: ") for line in lines.values())


async def test_who_can_not_be_reached_is_called_unreachable() -> None:
    code, lines, _ = await said(keys(NOBODY))
    assert code == 1
    assert all(line.startswith("unreachable: ") for line in lines.values()), lines


@pytest.mark.parametrize("fault", GARBLED)
async def test_an_answer_that_proves_nothing_is_not_called_good(sandbox: Sandbox, fault: str) -> None:
    await sandbox.put_faults({**GARBLED[fault], "operation": "status", "count": 100})
    code, lines, _ = await said(keys(sandbox.url))
    await sandbox.put_faults()
    told = {name: line for name, line in lines.items() if name != "bfl"}  # whose credits the sandbox does not spoil
    assert code == 1
    assert all(line.startswith("unknown: ") for line in told.values()), told


# ---- for money ------------------------------------------------------------------------------------------------------


async def test_the_cheapest_job_of_each_is_run_and_written_down_without_any_value(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    before = await sandbox.paid_starts()
    file = tmp_path / "transcripts" / "today.json"
    code, _, all_of_it = await said(keys(sandbox.url), live=True, transcript=file)
    told = json.loads(file.read_text())["providers"]
    assert code == 0, all_of_it
    assert told["bfl"]["model"] == "bfl/flux-2-klein-4b"
    assert "would run bfl/flux-2-klein-4b for at most 0.014 USD" in all_of_it
    assert "bach         not run: " in all_of_it
    assert {run["outcome"] for run in told.values()} == {"succeeded"}
    assert await sandbox.paid_starts() == before + len(told)
    for value in ("sandbox-", "http:", "_results", "paper boat"):
        assert value not in file.read_text()


async def test_what_costs_more_than_allowed_is_not_run(sandbox: Sandbox, tmp_path: Path) -> None:
    before = await sandbox.paid_starts()
    file = tmp_path / "today.json"
    code, _, all_of_it = await said(keys(sandbox.url), live=True, transcript=file, budget=14_000)
    told = json.loads(file.read_text())["providers"]
    assert code == 0
    assert told.keys() < set(NAMES)
    assert "USD is over --max-cost" in all_of_it
    assert await sandbox.paid_starts() == before + len(told)


class Typed(io.StringIO):
    """By a person, in a terminal."""

    def isatty(self) -> bool:
        return True


async def test_nothing_is_spent_by_who_does_not_say_yes(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await sandbox.paid_starts()
    for typed in (Typed("n\n"), Typed(""), io.StringIO("y\n")):
        monkeypatch.setattr("sys.stdin", typed)
        with pytest.raises(CommandFailed, match="Nothing was run"):
            await said(keys(sandbox.url), live=True, yes=False, transcript=tmp_path / "t.json")
    assert not (tmp_path / "t.json").exists()
    assert await sandbox.paid_starts() == before


# ---- comparing ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def told(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What a transcript says of each provider."""
    file = tmp_path_factory.mktemp("told") / "t.json"
    await said(keys(sandbox.url), live=True, transcript=file, budget=20_000)
    providers: Json = json.loads(file.read_text())["providers"]
    return providers


async def test_a_transcript_of_the_simulators_differs_in_nothing_from_them(sandbox: Sandbox, told: Json) -> None:
    out = io.StringIO()
    assert await compared(Console(file=out), told, sandbox.url) == 0, out.getvalue()


async def test_every_difference_is_named_by_its_place(sandbox: Sandbox, told: Json) -> None:
    real = copy.deepcopy(told)
    real["bfl"]["answers"]["submit"]["answer"] |= {"region": "text", "id": "number"}
    out = io.StringIO()
    assert await compared(Console(file=out, width=200), real, sandbox.url) == 1
    assert "bfl submit: answer.region: the simulator lacks it" in out.getvalue()
    assert "bfl submit: answer.id: number there, text in the simulator" in out.getvalue()


async def test_without_a_sandbox_nothing_is_compared() -> None:
    real = {"bfl": {"model": "bfl/flux-2-klein-4b", "outcome": "succeeded", "answers": {}}}
    with pytest.raises(CommandFailed, match="python -m sandbox"):
        await compared(Console(file=io.StringIO()), real, NOBODY)


def test_a_file_that_is_no_transcript_and_an_amount_that_is_none_are_said(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="no transcript"):
        compare(tmp_path / "nothing.json")
    with pytest.raises(CommandFailed, match="max-cost"):
        check(max_cost="half")


def test_a_shape_holds_keys_and_types_alone() -> None:
    answer = {"id": "secret", "n": 1.5, "ok": True, "none": None, "list": [{"a": 1}, {"b": 2}], "empty": []}
    shape = {"id": "text", "n": "number", "ok": "bool", "none": "null", "list": [{"a": "number"}], "empty": []}
    assert shape_of(answer) == shape
    assert list(differences(shape, shape)) == []
    assert list(differences({"a": ["text"]}, {"a": {}})) == ["a: list there, object in the simulator"]
