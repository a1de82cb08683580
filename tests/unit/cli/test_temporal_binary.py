"""Where Temporal's command line comes from."""

import os
from pathlib import Path

import pytest

from cli import temporal_binary
from cli.temporal_binary import VERSION, find_temporal
from domain.errors import SetupError

GOOD = "#!/bin/sh\nexit 0\n"
BAD = "#!/bin/sh\necho 'no version of it is selected' >&2\nexit 127\n"
GO = (
    f'#!/bin/sh\nprintf \'{GOOD.encode("unicode_escape").decode()}\' > "$GOBIN/temporal"\nchmod 755 "$GOBIN/temporal"\n'
)


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it, and no way out."""

    async def offline(folder: Path) -> None:
        raise RuntimeError("error sending request")

    folder = tmp_path / "bin"
    monkeypatch.setattr(temporal_binary, "_start_once", offline)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.delenv("TEMPORAL_CLI", raising=False)
    return folder


def test_the_given_path_comes_first(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path / "temporal", GOOD)
    monkeypatch.setenv("TEMPORAL_CLI", str(program(tmp_path / "mine", GOOD)))
    assert find_temporal() == tmp_path / "mine"


def test_a_given_path_that_does_not_run_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_CLI", "/nowhere/temporal")
    with pytest.raises(SetupError, match="TEMPORAL_CLI names '/nowhere/temporal'"):
        find_temporal()


def test_one_on_the_path_is_taken_if_it_runs(path: Path, tmp_path: Path) -> None:
    found = program(path / "temporal", GOOD)
    assert find_temporal() == found
    program(path / "temporal", BAD)
    cached = program(tmp_path / "cache" / "babychain" / f"temporal-{VERSION}" / "temporal", GOOD)
    assert find_temporal() == cached


def test_without_a_download_it_is_built_once(path: Path, tmp_path: Path) -> None:
    program(path / "go", GO)
    said: list[str] = []
    built = find_temporal(said.append)
    assert built.parent == tmp_path / "cache" / "babychain" / f"temporal-{VERSION}"
    assert [line.split(" ", 1)[0] for line in said] == ["Downloading", "The", "Building", "Kept"]
    assert find_temporal(said.append) == built
    assert len(said) == 4
    assert sorted(file.name for file in built.parent.iterdir()) == [".lock", "temporal"]


def test_when_nothing_works_the_remedies_are_named(path: Path) -> None:
    with pytest.raises(SetupError, match=r"TEMPORAL_CLI.*install Go.*TEMPORAL_ADDRESS"):
        find_temporal(lambda line: None)


def test_a_build_that_fails_says_what_go_said(path: Path) -> None:
    program(path / "go", "#!/bin/sh\necho 'cannot find module' >&2\nexit 1\n")
    with pytest.raises(SetupError, match="Go said: cannot find module"):
        find_temporal(lambda line: None)


async def test_it_can_be_asked_from_inside_an_event_loop(path: Path) -> None:
    program(path / "go", GO)
    said: list[str] = []
    find_temporal(said.append)
    assert said[1] == "The download did not work: error sending request"
