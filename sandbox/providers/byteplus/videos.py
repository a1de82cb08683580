"""Seedance: tasks that are created, polled, listed, cancelled while queued, and called back about, unsigned."""

import json
import secrets
import string
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Rule
from sandbox.inputs import InputPicture, UnusableInput
from sandbox.jobs import Job, State
from sandbox.ledger import Row
from sandbox.media import Medium, VideoOrder
from sandbox.providers.byteplus import content as contents
from sandbox.providers.byteplus.content import Body, Content
from sandbox.providers.byteplus.errors import NAME, ArkError, invalid, request_id
from sandbox.providers.byteplus.models import VIDEO_MODELS, VideoModel, nearest_ratio, video_size
from sandbox.webhooks import Notice
from sandbox.world import World

_FRAME_RATE = 24
_DAY = 24 * 3600
_RUNNING_AT_ONCE = 10
_QUEUED_AT_ONCE = 120
_DOWNLOADS = 100
_DECIDED_SECONDS = 5  # what a duration of -1 comes to
_ACKNOWLEDGED_WITHIN = 5.0

_WORDS = {State.MODERATED: "failed", State.STRANGE: "reviewing"}  # the others are worded as they are named
_LAST = frozenset(
    {State.SUCCEEDED, State.FAILED, State.MODERATED}
)  # their callbacks are repeated; `expired` is not promised that
_LIST_WORDS = frozenset({"queued", "running", "cancelled", "succeeded", "failed", "expired"})


class Videos:
    def __init__(self, world: World) -> None:
        self._world = world
        self._listed_at: dict[str, float] = {}

    async def create(self, raw: bytes, row: Row, account: str, fate: Rule | None) -> Response:
        model = VIDEO_MODELS[row.model]
        body, content = contents.parse(raw, model)
        if "[moderate]" in content.prompt or (fate is not None and fate.kind == "moderated" and fate.stage == "input"):
            raise ArkError(
                400, "InputTextSensitiveContentDetected", "The input text may contain sensitive information.", "content"
            )
        self._refuse_beyond_limits(account, row.model)
        pictures = [await self._load(url) for url in content.pictures]
        job = self._job(model, body, content, pictures, row, account, fate)
        rule = self._world.webhooks.at_acceptance(NAME, job.model) if row.callback_url else None
        job.details["was_announced"] = rule is not None and rule.kind == "early"
        self._world.jobs.start(job)
        self._world.tasks.later(7 * _DAY, lambda: self._world.jobs.forget(job))
        if rule is not None and rule.kind == "early":
            await self._world.webhooks.send_early(_notice(job, _told(job, "succeeded")))
        elif rule is not None:
            self._world.webhooks.send_forged(_notice(job, _told(job, "failed")))
        return _ok({"id": job.id})

    def _refuse_beyond_limits(self, account: str, model: str) -> None:
        queued = [
            job for job in self._world.jobs.active(NAME, account) if job.model == model and job.state is State.QUEUED
        ]
        if self._world.config.limits and len(queued) >= _QUEUED_AT_ONCE:
            raise ArkError(
                429, "QuotaExceeded", "The number of queued tasks exceeds the limit. Please try again later."
            )

    async def _load(self, url: str) -> InputPicture:
        if not url:
            raise ArkError(400, "InvalidImageURL.EmptyURL", "The image URL is empty.", "content.image_url")
        if url.startswith("asset://"):
            return InputPicture()
        try:
            picture = await self._world.inputs.load(url)
        except UnusableInput as error:
            code = "InvalidImageURL.InvalidFormat"
            raise ArkError(400, code, f"The image could not be loaded: {error}.", "content.image_url") from error
        if picture.data is not None:
            is_sized = min(picture.width, picture.height) >= 300 and max(picture.width, picture.height) <= 6000
            if not is_sized or not 0.4 <= picture.width / picture.height <= 2.5:
                raise invalid("content.image_url", "sides must be 300 to 6000 px and the aspect ratio 0.4 to 2.5")
        return picture

    def _job(
        self,
        model: VideoModel,
        body: Body,
        content: Content,
        pictures: list[InputPicture],
        row: Row,
        account: str,
        fate: Rule | None,
    ) -> Job:
        details = _details(model, body, content, pictures)
        width, height = details["size"]
        order = VideoOrder(
            prompt=content.prompt,
            seed=details["echo"]["seed"],
            width=width,
            height=height,
            frames=details["frames"],
            sound=bool(details["echo"].get("generate_audio")),
            first_frame=pictures[0].data if pictures else None,
            last_frame=pictures[1].data if content.last_frame is not None else None,
            wants_last_frame=body.return_last_frame,
            watermark=body.watermark,
        )
        row.callback_url = body.callback_url
        if fate is None and "[moderate-output]" in content.prompt:
            fate = Rule(kind="moderated")

        async def draw() -> tuple[Medium, ...]:
            return await self._world.studio.video(order)

        return Job(
            id=_new_id(),
            provider=NAME,
            model=row.model,
            account=account,
            row=row,
            seconds=self._world.config.video_seconds,
            draw=draw,
            on_change=self._changed,
            details=details,
            fate=fate,
            expires_after=body.execution_expires_after,
            slot=self._world.jobs.slot(_RUNNING_AT_ONCE, NAME, account, row.model)
            if self._world.config.limits
            else nullcontext(),
        )

    def _changed(self, job: Job) -> None:
        if job.state is State.SUCCEEDED:
            self._deliver(job)
        if job.row.callback_url is None or (job.details["was_announced"] and not job.is_active):
            return
        if job.state is not State.CANCELLED:  # not among the documented callbacks
            self._world.webhooks.send(_notice(job, task_of(job, job.state, None)))

    def _deliver(self, job: Job) -> None:
        names = ("video_url", "last_frame_url")
        seconds = self._world.config.byteplus_result_seconds
        job.details["content"] = {
            name: self._world.results.publish(medium, provider=NAME, row=job.row, seconds=seconds, downloads=_DOWNLOADS)
            for name, medium in zip(names, job.media, strict=False)
        }
        job.media = ()  # from here the results keep the files
        job.row.charged = job.details["tokens"]

    def find(self, id: str, account: str) -> Job:
        """A task belongs to the account that made it; to any other, as in another region, it does not exist."""
        job = self._world.jobs.find(id)
        if job is None or job.provider != NAME or job.account != account or "echo" not in job.details:
            raise _not_found(id)
        return job

    def get(self, id: str, account: str, twist: Rule | None) -> Response:
        job = self.find(id, account)
        shown = job.read(twist)
        if shown is State.GONE:
            raise _not_found(id)
        return _ok(task_of(job, shown, twist))

    def delete(self, id: str, account: str) -> Response:
        """Cancels what is queued, refuses what runs, and destroys the record, and so the URL, of what has ended."""
        job = self.find(id, account)
        if job.state is State.RUNNING:
            message = f"The task {id} is currently running and cannot be deleted."
            raise ArkError(409, "InvalidAction.RunningTaskDeletion", message)
        if job.state is State.CANCELLED:
            raise ArkError(409, "InvalidAction.CancelledTaskDeletion", f"The task {id} has already been cancelled.")
        if job.state is State.QUEUED:
            self._world.jobs.cancel(job)
            self._world.tasks.later(_DAY, lambda: self._world.jobs.forget(job))
        else:
            self._world.jobs.forget(job)
        return _ok({})

    def list(self, account: str, request: Request) -> Response:
        self._refuse_second_list(account)
        query = request.query_params
        number = _whole(query.get("page_num", "1"), "page_num")
        size = _whole(query.get("page_size", "20"), "page_size")
        found = [job for job in self._world.jobs.of(NAME, account) if "echo" in job.details and _matches(job, request)]
        found.sort(key=lambda job: job.created, reverse=True)
        page = found[(number - 1) * size : number * size]
        return _ok({"items": [self._listed(job) for job in page], "total": len(found)})

    def _listed(self, job: Job) -> dict[str, Any]:
        task = task_of(job, job.state, None)
        if not self._world.config.byteplus_lists_identifiers:
            task.pop("safety_identifier", None)
        return task

    def _refuse_second_list(self, account: str) -> None:
        now = time.monotonic()
        if self._world.config.limits and now - self._listed_at.get(account, -1.0) < 1:
            raise ArkError(429, "AccountRateLimitExceeded", "The request rate of the account exceeds the limit.")
        self._listed_at[account] = now


def task_of(job: Job, shown: State, twist: Rule | None) -> dict[str, Any]:
    """The task as GET, list and callbacks give it."""
    rule = twist or job.fate
    word = rule.word if rule is not None and shown is State.STRANGE and rule.word else _WORDS.get(shown, shown.value)
    task: dict[str, Any] = {"id": job.id, "model": job.model, "status": word, "error": None}
    task |= {"created_at": int(job.created), "updated_at": int(job.updated)}
    if shown is State.SUCCEEDED:
        tokens = job.details["tokens"]
        task |= {"content": job.details["content"], "usage": {"completion_tokens": tokens, "total_tokens": tokens}}
    elif shown is State.MODERATED:
        task["error"] = _problem(
            "OutputVideoSensitiveContentDetected", "the output video may contain sensitive information."
        )
    elif shown is State.FAILED:
        task["error"] = _problem("InternalServiceError", "the service encountered an unexpected internal error.")
    elif shown is State.EXPIRED:
        task["error"] = _problem("TaskExpired", "the task took longer than execution_expires_after.")
    return {**task, **job.details["echo"]}


def _details(model: VideoModel, body: Body, content: Content, pictures: list[InputPicture]) -> dict[str, Any]:
    """What is made, and the fields that every answer about the task repeats."""
    resolution = body.resolution or ("480p" if body.draft else model.default_resolution)
    ratio = body.ratio or (model.text_ratio if not pictures else "adaptive")
    if ratio == "adaptive":
        ratio = nearest_ratio(pictures[0].width, pictures[0].height) if pictures else "16:9"
    seconds = _DECIDED_SECONDS if body.duration in (None, -1) else body.duration
    frames = body.frames or _FRAME_RATE * (seconds or _DECIDED_SECONDS) + 1
    width, height = video_size(model.sizes, resolution, ratio)
    echo: dict[str, Any] = {
        "seed": secrets.randbelow(1 << 32) if body.seed == -1 else body.seed,
        "resolution": resolution,
        "ratio": ratio,
        **({"frames": frames} if body.frames else {"duration": frames // _FRAME_RATE}),
        "framespersecond": _FRAME_RATE,
        "service_tier": body.service_tier,
        "execution_expires_after": body.execution_expires_after,
    }
    if model.has_sound:
        echo["generate_audio"] = body.generate_audio is not False
    if model.has_draft:
        echo["draft"] = body.draft
    if body.safety_identifier is not None:
        echo["safety_identifier"] = body.safety_identifier
    return {"echo": echo, "size": (width, height), "frames": frames, "tokens": frames * width * height // 1024}


def _notice(job: Job, task: dict[str, Any]) -> Notice:
    """No signature, no secret, no timestamp: none is documented."""
    is_last = job.state in _LAST
    return Notice(
        provider=NAME,
        model=job.model,
        url=job.row.callback_url or "",
        body=json.dumps(task).encode(),
        is_last=is_last,
        is_repeated=is_last,
        stale_body=json.dumps(_told(job, "running")).encode() if is_last else None,
        acknowledged_within=_ACKNOWLEDGED_WITHIN,
    )


def _told(job: Job, word: str) -> dict[str, Any]:
    return task_of(job, State.RUNNING, None) | {"status": word}


def _matches(job: Job, request: Request) -> bool:
    """Flex tasks are hidden unless asked for."""
    query = request.query_params
    status, model, ids = query.get("filter.status"), query.get("filter.model"), query.getlist("filter.task_ids")
    if status is not None and status not in _LIST_WORDS:
        raise invalid("filter.status", f"one of {', '.join(sorted(_LIST_WORDS))}")
    return (
        status in (None, task_of(job, job.state, None)["status"])
        and model in (None, job.model)
        and (not ids or job.id in ids)
        and job.details["echo"]["service_tier"] == query.get("filter.service_tier", "default")
    )


def _whole(text: str, name: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 500:
        raise invalid(name, "must be between 1 and 500")
    return int(text)


def _problem(code: str, why: str) -> dict[str, str]:
    return {"code": code, "message": f"The request failed because {why} Request id: {request_id()}"}


def _new_id() -> str:
    moment = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    return f"cgt-{moment}-{''.join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(5))}"


def _not_found(id: str) -> ArkError:
    return ArkError(404, "ResourceNotFound", f"The task {id} does not exist.")


def _ok(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers={"X-Request-Id": request_id()})
