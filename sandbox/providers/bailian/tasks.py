"""Wan tasks: made, read, cancelled while queued, listed. They are the same through either way in."""

import secrets
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import QueryParams

from sandbox.faults import Rule
from sandbox.inputs import InputPicture, UnusableInput
from sandbox.jobs import Job, State
from sandbox.ledger import Row
from sandbox.media import Medium, VideoOrder
from sandbox.providers.bailian.errors import NAME, WanError, invalid, request_id
from sandbox.providers.bailian.limits import Limits
from sandbox.providers.bailian.order import MODELS, Order, check_picture, check_sound, moderated, video_size
from sandbox.world import World

_FRAME_RATE = 30
_BEIJING = timezone(timedelta(hours=8))  # the zone is not named anywhere (inferred)
_WORDS = {
    State.QUEUED: "PENDING",
    State.RUNNING: "RUNNING",
    State.SUCCEEDED: "SUCCEEDED",
    State.FAILED: "FAILED",
    State.MODERATED: "FAILED",
    State.CANCELLED: "CANCELED",
    State.EXPIRED: "UNKNOWN",
    State.GONE: "UNKNOWN",
}


class WanTasks:
    def __init__(self, world: World, limits: Limits) -> None:
        self._world = world
        self._limits = limits

    async def create(self, order: Order, row: Row, account: str, fate: Rule | None) -> dict[str, Any]:
        if fate is not None and fate.kind == "no_credit":
            raise WanError(400, "Arrearage", "Access denied, please make sure your account is in good standing.")
        if fate is not None and fate.kind == "moderated" and fate.stage == "input":
            raise moderated()
        if fate is None and "[moderate-output]" in order.input.prompt:
            fate = Rule(kind="moderated")
        job = self._job(order, await self._load(order), row, account, fate)
        self._world.jobs.start(job)
        config = self._world.config
        self._world.tasks.later(
            config.video_seconds + config.bailian_retention_seconds, lambda: self._world.jobs.forget(job)
        )
        return _answer({"task_id": job.id, "task_status": "PENDING"})

    async def _load(self, order: Order) -> InputPicture:
        try:
            picture = await self._world.inputs.load(order.input.img_url)
            check_picture(picture, self._world.config.bailian_sides)
            if order.input.audio_url is not None:
                sound = await self._world.inputs.fetch(order.input.audio_url)
                if sound is not None:
                    check_sound(sound)
        except UnusableInput as error:
            raise WanError(400, "InvalidParameter.DataInspection", f"Unable to load the media: {error}.") from error
        return picture

    def _job(self, order: Order, picture: InputPicture, row: Row, account: str, fate: Rule | None) -> Job:
        parameters = order.parameters
        width, height = video_size(MODELS[order.model], parameters.resolution, picture)
        film = VideoOrder(
            prompt=order.input.prompt,
            seed=secrets.randbelow(1 << 31) if parameters.seed is None else parameters.seed,
            width=width,
            height=height,
            frames=parameters.duration * _FRAME_RATE,
            sound=order.has_sound,
            first_frame=picture.data,
            watermark=parameters.watermark,
            frame_rate=_FRAME_RATE,
        )

        async def draw() -> tuple[Medium, ...]:
            return await self._world.studio.video(film)

        return Job(
            id=str(uuid.uuid4()),
            provider=NAME,
            model=row.model,
            account=account,
            row=row,
            seconds=self._world.config.video_seconds,
            draw=draw,
            on_change=self._changed,
            fate=fate,
            slot=self._limits.place(account),
            details={
                "prompt": order.input.prompt,
                "is_extended": parameters.prompt_extend,
                "duration": parameters.duration,
                "usage": _usage(order, width, height),
            },
        )

    def _changed(self, job: Job) -> None:
        if job.state is not State.SUCCEEDED:
            return
        [film] = job.media
        seconds = self._world.config.bailian_result_seconds
        url = self._world.results.publish(film, provider=NAME, row=job.row, seconds=seconds)
        # Object stores say it with a capital letter, and clients read it there.
        [expires] = parse_qs(urlsplit(url).query)["expires"]
        job.details["video_url"] = f"{url}&Expires={expires}"
        job.media = ()  # from here the results keep the file
        job.row.charged = job.details["duration"]

    def get(self, id: str, account: str, twist: Rule | None) -> dict[str, Any]:
        """What nobody knows, and what another account made, is UNKNOWN, under HTTP 200."""
        job = self._find(id, account)
        if job is None:
            return _answer({"task_id": id, "task_status": "UNKNOWN"})
        return task_of(job, job.read(twist), twist or job.fate)

    def cancel(self, id: str, account: str) -> dict[str, Any]:
        job = self._find(id, account)
        if job is None or job.state is not State.QUEUED:
            # The code is inferred.
            raise WanError(400, "UnsupportedOperation", "The task is not pending and cannot be canceled.")
        self._world.jobs.cancel(job)
        return {"request_id": request_id()}

    def list(self, account: str, query: QueryParams) -> dict[str, Any]:
        """Newest first. Neither prompt nor any mark of the caller's is in it: it tells whose nothing is."""
        number, size = (_whole(query.get(name, default), name) for name, default in _PAGE.items())
        found = [job for job in self._world.jobs.of(NAME, account) if _matches(job, query)]
        found.sort(key=lambda job: job.created, reverse=True)
        page = found[(number - 1) * size : number * size]
        return {
            "request_id": request_id(),
            "data": [{**_head(job, job.state, None), "model_name": job.model} for job in page],
            "total": len(found),
            "page_no": number,
            "page_size": size,
        }

    def _find(self, id: str, account: str) -> Job | None:
        job = self._world.jobs.find(id)
        return job if job is not None and job.provider == NAME and job.account == account else None


_PAGE = {"page_no": "1", "page_size": "10"}


def _whole(text: str, name: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise invalid(f"must be between 1 and 100: {name}")
    return int(text)


def _matches(job: Job, query: QueryParams) -> bool:
    made = datetime.fromtimestamp(job.created, _BEIJING).strftime("%Y%m%d%H%M%S")
    return (
        query.get("start_time", "0") <= made <= query.get("end_time", "9")
        and query.get("model_name", job.model) == job.model
        and query.get("status", _WORDS[job.state]) == _WORDS[job.state]
    )


def task_of(job: Job, shown: State, rule: Rule | None) -> dict[str, Any]:
    if shown in (State.EXPIRED, State.GONE):
        return _answer({"task_id": job.id, "task_status": "UNKNOWN"})
    output = _head(job, shown, rule)
    if shown is State.MODERATED:
        output |= {"code": "DataInspectionFailed", "message": "Output data may contain inappropriate content."}
    elif shown is State.FAILED:
        code = (rule.word if rule else "") or "InternalError.Timeout"
        output |= {"code": code, "message": "The task timed out."}
    elif shown is State.SUCCEEDED:
        output |= {"video_url": job.details["video_url"], "orig_prompt": job.details["prompt"]}
        if job.details["is_extended"]:
            output["actual_prompt"] = f"{job.details['prompt']} The camera moves slowly, and the light is soft."
        return {**_answer(output), "usage": job.details["usage"]}
    return _answer(output)


def _head(job: Job, shown: State, rule: Rule | None) -> dict[str, Any]:
    word = (rule.word if rule else "") or "HIBERNATING" if shown is State.STRANGE else _WORDS[shown]
    moments = {"submit_time": job.created}
    if shown is not State.QUEUED and job.started is not None:
        moments["scheduled_time"] = job.started
    if shown not in (State.QUEUED, State.RUNNING) and job.ended is not None:
        moments["end_time"] = job.ended
    return {"task_id": job.id, "task_status": word, **{name: _time(moment) for name, moment in moments.items()}}


def _usage(order: Order, width: int, height: int) -> dict[str, Any]:
    seconds, lines = order.parameters.duration, int(order.parameters.resolution.removesuffix("P"))
    if MODELS[order.model].old_usage:
        return {"video_duration": seconds, "video_ratio": f"{width}*{height}", "video_count": 1, "SR": lines}
    return {
        "duration": seconds,
        "input_video_duration": 0,
        "output_video_duration": seconds,
        "SR": lines,
        "size": f"{width}*{height}",
        "video_count": 1,
    }


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, _BEIJING).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _answer(output: dict[str, Any]) -> dict[str, Any]:
    return {"request_id": request_id(), "output": output}
