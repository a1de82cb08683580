"""Temporal's command line tool, which contains the development server: found on this machine, or fetched once."""

import asyncio
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from domain.errors import SetupError

VERSION = "1.5.1"
_PACKAGE = f"github.com/temporalio/cli/cmd/temporal@v{VERSION}"
_DOWNLOAD_SECONDS = 120
_BUILD_SECONDS = 30 * 60
_REMEDY = (
    "Temporal's CLI is not here and could not be fetched. Do one of these: install it "
    "(https://docs.temporal.io/cli), or set TEMPORAL_CLI to its path; install Go, so that it can be built; "
    "or set TEMPORAL_ADDRESS to a Temporal server that runs already."
)

Announce = Callable[[str], None]


def find_temporal(announce: Announce = print) -> Path:
    """TEMPORAL_CLI, PATH, our cache, a download by the SDK, a build with Go: the first that works, in this order."""
    if given := os.environ.get("TEMPORAL_CLI"):
        if not _works(Path(given)):
            raise SetupError(f"TEMPORAL_CLI names {given!r}, which does not run.")
        return Path(given)
    on_path = shutil.which("temporal")
    if on_path and _works(Path(on_path)):
        return Path(on_path)
    cached = _cache() / f"temporal-{VERSION}" / "temporal"
    if not _works(cached):
        with _alone(cached.parent):
            # Another process may have fetched it while we waited.
            if not _works(cached):
                _fetch(cached, announce)
    return cached


def _fetch(cached: Path, announce: Announce) -> None:
    # Beside its destination, so that the last step is one rename: nobody ever sees half a file.
    with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
        fetched = _download(Path(folder), announce) or _build(Path(folder), announce)
        fetched.replace(cached)
    announce(f"Kept Temporal's CLI in {cached}.")


def _download(folder: Path, announce: Announce) -> Path | None:
    announce(f"Downloading Temporal's CLI {VERSION} once ...")
    try:
        # A thread of its own: the caller may be inside an event loop, as test fixtures are.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(_start_once(folder))).result()
    except (RuntimeError, TimeoutError) as error:
        announce(f"The download did not work: {_first_line(error)}")
        return None
    return next((file for file in folder.iterdir() if file.is_file() and _works(file)), None)


async def _start_once(folder: Path) -> None:
    """The SDK downloads the CLI when it starts a server that is not there yet."""
    async with asyncio.timeout(_DOWNLOAD_SECONDS):
        environment = await WorkflowEnvironment.start_local(
            download_dest_dir=str(folder),
            dev_server_download_version=f"v{VERSION}",
            dev_server_log_level="never",
            dev_server_startup_timeout=timedelta(seconds=30),
        )
        await environment.shutdown()


def _build(folder: Path, announce: Announce) -> Path:
    go = shutil.which("go")
    if go is None:
        raise SetupError(_REMEDY)
    announce(f"Building Temporal's CLI {VERSION} once with Go; about 6 minutes ...")
    try:
        subprocess.run(
            [go, "install", _PACKAGE],
            env={**os.environ, "GOBIN": str(folder)},
            check=True,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        raise SetupError(f"{_REMEDY} (Go said: {_last_line(error.stderr)})") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{_REMEDY} (Go was not done after {_BUILD_SECONDS // 60} minutes.)") from error
    return folder / "temporal"


def _works(binary: Path) -> bool:
    """Runs it: a file may be another machine's, or a version manager's stand-in for nothing."""
    try:
        return subprocess.run([binary, "--version"], capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "babychain"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One fetch at a time: test workers start together."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing"])[-1]
