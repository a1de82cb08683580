"""The command line as a caller uses it: a process of its own, against a service that runs in this one."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.processes import ROOT
from tests.support.service import KEY

_KEPT = ("PATH", "HOME", "TMPDIR", "LANG")


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def caller_environment(api: str, folder: Path, key: str = KEY) -> dict[str, str]:
    """Nothing of this process's own environment but what finds programs and files."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"BABYCHAIN_URL": api, "BABYCHAIN_API_KEY": key, "BABYCHAIN_DATA_DIR": str(folder)}


@dataclass(frozen=True)
class Caller:
    env: Mapping[str, str]

    async def babychain(self, *words: str, stdin: str = "", within: float = 60.0) -> Said:
        process = await self.start(*words)
        try:
            async with asyncio.timeout(within):
                out, err = await process.communicate(stdin.encode())
        finally:
            if process.returncode is None:
                process.kill()
        return Said(process.returncode or 0, out.decode(), err.decode())

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cli",
            *words,
            cwd=ROOT,
            env=dict(self.env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
