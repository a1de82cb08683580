"""The sandbox as a program: its settings, its stop, and its independence from the product."""

import ast
import asyncio
import os
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from sandbox.config import Config, from_environment
from sandbox.server import serve
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
ALLOWED = {"sandbox", "fastapi", "starlette", "uvicorn", "httpx", "pydantic", "PIL", "av", *sys.stdlib_module_names}


def test_the_sandbox_imports_nothing_of_ours() -> None:
    for path in (ROOT / "sandbox").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            foreign = {module.split(".")[0] for module in modules} - ALLOWED
            assert not foreign, f"{path.name} imports {foreign}"


def test_settings_come_from_the_environment() -> None:
    assert from_environment({}) == Config()
    told = from_environment(
        {
            "BABYCHAIN_SANDBOX_URL": "http://localhost:9000/",
            "BABYCHAIN_SANDBOX_LATENCY": "0.05",
            "BABYCHAIN_SANDBOX_MEDIA": "tiny",
            "BABYCHAIN_SANDBOX_LIMITS": "off",
        }
    )
    assert (told.url, told.host, told.port, told.fault_port) == ("http://localhost:9000", "localhost", 9000, 9001)
    assert (told.picture_seconds, told.video_seconds, told.media, told.limits) == (0.05, 0.05, "tiny", False)
    assert (Config().picture_seconds, Config().video_seconds, Config().fault_port) == (3, 5, 8091)


@pytest.mark.parametrize("name", ["MEDIA", "LIMITS", "LATENCY"])
def test_a_setting_that_makes_no_sense_stops_the_start(name: str) -> None:
    with pytest.raises(ValueError, match=name if name != "LATENCY" else "float"):
        from_environment({f"BABYCHAIN_SANDBOX_{name}": "huge"})


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def test_serve_runs_until_it_is_cancelled(http: httpx.AsyncClient) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    serving = asyncio.create_task(serve(replace(QUICK, url=url)))
    await eventually(lambda: is_up(http, url), bool)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert not await is_up(http, url)


async def is_up(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/_sandbox/health")).status_code == 200
    except httpx.ConnectError:
        return False


async def test_the_program_serves_and_stops_at_once_on_sigterm(http: httpx.AsyncClient) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    env = {
        **os.environ,
        "BABYCHAIN_SANDBOX_URL": url,
        "BABYCHAIN_SANDBOX_MEDIA": "tiny",
        "BABYCHAIN_SANDBOX_LATENCY": "0",
    }
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", cwd=ROOT, env=env, stderr=asyncio.subprocess.PIPE
    )

    await eventually(lambda: is_up(http, url), bool)
    sandbox = Sandbox(url, http)
    await sandbox.put_faults({"kind": "never_ends"}, {"kind": "reset"})
    await sandbox.bfl(webhook_url="http://127.0.0.1:9/nobody")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await sandbox.bfl()  # under uvloop too
    finished = (await sandbox.bfl(webhook_url="http://127.0.0.1:9/nobody")).json()["id"]
    await sandbox.bfl_end(finished)  # its webhook is now waiting to be sent again
    started = time.monotonic()
    program.send_signal(signal.SIGTERM)
    _, errors = await program.communicate()
    assert time.monotonic() - started < 3
    assert program.returncode == 0
    assert b"Traceback" not in errors
