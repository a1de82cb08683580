"""How Bach words things: the envelope of every answer, errors, a task, and the callback, which has no envelope."""

import json
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.faults import Rule
from sandbox.jobs import Job, State
from sandbox.webhooks import Notice

NAME = "bach"
INVALID, REFUSED, NO_CREDIT = 1000, 1001, 1302  # 1001 is invented: no code for a filter's refusal is documented
_CODES = {400: INVALID}  # an error of any other status repeats it as its code (inferred)

_WORDS = {
    State.QUEUED: "TASK_PENDING",
    State.RUNNING: "TASK_PROCESSING",
    State.SUCCEEDED: "TASK_SUCCEEDED",
    State.FAILED: "TASK_FAILED",
    State.MODERATED: "TASK_FAILED",
    State.EXPIRED: "TASK_FAILED",
}
_MESSAGES = {
    State.QUEUED: "Task is waiting to be processed",
    State.RUNNING: "Video generation in progress",
    State.SUCCEEDED: "Video generation completed successfully",
    State.MODERATED: "The generated content did not pass content moderation.",
    State.EXPIRED: "Video generation timed out",
}
_ACKNOWLEDGED_WITHIN = 5.0


class BachError(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def answer(self) -> Response:
        return JSONResponse({"code": self.code, "message": self.message}, self.status)


def invalid(message: str) -> BachError:
    return BachError(400, INVALID, message)


def error(status: int, message: str) -> Response:
    return BachError(status, _CODES.get(status, status), message).answer()


def success(data: dict[str, Any]) -> Response:
    return JSONResponse({"code": 200, "message": "Success", "data": data})


def task_of(job: Job, shown: State, rule: Rule | None) -> dict[str, Any]:
    """`video_url` is there only once the video is."""
    word = (rule.word if rule else "") or "TASK_REVIEWING" if shown is State.STRANGE else _WORDS[shown]
    task = {"task_id": job.id, "status": word, "message": _message(job, shown)}
    return task | ({"video_url": job.details["video_url"]} if shown is State.SUCCEEDED else {})


def _message(job: Job, shown: State) -> str:
    if shown is State.FAILED:
        return str(job.details["complaint"] or "Video generation failed")
    return _MESSAGES.get(shown, "Task status updated")


def notice(job: Job) -> Notice:
    """Sent once, when the task has ended; that of a failed task is inferred."""
    body: dict[str, Any] = {"task_id": job.id, "status": _WORDS[job.state]}
    if job.state is State.SUCCEEDED:
        body["video_url"] = job.details["video_url"]
    else:
        body["message"] = _message(job, job.state)
    return _notice(job, body | _moments(job), stale=_lie(job, "TASK_PROCESSING"))


def early_notice(job: Job) -> Notice:
    """Claims the end of a task that has only begun."""
    return _notice(job, _lie(job, "TASK_SUCCEEDED"))


def forged_notice(job: Job) -> Notice:
    """By someone who knows the address: there is no signature to get wrong."""
    return _notice(job, _lie(job, "TASK_FAILED"))


def _lie(job: Job, word: str) -> dict[str, Any]:
    return {"task_id": job.id, "status": word, **_moments(job)}


def _moments(job: Job) -> dict[str, int]:
    return {"created_at": int(job.created), "completed_at": int(job.ended or job.updated)}


def _notice(job: Job, body: dict[str, Any], stale: dict[str, Any] | None = None) -> Notice:
    return Notice(
        provider=NAME,
        model=job.model,
        url=job.row.callback_url or "",
        body=json.dumps(body).encode(),
        stale_body=None if stale is None else json.dumps(stale).encode(),
        acknowledged_within=_ACKNOWLEDGED_WITHIN,
        acknowledged_by=range(200, 201),
    )
