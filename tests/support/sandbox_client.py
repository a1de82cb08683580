"""A sandbox as the providers' users and a test's author see it."""

from typing import Any

import httpx

from tests.support.waiting import eventually

TASKS = "/byteplus/api/v3/contents/generations/tasks"
IMAGES = "/byteplus/api/v3/images/generations"


class Control:
    """The sandbox's own routes: what it is told to do wrong, and what it was asked to do."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self.http = http

    async def put_faults(self, *rules: dict[str, Any]) -> None:
        answer = await self.http.put(f"{self.url}/_sandbox/faults", json=list(rules))
        assert answer.status_code == 200, answer.text

    async def jobs(self, operation: str | None = None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.http.get(f"{self.url}/_sandbox/jobs")).json()
        return [row for row in rows if operation in (None, row["operation"])]

    async def submits(self) -> list[dict[str, Any]]:
        return await self.jobs("submit")

    async def paid_starts(self) -> int:
        return sum(row["job_id"] is not None for row in await self.submits())


class Sandbox(Control):
    """And the providers that it plays, asked without an adapter."""

    async def bfl(self, model: str = "flux-2-pro", *, key: str = "sandbox-bfl", **body: Any) -> httpx.Response:
        body = {"prompt": "a paper boat", **body}
        return await self.http.post(f"{self.url}/bfl/v1/{model}", json=body, headers={"x-key": key})

    async def poll(self, task_id: str) -> httpx.Response:
        return await self.http.get(f"{self.url}/bfl/v1/get_result", params={"id": task_id})

    async def bfl_end(self, task_id: str) -> dict[str, Any]:
        async def read() -> dict[str, Any]:
            task: dict[str, Any] = (await self.poll(task_id)).json()
            return task

        return await eventually(read, lambda task: task["status"] != "Pending")

    async def sample(self, **body: Any) -> str:
        """The address of a finished BFL picture."""
        end = await self.bfl_end((await self.bfl(**body)).json()["id"])
        address: str = end["result"]["sample"]
        return address

    async def seedream(
        self, *, model: str = "seedream-4-0-250828", key: str = "sandbox-ark", **body: Any
    ) -> httpx.Response:
        body = {"model": model, "prompt": "a lighthouse", **body}
        return await self.http.post(self.url + IMAGES, json=body, headers={"authorization": f"Bearer {key}"})

    async def seedance(
        self,
        text: str = "the boat drifts",
        *,
        model: str = "seedance-1-5-pro-251215",
        key: str = "sandbox-ark",
        **body: Any,
    ) -> httpx.Response:
        body = {"model": model, "content": [{"type": "text", "text": text}], **body}
        return await self.http.post(self.url + TASKS, json=body, headers={"authorization": f"Bearer {key}"})

    async def task(self, task_id: str, *, method: str = "GET", key: str = "sandbox-ark") -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"}
        return await self.http.request(method, f"{self.url}{TASKS}/{task_id}", headers=headers)

    async def tasks(self, **query: Any) -> httpx.Response:
        headers = {"authorization": "Bearer sandbox-ark"}
        return await self.http.get(self.url + TASKS, params=query, headers=headers)

    async def task_in(self, task_id: str, *states: str) -> dict[str, Any]:
        async def read() -> dict[str, Any]:
            task: dict[str, Any] = (await self.task(task_id)).json()
            return task

        return await eventually(read, lambda task: task.get("status") in states)
