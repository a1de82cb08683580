"""How the tests ask BabySea's simulator."""

from typing import Any

import httpx

from tests.support.sandbox_client import Sandbox

KEY = "sandbox-babysea"
FLEX, DANCE = "image/bfl/flux-2-flex", "video/bytedance/seedance-1.5-pro"
BOAT = {"generation_prompt": "a paper boat"}
DRIFT = {"generation_prompt": "it drifts", "generation_duration": 5, "generation_resolution": "480p"}


async def call(
    sandbox: Sandbox, method: str, path: str, *, key: str = KEY, region: str = "", **more: Any
) -> httpx.Response:
    head = ({"authorization": f"Bearer {key}"} if key else {}) | more.pop("headers", {})
    return await sandbox.http.request(method, f"{sandbox.url}/babysea{region}/v1/{path}", headers=head, **more)


async def create(sandbox: Sandbox, model: str = FLEX, *, idem: str | None = None, **body: Any) -> httpx.Response:
    more = {name: body.pop(name) for name in ("key", "region") if name in body}
    whole = (DRIFT if model.startswith("video") else BOAT) | body
    head = {"idempotency-key": idem} if idem else {}
    return await call(sandbox, "POST", f"generate/{model}", json=whole, headers=head, **more)


async def made(sandbox: Sandbox, model: str = FLEX, **body: Any) -> str:
    answer = await create(sandbox, model, **body)
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["data"]["generation_id"]
    return name
