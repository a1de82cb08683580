"""How BFL words a task: the status text, the poll answer and the two forms of webhook."""

import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime
from typing import Any

from sandbox.config import BflWebhook
from sandbox.faults import Rule
from sandbox.jobs import Job, State
from sandbox.webhooks import Notice

NAME = "bfl"
_WORDS = {
    State.QUEUED: "Pending",  # BFL does not tell queued from running
    State.RUNNING: "Pending",
    State.SUCCEEDED: "Ready",
    State.FAILED: "Error",
    State.EXPIRED: "Error",
    State.GONE: "Task not found",
}


def poll_answer(job: Job, shown: State, twist: Rule | None) -> dict[str, Any]:
    """`progress` is null while queued and again at the end, as it is with the real thing."""
    rule = twist or job.fate
    answer = _blank(job.id, _word(shown, rule))
    if shown is State.RUNNING:
        answer["progress"] = round(job.progress(), 2)
    elif shown is State.SUCCEEDED:
        answer["result"] = job.details["result"]
    elif shown is State.MODERATED:
        answer["details"] = {"Moderation Reasons": ["Safety Filter"]}
    elif shown in (State.FAILED, State.EXPIRED):
        answer["details"] = {"error": "Generation failed."}
    return answer


def not_found(id: str) -> dict[str, Any]:
    return _blank(id, _WORDS[State.GONE])


def http_status(job: Job, shown: State, twist: Rule | None) -> int:
    """A failed task may be polled as 422 or 503 with the task in the body; a rule's `status` asks for that."""
    rule = twist or job.fate
    has_ended_badly = shown in (State.FAILED, State.MODERATED)
    return rule.status if rule is not None and has_ended_badly and rule.status else 200


def notice(job: Job, mode: BflWebhook) -> Notice:
    """The finished task, in the form of BFL's client (`secret`) or of its guide (`hmac`)."""
    finished = poll_answer(job, job.state, None)
    if mode == "hmac":
        finished = _as_the_guide_says(finished)
    body = json.dumps(finished).encode()
    return Notice(
        provider=NAME,
        model=job.model,
        url=job.row.callback_url or "",
        body=body,
        headers=_signature(mode, job.details["webhook_secret"], body),
        wrong_headers=_signature(mode, secrets.token_hex(8), body),
        stale_body=json.dumps(_blank(job.id, "Pending") | {"progress": 0.5}).encode(),
    )


def early_notice(job: Job, mode: BflWebhook) -> Notice:
    """Says `Ready` of a task that is not; only a poll tells."""
    body = json.dumps(_blank(job.id, "Ready")).encode()
    secret = job.details["webhook_secret"]
    return Notice(NAME, job.model, job.row.callback_url or "", body, _signature(mode, secret, body))


def forged_notice(job: Job, mode: BflWebhook) -> Notice:
    """By someone who knows the address and the id, not the secret."""
    lie = {"sample": "http://127.0.0.1:9/not-yours.jpeg", "prompt": "", "seed": 0}
    body = json.dumps(_blank(job.id, "Ready") | {"result": lie}).encode()
    wrong = _signature(mode, secrets.token_hex(8), body)
    return Notice(NAME, job.model, job.row.callback_url or "", body, wrong_headers=wrong, is_repeated=False)


def _word(shown: State, rule: Rule | None) -> str:
    if shown is State.MODERATED:
        return "Request Moderated" if rule is not None and rule.stage == "input" else "Content Moderated"
    if shown is State.STRANGE:
        return (rule.word if rule else "") or "Daydreaming"
    if shown is State.FAILED and rule is not None and rule.word:
        return rule.word
    return _WORDS[shown]


def _blank(id: str, status: str) -> dict[str, Any]:
    return {"id": id, "status": status, "result": None, "progress": None, "details": None, "preview": None}


def _as_the_guide_says(task: dict[str, Any]) -> dict[str, Any]:
    common = {"id": task["id"], "status": task["status"], "timestamp": datetime.now(UTC).isoformat()}
    if task["status"] == "Ready":
        return common | {"result": {name: task["result"][name] for name in ("sample", "prompt", "seed")}}
    return common | {"status": "Error", "error": task["status"], "message": "The task did not finish."}


def _signature(mode: BflWebhook, secret: str | None, body: bytes) -> dict[str, str]:
    if secret is None or mode == "none":
        return {}
    if mode == "secret":
        return {"X-Webhook-Secret": secret}
    return {"X-BFL-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
