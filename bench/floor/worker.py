"""`python -m bench.floor.worker`: the floor's activities, and the worker that runs them."""

import asyncio
import os
import signal

import httpx
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from bench.floor.workflow import TASK_QUEUE, Callback, FloorWorkflow, PaidJob


class Activities:
    def __init__(self, http: httpx.AsyncClient, sandbox: str, public_url: str) -> None:
        self._http = http
        self._sandbox = sandbox
        self._public_url = public_url

    @activity.defn
    async def draw_picture(self, job: PaidJob) -> str:
        body = {**job.params, "webhook_url": self._webhook(job, "picture")}
        return await self._submit("/bfl/v1/flux-2-flex", body, {"x-key": "sandbox-bfl"})

    @activity.defn
    async def make_video(self, job: PaidJob) -> str:
        picture = {"type": "image_url", "image_url": {"url": job.picture_url}, "role": "first_frame"}
        body = {
            **job.params,
            "model": "seedance-1-5-pro-251215",
            "content": [*job.params["content"], picture],
            "callback_url": self._webhook(job, "video"),
        }
        headers = {"authorization": "Bearer sandbox-byteplus"}
        return await self._submit("/byteplus/api/v3/contents/generations/tasks", body, headers)

    @activity.defn
    async def call_back(self, callback: Callback) -> None:
        body = {"id": callback.run_id, "status": "succeeded", "video": callback.video_url}
        (await self._http.post(callback.url, json=body)).raise_for_status()

    def _webhook(self, job: PaidJob, step: str) -> str:
        return f"{self._public_url}/webhooks/{job.run_id}/{step}"

    async def _submit(self, path: str, body: dict[str, object], headers: dict[str, str]) -> str:
        answer = await self._http.post(self._sandbox + path, json=body, headers=headers)
        return str(answer.raise_for_status().json()["id"])


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    async with httpx.AsyncClient(trust_env=False) as http:
        activities = Activities(http, os.environ["BABYCHAIN_SANDBOX_URL"], os.environ["FLOOR_URL"])
        async with Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[FloorWorkflow],
            activities=[activities.draw_picture, activities.make_video, activities.call_back],
        ):
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
