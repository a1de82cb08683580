"""BFL's routes. There is no cancel, no list and no idempotency key: every accepted POST is one more paid task."""

import json
import secrets
import time
import uuid
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from sandbox.faults import CONNECTIONS, Rule
from sandbox.inputs import InputPicture, UnusableInput
from sandbox.jobs import Job, State
from sandbox.ledger import Row
from sandbox.media import Medium, PictureOrder
from sandbox.providers.bfl import wording
from sandbox.providers.bfl.models import MODELS, Model, Order
from sandbox.results import address
from sandbox.spoil import Call, answered
from sandbox.world import World, account_of

NAME = wording.NAME
_MOST_INPUT_PIXELS = 20_000_000  # inferred from FLUX 3
_ACTIVE_LIMIT = 24  # of an account; a model may have a smaller one of its own
_OPENING_CREDITS = 1_000_000.0  # a load test must not run dry; a rule of kind `no_credit` shows what being dry is like


def router(world: World) -> APIRouter:
    routes = APIRouter()
    desk = _Desk(world)
    routes.add_api_route("/v1/get_result", desk.get_result, methods=["GET"])
    routes.add_api_route("/v1/credits", desk.get_credits, methods=["GET"])
    routes.add_api_route("/v1/{model}", desk.submit, methods=["POST"])
    routes.add_api_route("/{path:path}", _nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return routes


async def _nothing_here() -> Response:
    return _error(404, "Not Found")


class _Desk:
    def __init__(self, world: World) -> None:
        self._world = world
        self._spent: dict[str, float] = {}

    async def submit(self, model: str, request: Request) -> Response:
        raw = await request.body()
        key = request.headers.get("x-key", "")
        row = self._world.ledger.record(NAME, "submit", model, _parsed(raw), request.headers)

        async def perform(fate: Rule | None) -> Response:
            known = MODELS.get(model)
            if known is None:
                return _error(404, "Not Found")
            account = account_of(key)
            if account is None:
                return _error(403, "Not authenticated")
            try:
                order = known.order.model_validate_json(raw)
            except ValidationError as error:
                return JSONResponse({"detail": _problems(error)}, 422)
            return await self._accept(known, order, row, account, fate)

        return await answered(self._world.faults, Call(NAME, model, "submit", _error, key), perform)

    async def _accept(self, model: Model, order: Order, row: Row, account: str, fate: Rule | None) -> Response:
        if fate is not None and fate.kind == "no_credit":
            return _error(402, "Insufficient credits. Add credits to continue.")
        if self._world.config.limits and self._is_full(account, row.model, model.active_limit):
            return _error(429, "Too many active tasks. Wait for one to finish.")
        try:
            pictures = [await self._world.inputs.load(reference) for reference in order.pictures()]
        except UnusableInput as error:
            return _error(400, f"Could not read the input image: {error}.")
        if any(picture.width * picture.height > _MOST_INPUT_PIXELS for picture in pictures):
            return _error(400, "The input image has more than 20 megapixels.")
        job = self._job(model, order, pictures, row, account, fate or _marked(order.prompt))
        announcement = self._announcement(job)
        self._world.jobs.start(job)
        self._world.tasks.later(
            self._world.config.picture_seconds + self._world.config.bfl_retention_seconds,
            lambda: self._world.jobs.forget(job),
        )
        if announcement == "early":
            await self._world.webhooks.send_early(wording.early_notice(job, self._world.config.bfl_webhook))
        elif announcement == "forge":
            self._world.webhooks.send_forged(wording.forged_notice(job, self._world.config.bfl_webhook))
        return JSONResponse(self._receipt(job), headers={"x-request-id": str(uuid.uuid4())})

    def _is_full(self, account: str, model: str, model_limit: int) -> bool:
        active = self._world.jobs.active(NAME, account)
        return len(active) >= _ACTIVE_LIMIT or sum(job.model == model for job in active) >= model_limit

    def _job(
        self, model: Model, order: Order, pictures: list[InputPicture], row: Row, account: str, fate: Rule | None
    ) -> Job:
        width, height = order.size(pictures[0] if pictures else None)
        seed = secrets.randbelow(1 << 32) if order.seed is None else order.seed
        inputs, output = sum(picture.megapixels for picture in pictures), width * height / (1024 * 1024)
        references = tuple(picture.data for picture in pictures if picture.data is not None)
        painting = PictureOrder(order.prompt, seed, width, height, order.output_format, references)
        row.callback_url = order.webhook_url

        async def draw() -> tuple[Medium, ...]:
            return (await self._world.studio.picture(painting),)

        return Job(
            id=str(uuid.uuid4()),
            provider=NAME,
            model=row.model,
            account=account,
            row=row,
            seconds=self._world.config.picture_seconds,
            draw=draw,
            on_change=self._changed,
            fate=fate,
            details={
                "prompt": order.prompt,
                "seed": seed,
                "webhook_secret": order.webhook_secret,
                "cost": model.cost(inputs, output),
                "input_mp": round(inputs, 2),
                "output_mp": round(output, 2),
            },
        )

    def _announcement(self, job: Job) -> str | None:
        """The fault, if any, that befalls the webhook at acceptance. An early notice replaces the timely one."""
        if job.row.callback_url is None:
            return None
        rule = self._world.webhooks.at_acceptance(NAME, job.model)
        job.details["was_announced"] = rule is not None and rule.kind == "early"
        return rule.kind if rule else None

    def _receipt(self, job: Job) -> dict[str, Any]:
        price = {name: job.details[name] for name in ("cost", "input_mp", "output_mp")}
        if job.row.callback_url is not None:
            return {"id": job.id, "status": "Pending", "webhook_url": job.row.callback_url, **price}
        # Another host name than the submit's: clients must poll this address as it is, not one they compose.
        rule = self._world.faults.take(NAME, job.model, "status", CONNECTIONS)
        polling_url = f"{address(self._world.config, rule)}/{NAME}/v1/get_result?id={job.id}"
        return {"id": job.id, "polling_url": polling_url, **price}

    def _changed(self, job: Job) -> None:
        if job.is_active:
            return
        if job.state is State.SUCCEEDED:
            self._deliver(job)
        if job.row.callback_url is not None and not job.details["was_announced"]:
            self._world.webhooks.send(wording.notice(job, self._world.config.bfl_webhook))

    def _deliver(self, job: Job) -> None:
        """Only `Ready` costs anything, whatever the submit's answer quoted. From here the results keep the file."""
        job.row.charged = job.details["cost"]
        self._spent[job.account] = self._spent.get(job.account, 0) + job.details["cost"]
        sample = self._world.results.publish(
            job.media[0], provider=NAME, row=job.row, seconds=self._world.config.bfl_result_seconds
        )
        job.media = ()
        started, ended = job.started or job.created, job.ended or job.updated
        job.details["result"] = {
            "sample": sample,
            "prompt": job.details["prompt"],
            "seed": job.details["seed"],
            "start_time": started,
            "end_time": ended,
            "duration": round(ended - started, 3),
        }

    async def get_result(self, request: Request) -> Response:
        """No key is asked for: the OpenAPI description marks no security on this path, though clients all send one."""
        task_id = request.query_params.get("id")
        if task_id is None:
            return JSONResponse({"detail": [{"type": "missing", "loc": ["query", "id"], "msg": "Field required"}]}, 422)
        job = self._world.jobs.find(task_id)

        async def perform(twist: Rule | None) -> Response:
            if job is None or job.provider != NAME or self._is_unknown_here(job, request):
                return JSONResponse(wording.not_found(task_id))
            shown = job.read(twist)
            return JSONResponse(wording.poll_answer(job, shown, twist), wording.http_status(job, shown, twist))

        call = Call(
            provider=NAME,
            model=job.model if job else "",
            operation="status",
            error=_error,
            key=request.headers.get("x-key", ""),
            # Where we handed out the address, connection faults were decided then.
            unfit=CONNECTIONS if job is not None and job.row.callback_url is None else frozenset(),
        )
        return await answered(self._world.faults, call, perform)

    def _is_unknown_here(self, job: Job, request: Request) -> bool:
        """A cluster learns of a task a little late, and in strict mode the submit host never does."""
        config = self._world.config
        on_submit_host = request.url.hostname == config.host
        is_strict = config.bfl_strict_polling and on_submit_host and job.row.callback_url is None
        return is_strict or time.time() - job.created < config.bfl_replication_seconds

    async def get_credits(self, request: Request) -> Response:
        account = account_of(request.headers.get("x-key", ""))
        if account is None:
            return _error(403, "Not authenticated")
        return JSONResponse({"credits": round(_OPENING_CREDITS - self._spent.get(account, 0), 2)})


def _marked(prompt: str) -> Rule | None:
    """Prompts can ask for a refusal in so many words, which spares a demo the fault rules."""
    if "[moderate]" in prompt:
        return Rule(kind="moderated", stage="input")
    if "[moderate-output]" in prompt:
        return Rule(kind="moderated", stage="output")
    return None


def _error(status: int, message: str) -> Response:
    return JSONResponse({"detail": message}, status)


def _problems(error: ValidationError) -> list[dict[str, Any]]:
    """As FastAPI words them, which is what BFL runs."""
    return [
        {"type": problem["type"], "loc": ["body", *problem["loc"]], "msg": problem["msg"]}
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
