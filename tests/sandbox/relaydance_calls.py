"""How the tests ask RelayDance's simulator."""

from typing import Any

import httpx

from tests.support.sandbox_client import Sandbox
from tests.support.waiting import eventually

BASE = "/relaydance/v1"
TASKS = BASE + "/video/generations"
SILENT, SINGING = "seedance-1-5-pro-no-audio", "seedance-1-5-pro-with-audio"
FUSION, HORSE = "doubao-seedance-2-0-1080p", "happyhorse-1.0-i2v"
KEY = {"authorization": "Bearer sandbox-relaydance"}
KITE = "https://x.test/kite.png"


def item(role: str = "reference_image", url: str = KITE, kind: str = "image_url") -> dict[str, Any]:
    return {"type": kind, kind: {"url": url}, "role": role}


async def submit(
    sandbox: Sandbox, prompt: str = "@image1 lifts off", *, model: str = SILENT, key: str = "sandbox-rd", **more: Any
) -> httpx.Response:
    body = {"model": model, "prompt": prompt, "seconds": "5", "metadata": {"content": [item()]}} | more
    headers = {"authorization": f"Bearer {key}"}
    return await sandbox.http.post(sandbox.url + TASKS, json=body, headers=headers)


async def task(sandbox: Sandbox, task_id: str, *, key: str = "sandbox-rd") -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    return await sandbox.http.get(f"{sandbox.url}{TASKS}/{task_id}", headers=headers)


async def ended(sandbox: Sandbox, task_id: str) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        payload: dict[str, Any] = (await task(sandbox, task_id)).json()
        return payload

    return await eventually(read, lambda payload: payload["status"] not in ("submitted", "running"))


async def done(sandbox: Sandbox, **body: Any) -> dict[str, Any]:
    return await ended(sandbox, (await submit(sandbox, **body)).json()["task_id"])


async def upload(sandbox: Sandbox, data: bytes, media_type: str = "image/jpeg", field: str = "file") -> httpx.Response:
    files = {field: ("kite.jpg", data, media_type)}
    return await sandbox.http.post(sandbox.url + BASE + "/files", files=files, headers=KEY)
