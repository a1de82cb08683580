"""How RelayDance words a task: as its pages say, and in the two other dialects that clients have met."""

import json
from collections.abc import Mapping
from typing import Any, cast, get_args

from sandbox.config import RelayDanceDialect
from sandbox.faults import Rule
from sandbox.jobs import Job, State
from sandbox.providers.relaydance.errors import NAME
from sandbox.webhooks import Notice

DIALECTS: tuple[RelayDanceDialect, ...] = get_args(RelayDanceDialect)

_WORDS: Mapping[RelayDanceDialect, Mapping[State, str]] = {
    "documented": {
        State.QUEUED: "submitted",
        State.RUNNING: "running",
        State.SUCCEEDED: "succeeded",
        State.FAILED: "failed",
        State.MODERATED: "failed",
        State.EXPIRED: "expired",
    },
    "openai": {
        State.QUEUED: "queued",
        State.RUNNING: "in_progress",
        State.SUCCEEDED: "completed",
        State.FAILED: "failed",
        State.MODERATED: "failed",
        State.EXPIRED: "expired",
    },
    "newapi": {
        State.QUEUED: "SUBMITTED",
        State.RUNNING: "IN_PROGRESS",
        State.SUCCEEDED: "SUCCESS",
        State.FAILED: "FAILURE",
        State.MODERATED: "FAILURE",
        State.EXPIRED: "EXPIRED",
    },
}
# The form of the error object is inferred from New API's; the words are this sandbox's own.
_PROBLEMS = {
    State.MODERATED: {"code": "content_policy", "message": "upstream refused the content"},
    State.FAILED: {"code": "upstream_error", "message": "upstream could not generate the video"},
    State.EXPIRED: {"code": "task_timeout", "message": "the task took too long"},
}
_ACKNOWLEDGED_WITHIN = 5.0


def receipt(job: Job) -> dict[str, Any]:
    task = task_of(job, State.QUEUED, None)
    task.pop("metadata", None)
    return task


def task_of(job: Job, shown: State, twist: Rule | None) -> dict[str, Any]:
    """The task as a read and the callback give it."""
    dialect = cast("RelayDanceDialect", job.details["dialect"])
    word = _word(dialect, shown, twist or job.fate)
    video = job.details.get("url") if shown is State.SUCCEEDED else None
    problem = _PROBLEMS.get(shown)
    task: dict[str, Any]
    if dialect == "newapi":
        reason = f"{problem['code']}: {problem['message']}" if problem else ""
        task = {"task_id": job.id, "status": word, "fail_reason": reason}
        return {"code": "success", "message": "", "data": task | ({"result_url": video} if video else {})}
    if dialect == "openai":
        task = {"id": job.id, "object": "video", "model": job.model, "created_at": int(job.created), "status": word}
        return task | ({"metadata": {"url": video}} if video else {}) | ({"error": problem} if problem else {})
    task = {"task_id": job.id, "status": word, "metadata": job.details["echo"]}
    return task | ({"url": video, "format": "mp4"} if video else {}) | ({"error": problem} if problem else {})


def notice(job: Job, state: State) -> Notice:
    """No signature, no secret, no timestamp: none is documented. Only the end is called back."""
    return Notice(
        provider=NAME,
        model=job.model,
        url=job.row.callback_url or "",
        body=json.dumps(task_of(job, state, None)).encode(),
        stale_body=json.dumps(task_of(job, State.RUNNING, None)).encode(),
        acknowledged_within=_ACKNOWLEDGED_WITHIN,
    )


def _word(dialect: RelayDanceDialect, shown: State, rule: Rule | None) -> str:
    told = rule.word if rule is not None and shown in (State.STRANGE, State.FAILED) else ""
    return told or _WORDS[dialect].get(shown, "simmering")
