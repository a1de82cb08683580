"""Generations: made, read, listed, cancelled, deleted; with their credits reserved, charged or given back."""

import asyncio
import secrets
import uuid
from typing import Any

from sandbox.faults import Rule
from sandbox.inputs import InputPicture, UnusableInput
from sandbox.jobs import Job, State
from sandbox.ledger import Row
from sandbox.media import Medium, PictureOrder, VideoOrder
from sandbox.providers.babysea.accounts import Account, Accounts
from sandbox.providers.babysea.body import Order
from sandbox.providers.babysea.deliveries import Deliveries
from sandbox.providers.babysea.errors import NAME, Refusal, success
from sandbox.providers.babysea.models import sides
from sandbox.providers.babysea.wording import generation, receipt
from sandbox.world import World

_FRAME_RATE = 24
_KEPT_SECONDS = 24 * 3600
_RESULT_SECONDS = 7 * 24 * 3600
_AT_ONCE = 200  # of an account; no figure is published
_FORMATS = {"JPEG", "PNG", "WEBP"}


class Generations:
    def __init__(self, world: World, accounts: Accounts, deliveries: Deliveries) -> None:
        self._world = world
        self._accounts = accounts
        self._deliveries = deliveries

    async def create(self, order: Order, row: Row, account: Account, fate: Rule | None) -> dict[str, Any]:
        _refuse_by_fate(fate)
        if self._world.config.limits and len(self._world.jobs.active(NAME, account.id)) >= _AT_ONCE:
            raise Refusal(429, "Too many at once.", code="BSE1009", type="concurrency_limit_exceeded")
        await asyncio.sleep(self._world.config.babysea_start_seconds)
        pictures = [await self._load(url) for url in order.body.generation_input_file]
        last = await self._load(order.last_frame) if order.last_frame is not None else InputPicture()
        job = self._job(order, pictures, last, row, account, fate or _marked(order))
        self._accounts.reserve(account, order.cost)
        rule = self._world.webhooks.at_acceptance(NAME, order.id)
        job.details["was_announced"] = rule is not None and rule.kind == "early"
        self._world.jobs.start(job)
        self._world.tasks.later(_KEPT_SECONDS, lambda: self._world.jobs.forget(job))
        if rule is not None and rule.kind == "early":
            await self._deliveries.announce_early(job)
        elif rule is not None:
            self._deliveries.forge(job)
        return success(receipt(job), "Generation initialized")

    async def _load(self, url: str) -> InputPicture:
        try:
            picture = await self._world.inputs.load(url)
        except UnusableInput as problem:
            raise Refusal(422, f"The input file could not be read: {problem}.") from problem
        if picture.format and picture.format not in _FORMATS:
            raise Refusal(422, "JPEG, PNG, WebP only.", code="BSE2004", type="unsupported_file_format")
        return picture

    def _job(
        self,
        order: Order,
        pictures: list[InputPicture],
        last: InputPicture,
        row: Row,
        account: Account,
        fate: Rule | None,
    ) -> Job:
        config = self._world.config
        fails_over = "[failover]" in order.body.generation_prompt
        used = order.upstreams[1 if fails_over and len(order.upstreams) > 1 else 0]

        async def draw() -> tuple[Medium, ...]:
            return await self._draw(order, pictures, last)

        return Job(
            id=str(uuid.uuid4()),
            provider=NAME,
            model=order.id,
            account=account.id,
            row=row,
            seconds=config.video_seconds if order.model.kind == "video" else config.picture_seconds,
            draw=draw,
            on_change=lambda job: self._changed(job, account),
            fate=fate,
            details={
                "order": list(order.upstreams),
                "used": used,
                "prediction": f"pred_{secrets.token_hex(6)}",
                "cost": order.cost,
                "inputs": order.body.model_dump(exclude={"generation_provider_order"}),
            },
        )

    async def _draw(self, order: Order, pictures: list[InputPicture], last: InputPicture) -> tuple[Medium, ...]:
        first = pictures[0] if pictures else InputPicture()
        body, seed = order.body, secrets.randbelow(1 << 32)
        shape = (first.width, first.height)
        width, height = sides(order.model, body.generation_ratio, body.generation_resolution, shape)
        if order.model.kind == "video":
            film = VideoOrder(
                prompt=body.generation_prompt,
                seed=seed,
                width=width,
                height=height,
                frames=order.seconds * _FRAME_RATE + 1,
                sound=order.audio,
                first_frame=first.data,
                last_frame=last.data,
            )
            return await self._world.studio.video(film)
        references = tuple(picture.data for picture in pictures if picture.data is not None)
        written = body.generation_output_format or "png"
        paintings = [
            PictureOrder(
                body.generation_prompt,
                seed + number,
                width,
                height,
                "jpeg" if written == "jpg" else "webp" if written == "webp" else "png",
                references,
            )
            for number in range(body.generation_output_number)
        ]
        return tuple([await self._world.studio.picture(painting) for painting in paintings])

    def _changed(self, job: Job, account: Account) -> None:
        if job.state is State.QUEUED:
            return
        if job.state is State.SUCCEEDED:
            job.row.charged = job.details["cost"]
            job.details["files"] = [
                self._world.results.publish(medium, provider=NAME, row=job.row, seconds=_RESULT_SECONDS)
                for medium in job.media
            ]
            job.media = ()  # from here the results keep the files
        elif not job.is_active:
            self._accounts.refund(account, job.details["cost"])
        if not (job.details["was_announced"] and not job.is_active):
            self._deliveries.announce(job, job.state)

    # ---- what exists ----------------------------------------------------------------------------------------------

    def find(self, id: str, account: Account) -> Job:
        job = self._world.jobs.find(id)
        if job is None or job.provider != NAME or job.account != account.id:
            raise Refusal(404, f"Generation {id!r} was not found.")
        return job

    def read(self, job: Job, twist: Rule | None) -> dict[str, Any]:
        shown = job.read(twist)
        if shown is State.GONE:
            raise Refusal(404, f"Generation {job.id!r} was not found.")
        return success(generation(job, shown, twist or job.fate))

    def list(self, account: Account, limit: int, offset: int) -> dict[str, Any]:
        """Newest first (inferred)."""
        found = sorted(self._world.jobs.of(NAME, account.id), key=lambda job: job.created, reverse=True)
        page = [generation(job, job.state, None) for job in found[offset : offset + limit]]
        return success({"generations": page}, total=len(found), limit=limit, offset=offset)

    def cancel(self, job: Job) -> dict[str, Any]:
        """Inferred: how the cancel of an ended generation is refused is not documented."""
        if not job.is_active:
            raise invalid_state(job)
        was_sent = job.state is State.RUNNING
        self._world.jobs.cancel(job)
        data = {
            "generation_id": job.id,
            "generation_status": "canceled",
            "provider_cancel_sent": was_sent,
            "credits_refunded": True,
        }
        return success(data)

    def delete(self, job: Job) -> dict[str, Any]:
        """Record and files are gone for good."""
        if job.is_active:
            raise invalid_state(job)
        files = len(job.details.get("files") or [])
        self._world.jobs.forget(job)
        return success({"generation_id": job.id, "files_deleted": files})


def invalid_state(job: Job) -> Refusal:
    return Refusal(400, f"Generation {job.id!r} is {job.state}.", type="invalid_state")


def _refuse_by_fate(fate: Rule | None) -> None:
    if fate is not None and fate.kind == "no_credit":
        raise Refusal(402, "Insufficient credits.")
    if fate is not None and fate.kind == "moderated" and fate.stage == "input":
        raise Refusal(
            422, "The input was refused by a content policy.", code="BSE2006", type="content_policy_violation"
        )


def _marked(order: Order) -> Rule | None:
    """Prompts can ask for a refusal in so many words; `[failover]` makes the first upstream fail."""
    prompt = order.body.generation_prompt
    if "[moderate]" in prompt:
        _refuse_by_fate(Rule(kind="moderated", stage="input"))
    if "[moderate-output]" in prompt:
        return Rule(kind="moderated")
    if "[failover]" in prompt and len(order.upstreams) == 1:
        return Rule(kind="failed")
    return None
