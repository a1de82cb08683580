"""`uvicorn --factory bench.floor.api:create_app`: start a run, and hand a provider's webhook to it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import uuid4

from fastapi import FastAPI, Request
from pydantic import BaseModel
from temporalio.client import Client

from bench.floor.workflow import TASK_QUEUE, FloorWorkflow, JobEnded, Order

_GOOD = frozenset({"Ready", "succeeded"})
_UNDER_WAY = frozenset({"Pending", "queued", "running"})


class Input(BaseModel):
    text_to_image_params: dict[str, Any]
    image_to_video_params: dict[str, Any]


class Create(BaseModel):
    input: Input
    webhook_url: str


def create_app() -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/runs", status_code=202)
    async def create(body: Create, request: Request) -> dict[str, str]:
        client: Client = request.app.state.client
        run_id = str(uuid4())
        order = Order(body.input.text_to_image_params, body.input.image_to_video_params, body.webhook_url)
        await client.start_workflow(FloorWorkflow.run, order, id=run_id, task_queue=TASK_QUEUE)
        return {"id": run_id, "status": "queued"}

    @app.post("/webhooks/{run_id}/{step}")
    async def webhook(run_id: str, step: Literal["picture", "video"], body: dict[str, Any], request: Request) -> None:
        if body["status"] in _UNDER_WAY:
            return
        client: Client = request.app.state.client
        url = _url(step, body) if body["status"] in _GOOD else None
        await client.get_workflow_handle(run_id).signal(FloorWorkflow.job_ended, JobEnded(step, url))

    return app


def _url(step: str, body: dict[str, Any]) -> str:
    return str(body["result"]["sample"] if step == "picture" else body["content"]["video_url"])
