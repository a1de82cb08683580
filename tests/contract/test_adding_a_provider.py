"""The worked example of docs/adding-a-provider.md: its three files, put into a copy of the tree, are a provider.

Nothing else of the copy changes, and everything that looks at providers finds the new one by itself.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "docs" / "toy"
COPIED = ("providers", "sandbox", "tests")
"""The folders that files are added to. The rest of the tree is linked."""
THE_THREE = {"providers/toy.py", "sandbox/providers/toy.py", "tests/contract/test_toy.py"}
LONGEST = 120


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the toy in it."""
    tree = tmp_path_factory.mktemp("tree")
    for entry in ROOT.iterdir():
        if entry.name in COPIED:
            shutil.copytree(entry, tree / entry.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif not entry.name.startswith("."):
            (tree / entry.name).symlink_to(entry)
    shutil.copytree(EXAMPLE, tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


def run(tree: Path, *arguments: str, **env: str) -> str:
    """`python -m <arguments>` in the copy: what it printed, once it has ended well."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tree,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **env},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def test_the_example_is_an_adapter_its_simulator_and_its_test(tree: Path) -> None:
    assert {path.relative_to(EXAMPLE).as_posix() for path in files(EXAMPLE)} == THE_THREE
    changed = {
        name
        for folder in COPIED
        for path in files(tree / folder)
        if not (there := ROOT / (name := path.relative_to(tree).as_posix())).exists()
        or there.read_bytes() != path.read_bytes()
    }
    assert changed == THE_THREE


def test_the_document_leads_to_each_of_them() -> None:
    document = (ROOT / "docs" / "adding-a-provider.md").read_text()
    assert {name for name in THE_THREE if f"(toy/{name})" in document} == THE_THREE


def test_the_contract_suite_takes_it_up_and_it_passes(tree: Path) -> None:
    said = run(tree, "pytest", "-q", "-p", "no:cacheprovider", "-k", "toy", "tests/contract")
    assert "failed" not in said
    collected = run(tree, "pytest", "-q", "--collect-only", "-k", "toy", "tests/contract")
    for taken_up in ("test_toy.py", "test_every_provider.py", "test_every_start.py", "test_every_read.py"):
        assert taken_up in collected


def test_it_is_written_as_the_rest_of_the_project_is(tree: Path) -> None:
    run(tree, "ruff", "check", "--no-cache", *THE_THREE)
    run(tree, "ruff", "format", "--no-cache", "--check", *THE_THREE)


async def test_a_chain_runs_through_it(tree: Path, temporal: Client) -> None:
    address = temporal.service_client.config.target_host
    said = run(tree, "tests.support.one_run", "toy/sketch-1", TEMPORAL_ADDRESS=address)
    ended = json.loads(said.splitlines()[-1])
    assert ended["status"] == "succeeded", ended["error"]
    assert [step["served_by"]["provider"] for step in ended["steps"]] == ["toy", "byteplus"]
    assert ended["steps"][1]["generation_input_file"] == ended["steps"][0]["generation_output_file"]
