"""The programs of examples/, run as they stand."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from temporalio.client import Client

from tests.support.bodies import drawn
from tests.support.command_line import Caller, caller_environment
from tests.support.processes import ROOT
from tests.support.runs import SECRETS
from tests.support.service import Service, running_service
from tests.support.serving import free_port

EXAMPLES = ROOT / "examples"
TESTED = {"make_a_clip.py", "watch_a_run.py", "many_at_once.py", "receive_callbacks.py", "scenes.jsonl", "README.md"}


async def start(env: Mapping[str, str], name: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / name),
        *arguments,
        env={**env, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def said(service: Service, folder: Path, name: str, *arguments: str) -> str:
    process = await start(caller_environment(str(service.api.base_url), folder), name, *arguments)
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


def test_every_example_has_its_test() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.name != "__pycache__"} == TESTED
    listed = (EXAMPLES / "README.md").read_text()
    assert all(name in listed for name in TESTED - {"README.md"})


async def test_a_clip_is_made_and_started_again_it_is_the_same_run(service: Service, tmp_path: Path) -> None:
    first = await said(service, tmp_path, "make_a_clip.py", str(tmp_path / "clip"))
    again = await said(service, tmp_path, "make_a_clip.py", str(tmp_path / "clip"))
    assert again == first
    assert first.count(str(tmp_path / "clip")) == 2


async def test_a_run_is_watched(service: Service, tmp_path: Path) -> None:
    assert "The run has succeeded" in await said(service, tmp_path, "watch_a_run.py")


async def test_many_run_at_once(service: Service, tmp_path: Path) -> None:
    told = await said(service, tmp_path, "many_at_once.py")
    assert told.count(": succeeded http") == 3, told


async def test_every_line_of_the_scenes_is_a_run(service: Service, tmp_path: Path) -> None:
    scenes = tmp_path / "scenes.jsonl"
    scenes.write_text((EXAMPLES / "scenes.jsonl").read_text())
    caller = Caller(caller_environment(str(service.api.base_url), tmp_path))
    done = await caller.babychain("run", "chain1", "--each", str(scenes), "--yes")
    assert done.code == 0, done.out
    assert "3 lines: 3 succeeded" in done.out


async def test_a_receiver_takes_what_is_signed_and_tells_of_it(temporal: Client, tmp_path: Path) -> None:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    async with running_service(temporal, tmp_path, trusted_origins=origin) as service:
        env = caller_environment(str(service.api.base_url), tmp_path)
        env |= {"PORT": str(port), "BABYCHAIN_CALLBACK_SECRET": SECRETS["callback_secret"]}
        process = await start(env, "receive_callbacks.py")
        try:
            assert process.stdout is not None
            assert b"Listening" in await process.stdout.readline()
            forged = await service.anyone.post(f"{origin}/callbacks", json={})
            assert forged.status_code == 400
            run = await service.create("chain1", drawn("received", webhook_url=f"{origin}/callbacks"))
            assert (await process.stdout.readline()).decode().startswith(f"{run['id']} succeeded http")
        finally:
            process.kill()
            await process.wait()
