"""The call that the README shows is one that works: run by a shell, against a service that runs here."""

import asyncio
import json
import os
import re

import pytest

from tests.support.processes import ROOT
from tests.support.service import KEY, Service

SHOWN = "http://127.0.0.1:8000"


def the_call() -> str:
    [call] = [block for block in re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
              if block.startswith("curl")]  # fmt: skip
    return str(call)


async def answered(call: str, key: str = KEY) -> tuple[int, bytes]:
    env = {"PATH": os.environ["PATH"], "BABYCHAIN_API_KEY": key, "NO_PROXY": "127.0.0.1"}
    process = await asyncio.create_subprocess_shell(
        call, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out


@pytest.mark.parametrize(
    "model",
    [
        "bytedance/seedance-1.5-pro",
        "bach/bach-1.0-preview",
        "bailian/wan2.6-i2v",
        "relaydance/seedance-1-5-pro-with-audio",
    ],
)
async def test_the_readmes_call_starts_a_run_with_each_providers_video_model(service: Service, model: str) -> None:
    call = the_call().replace(SHOWN, str(service.api.base_url).rstrip("/"))
    call = call.replace("order-7781", model.replace("/", "-"))
    if model not in call:
        own = re.search(r'"image_to_video_params": \{.*?\n      \}', call, re.DOTALL)
        assert own is not None
        call = call.replace(own.group(), '"image_to_video_prompt": "waves roll, camera drifts left"')
        call = call.replace("bytedance/seedance-1.5-pro", model)
    code, out = await answered(call)
    assert code == 0
    run = json.loads(out)
    assert (run["status"], run["metadata"]) == ("queued", {"order": "7781"})
    ended = await service.succeeded(run["id"])
    assert ended["steps"][1]["served_by"]["model"] == model
    assert ended["steps"][1]["generation_output_file"]
