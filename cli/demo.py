"""`babychain demo`: one chain from text to video, seen from the caller's side, with nothing but this machine."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from cli.callbacks import verified
from cli.failures import CommandFailed
from cli.media import describe_picture, describe_video
from cli.processes import PartEnded, Parts
from cli.progress import progress
from cli.receiver import Receiver, listening
from cli.showing import console
from cli.signals import run
from cli.stack import Stack

_BODY = {
    "input": {
        "chain_models": {
            "text_to_image_model": "bfl/flux-2-flex",
            "image_to_video_model": "bytedance/seedance-1.5-pro",
        },
        "text_to_image_params": {
            "prompt": "A paper boat on a copper sea at dusk, long shadows, soft film grain",
            "width": 1280,
            "height": 720,
            "seed": 7,
            "output_format": "jpeg",
        },
        "image_to_video_params": {
            "content": [{"type": "text", "text": "The waves roll slowly, the camera drifts to the left"}],
            "ratio": "16:9",
            "duration": 5,
            "watermark": False,
        },
    },
    "metadata": {"from": "babychain demo"},
}
_RUN_SECONDS = 120.0
_CALLBACK_SECONDS = 30.0


def demo() -> int:
    """Start everything, run chain1 to its end and check what comes out. Costs nothing: the sandbox plays the providers.

    KEEP=1 leaves everything running until Ctrl-C, to look around.
    """
    return run(_demo(console()))


async def _demo(console: Console) -> int:
    began = time.monotonic()
    async with listening() as receiver:
        # Real provider keys may be in the environment; a demo spends no money.
        stack = Stack.from_environment(
            BABYCHAIN_PROVIDER_MODE="sandbox", BABYCHAIN_TRUSTED_ORIGINS=f"http://127.0.0.1:{receiver.port}"
        )
        folder = stack.settings.data_dir
        (folder / "demo").mkdir(parents=True, exist_ok=True)
        with ExitStack() as files:
            try:
                async with Parts(_log_files(folder / "logs", files)) as parts:
                    console.print(f"Starting all parts; their logs are in {_shown(folder / 'logs')}/.")
                    await stack.start(parts, lambda line: console.print(f"  {line}", style="dim", markup=False))
                    console.print(f"Ready after {time.monotonic() - began:.1f} s:\n")
                    stack.introduce(console)
                    await parts.beside(_show_a_run(stack, receiver, folder / "demo", console))
                    if os.environ.get("KEEP") == "1":
                        await parts.beside(_keep(stack, console))
                    console.print("Look around with KEEP=1, which leaves these running:\n")
                    stack.introduce(console)
                    console.print(f"Done in {time.monotonic() - began:.1f} s.")
            except PartEnded as error:
                raise CommandFailed(f"{error} Its log is in {_shown(folder / 'logs')}/.", error.details) from error
    return 0


async def _show_a_run(stack: Stack, receiver: Receiver, folder: Path, console: Console) -> None:
    headers = {"authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(base_url=stack.api, headers=headers, trust_env=False, timeout=15) as http:
        answer = await http.post("/api/v1/chains/chain1/runs", json=_BODY | {"webhook_url": receiver.url})
        created = _accepted(answer, "create the run")
        console.print(f"POST /api/v1/chains/chain1/runs → {answer.status_code}, run {created['id']}")
        ended = await _watch(http, created, console)
        if ended["status"] != "succeeded":
            raise CommandFailed(f"The run ended as {ended['status']}: {json.dumps(ended.get('error'))}")
        callback = await _callback(receiver, stack.settings.callback_secret.get_secret_value(), ended["id"])
        console.print(f"Callback: {len(callback)} keys, status {callback['status']}; both signatures hold.\n")
        console.print_json(data=ended)
        picture, video = [await _save(http, step, folder) for step in ended["steps"]]
    console.print(f"\n  picture  {_shown(picture)}  {describe_picture(picture)}")
    console.print(f"  video    {_shown(video)}  {describe_video(video)}\n")


async def _watch(http: httpx.AsyncClient, created: dict[str, Any], console: Console) -> dict[str, Any]:
    seen = created
    try:
        with progress(console) as shown:
            async with asyncio.timeout(_RUN_SECONDS):
                while seen["status"] in ("queued", "running"):
                    shown.update(seen)
                    await asyncio.sleep(0.25)
                    seen = _accepted(await http.get(f"/api/v1/chains/get/{seen['id']}"), "read the run")
                shown.update(seen)
    except TimeoutError:
        raise CommandFailed(f"The run was still {seen['status']} after {_RUN_SECONDS:.0f} s; see the logs.") from None
    return seen


async def _callback(receiver: Receiver, secret: str, run_id: str) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_CALLBACK_SECONDS):
            told = verified(await receiver.received.get(), secret)
    except TimeoutError:
        raise CommandFailed(f"No callback came within {_CALLBACK_SECONDS:.0f} s; see worker.log.") from None
    if told["id"] != run_id:
        raise CommandFailed(f"The callback tells of run {told['id']!r}, not of {run_id!r}.")
    return told


async def _save(http: httpx.AsyncClient, step: dict[str, Any], folder: Path) -> Path:
    url = step["generation_output_file"][0]
    answer = await http.get(url, timeout=60)
    if not answer.is_success:
        raise CommandFailed(f"The output of {step['step_key']} answered {answer.status_code}.")
    file = folder / f"{step['step_kind']}.{answer.headers['content-type'].split('/')[-1]}"
    file.write_bytes(answer.content)
    return file


async def _keep(stack: Stack, console: Console) -> None:
    console.print("\nEverything keeps running until Ctrl-C:\n")
    stack.introduce(console)
    await asyncio.Event().wait()


def _accepted(answer: httpx.Response, purpose: str) -> dict[str, Any]:
    if not answer.is_success:
        raise CommandFailed(f"The API would not {purpose}: {answer.status_code} {answer.text}")
    body: dict[str, Any] = answer.json()
    return body


def _log_files(folder: Path, files: ExitStack) -> Callable[[str, str], None]:
    """One file per part, made new for every demo."""
    folder.mkdir(parents=True, exist_ok=True)
    opened: dict[str, Any] = {}

    def write(name: str, line: str) -> None:
        if name not in opened:
            opened[name] = files.enter_context((folder / f"{name}.log").open("w", buffering=1))
        opened[name].write(f"{line}\n")

    return write


def _shown(path: Path) -> str:
    """Short where it lies below the current folder."""
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
