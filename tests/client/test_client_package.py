"""The package that other people install: alone, with two dependencies, and two clients that are alike."""

import inspect
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import babychain_client
from babychain_client import AsyncBabyChain, AsyncRun, BabyChain, Run
from tests.support.processes import ROOT


def test_the_wheel_holds_the_package_alone_and_needs_httpx_alone(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT / "babychain_client", check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = [name for name in packed.namelist() if ".dist-info/" not in name]
        [facts] = [packed.read(name).decode() for name in packed.namelist() if name.endswith("/METADATA")]
    assert {name.split("/")[0] for name in names} == {"babychain_client"}
    assert {"babychain_client/__init__.py", "babychain_client/py.typed"} <= set(names)
    needs = [line.removeprefix("Requires-Dist: ") for line in facts.splitlines() if line.startswith("Requires-Dist")]
    assert sorted(re.split(r"[<>=]", need)[0] for need in needs) == ["httpx", "httpx-sse"]


def methods(kind: type) -> dict[str, list[str]]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: list(inspect.signature(one).parameters) for name, one in found if not name.startswith("__")}


def test_what_one_client_can_do_the_other_can() -> None:
    assert methods(BabyChain) == methods(AsyncBabyChain)
    assert methods(Run) == methods(AsyncRun)


def test_the_documentation_shows_every_method_and_every_name() -> None:
    page = (ROOT / "docs" / "client.md").read_text()
    public = [name for name in methods(BabyChain) if not name.startswith("_")]
    assert [name for name in public if not re.search(rf"\b{name}\(", page) and name != "close"] == []
    offered = {name: getattr(babychain_client, name) for name in babychain_client.__all__}
    errors = [name for name, one in offered.items() if isinstance(one, type) and issubclass(one, Exception)]
    assert [name for name in errors if name not in page] == []
