"""How the tests ask Bailian's simulator, by either way in."""

from typing import Any

import httpx

from tests.support.sandbox_client import Sandbox
from tests.support.waiting import eventually

GATEWAY, GATEWAY_TASKS = "/bailian/task/bailian/image2video", "/bailian/task"
NATIVE, NATIVE_TASKS = (
    "/bailian/api/v1/services/aigc/video-generation/video-synthesis",
    "/bailian/api/v1/tasks",
)
ASYNC = {"x-dashscope-async": "enable"}
MODELS = ("wan2.6-i2v", "wan2.6-i2v-flash", "wan2.5-i2v-preview")
ADDRESS = "https://media.example.net/step-1.png"
ENDS = ("SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN")


def order(
    model: str = "wan2.6-i2v", *, input: dict[str, Any] | None = None, without: str = "", **parameters: Any
) -> dict[str, Any]:
    asked = {"resolution": "720P", "duration": 5, **parameters}
    parts = {"prompt": "the kite climbs", "img_url": ADDRESS, **(input or {})}
    return {
        "model": model,
        "input": {name: value for name, value in parts.items() if name != without},
        "parameters": {name: value for name, value in asked.items() if name != without},
    }


async def create(
    sandbox: Sandbox, body: Any, path: str = GATEWAY, *, key: str = "sandbox-bailian", **headers: str
) -> httpx.Response:
    return await sandbox.http.post(sandbox.url + path, json=body, headers={"authorization": f"Bearer {key}", **headers})


async def query(
    sandbox: Sandbox, task_id: str, path: str = GATEWAY_TASKS, *, key: str = "sandbox-bailian"
) -> httpx.Response:
    return await sandbox.http.get(f"{sandbox.url}{path}/{task_id}", headers={"authorization": f"Bearer {key}"})


async def made(sandbox: Sandbox, body: Any) -> str:
    answer = await create(sandbox, body)
    assert answer.status_code == 200, answer.text
    task_id: str = answer.json()["output"]["task_id"]
    return task_id


async def end_of(sandbox: Sandbox, task_id: str) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        answer = await query(sandbox, task_id)
        assert answer.status_code == 200
        task: dict[str, Any] = answer.json()
        return task

    return await eventually(read, lambda task: task["output"]["task_status"] in ENDS)
