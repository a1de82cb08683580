"""The floor's workflow. A module of its own, since the workflow sandbox runs the module once per workflow."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

TASK_QUEUE = "floor"
_CALL = timedelta(seconds=60)


@dataclass(frozen=True)
class Order:
    picture: dict[str, Any]
    video: dict[str, Any]
    callback_url: str


@dataclass(frozen=True)
class PaidJob:
    """`picture_url` is the picture to be moved; the job that draws it has none."""

    run_id: str
    params: dict[str, Any]
    picture_url: str = ""


@dataclass(frozen=True)
class JobEnded:
    step: str
    url: str | None


@dataclass(frozen=True)
class Callback:
    url: str
    run_id: str
    video_url: str


@workflow.defn(name="floor")
class FloorWorkflow:
    def __init__(self) -> None:
        self._ended: dict[str, str | None] = {}

    @workflow.signal
    def job_ended(self, ended: JobEnded) -> None:
        self._ended[ended.step] = ended.url

    @workflow.run
    async def run(self, order: Order) -> None:
        run_id = workflow.info().workflow_id
        await workflow.execute_activity("draw_picture", PaidJob(run_id, order.picture), start_to_close_timeout=_CALL)
        picture = await self._result("picture")
        await workflow.execute_activity(
            "make_video", PaidJob(run_id, order.video, picture), start_to_close_timeout=_CALL
        )
        video = await self._result("video")
        await workflow.execute_activity(
            "call_back", Callback(order.callback_url, run_id, video), start_to_close_timeout=_CALL
        )

    async def _result(self, step: str) -> str:
        await workflow.wait_condition(lambda: step in self._ended)
        url = self._ended[step]
        if url is None:
            raise ApplicationError(f"The {step} failed.", non_retryable=True)
        return url
