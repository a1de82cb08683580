"""The samples of docs/api.md, each language from top to bottom, against a running service."""

import asyncio
import os
import re
import sys
from pathlib import Path

from tests.support.bodies import drawn
from tests.support.commands import needed
from tests.support.pictures import jpeg
from tests.support.receiver import Call
from tests.support.service import KEY, Service

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
SECRET = "callback_test_secret"


def samples(language: str, service: Service) -> str:
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return "\n".join(blocks).replace("https://shop.example.com/hooks/babychain", service.hook)


async def ran(service: Service, folder: Path, *command: str, **more: str) -> str:
    (folder / "boat.jpg").write_bytes(jpeg("boat", (640, 480)))
    environment = {"PATH": os.environ["PATH"], "BABYCHAIN_URL": str(service.api.base_url), "BABYCHAIN_API_KEY": KEY}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment | more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    return said


async def a_callback(service: Service) -> Call:
    run = await service.create("chain1", drawn("told by a callback", webhook_url=service.hook))
    return (await service.callbacks(run["id"]))[0]


async def test_the_curl_samples_run(service: Service, tmp_path: Path) -> None:
    needed("curl", remedy="apt-get install curl")
    (tmp_path / "sample.sh").write_text("set -eu\n" + samples("sh", service))
    said = await ran(service, tmp_path, "sh", "sample.sh")
    assert '"status":"succeeded"' in said
    assert "event: end" in said


async def test_the_python_samples_run_and_know_a_genuine_callback(service: Service, tmp_path: Path) -> None:
    call = await a_callback(service)
    check = """
body, signature = open("body", "rb").read(), os.environ["SIGNATURE"]
print("genuine", is_genuine(os.environ["SECRET"], body, signature), is_genuine("other", body, signature),
      is_genuine(os.environ["SECRET"], body + b" ", signature))
"""
    (tmp_path / "body").write_bytes(call.body)
    (tmp_path / "sample.py").write_text(samples("python", service) + check)
    told = {"SECRET": SECRET, "SIGNATURE": call.headers["x-babychain-signature"]}
    said = await ran(service, tmp_path, sys.executable, "-W", "error", "sample.py", **told)
    assert "succeeded ['http" in said
    assert "genuine True False False" in said


async def test_the_node_samples_run_and_know_a_genuine_callback(service: Service, tmp_path: Path) -> None:
    node = needed("node", remedy="apt-get install nodejs")
    call = await a_callback(service)
    check = """
import { readFileSync } from "node:fs";
const [body, signature, secret] = [readFileSync("body"), process.env.SIGNATURE, process.env.SECRET];
console.log("genuine", isGenuine(secret, body, signature), isGenuine("other", body, signature),
  isGenuine(secret, Buffer.concat([body, Buffer.from(" ")]), signature));
"""
    (tmp_path / "body").write_bytes(call.body)
    (tmp_path / "sample.mjs").write_text(samples("js", service) + check)
    told = {"SECRET": SECRET, "SIGNATURE": call.headers["x-babychain-signature"]}
    said = await ran(service, tmp_path, node, "sample.mjs", **told)
    assert "event: end" in said
    assert "genuine true false false" in said
