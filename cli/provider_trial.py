"""One real job at a provider, the cheapest there is, and the shapes of the answers that it got."""

import asyncio
import io
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from PIL import Image

from cli.shapes import shape_of
from domain.checks import Checkable, Checked, KeyVerdict
from domain.errors import BabyChainError, JobExpired, Refused, StepError
from domain.media import InputFile, InputForm, MediaKind, MediaRequest
from domain.money import Micros
from domain.provider import (
    Accepted,
    Canceled,
    Failed,
    Job,
    JobRequest,
    JobState,
    ModelCard,
    Provider,
    Succeeded,
    Unsure,
)

_PROMPT = "A paper boat on calm water"
_SIDE = 512
_VERDICTS = {
    "provider_network_error": KeyVerdict.UNREACHABLE,
    "provider_unauthorized": KeyVerdict.REFUSED,
}


async def check(provider: Provider) -> Checked:
    """Ask for something free that needs a good key: what the adapter knows, or else a job that does not exist."""
    try:
        if isinstance(provider, Checkable):
            return await provider.check()
        state = await provider.status(Job(str(uuid4())))
    except StepError as error:
        return Checked(_VERDICTS.get(error.reason, KeyVerdict.UNKNOWN), error.message)
    if isinstance(state, Unsure | Failed) and isinstance(state.error, JobExpired):
        # Inferred: who does not know the key does not look for the job.
        return Checked(KeyVerdict.GOOD, "asked for a job that does not exist, it says just that")
    return Checked(KeyVerdict.UNKNOWN, "asked for a job that does not exist, it answered something else")


# ---- what it would cost ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    card: ModelCard
    params: dict[str, Any]
    pictures: tuple[InputFile, ...]
    cost: Micros


def cheapest(module: ModuleType, provider: Provider) -> Trial | str:
    """The cheapest job whose price is known and whose input we can make, or why there is none."""
    trials = [trial for card in module.MODELS.values() if (trial := trial_of(card, provider)) is not None]
    if not trials:
        return "no model whose price is published and whose input can be sent along"
    return min(trials, key=lambda trial: trial.cost)


def trial_of(card: ModelCard, provider: Provider) -> Trial | None:
    wish = MediaRequest(card.kind, prompt=_PROMPT, seconds=None if card.kind is MediaKind.IMAGE else 1)
    params, count = card.from_neutral(wish).params, card.inputs.minimum
    cost = card.price(params, count).high
    takes = card.input_forms or provider.accepts
    if cost is None or (count and not {InputForm.INLINE, InputForm.UPLOAD} & set(takes)):
        return None
    return Trial(card, params, (_picture(),) * count, cost)


def _picture() -> InputFile:
    out = io.BytesIO()
    Image.new("RGB", (_SIDE, _SIDE), (74, 120, 150)).save(out, "PNG")
    return InputFile(data=out.getvalue(), media_type="image/png")


# ---- running it -----------------------------------------------------------------------------------------------------


@dataclass
class Recorder:
    """Keeps of each answer its path, its status and its shape: of reads of a job, the last."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def hear(self, response: httpx.Response) -> None:
        await response.aread()
        try:
            body = shape_of(response.json())
        except ValueError:
            body = "not JSON"
        method = response.request.method
        self.answers["submit" if method == "POST" else "status"] = {
            "method": method,
            "host": urlsplit(str(response.request.url)).hostname,
            "status": response.status_code,
            "answer": body,
        }


async def run_trial(provider: Provider, trial: Trial, http: httpx.AsyncClient) -> dict[str, Any]:
    """The paid job, to its end. What it got is told by shapes and by one word."""
    recorder = Recorder()
    http.event_hooks = {"response": [recorder.hear]}
    try:
        outcome = await _outcome(provider, trial)
    except BabyChainError as error:
        outcome = error.reason
    finally:
        http.event_hooks = {}
    return {"model": trial.card.id, "outcome": outcome, "answers": recorder.answers}


async def _outcome(provider: Provider, trial: Trial) -> str:
    request = JobRequest(trial.card.raw_id, trial.params, trial.pictures, uuid4().hex)
    answer = await provider.submit(request, f"babychain-check-{uuid4()}", None)
    if not isinstance(answer, Accepted):
        return "succeeded"
    state = await _ended(provider, answer.job, trial.card)
    words: Mapping[type, str] = {Succeeded: "succeeded", Canceled: "canceled"}
    return state.error.reason if isinstance(state, Failed) else words.get(type(state), "not ended in time")


async def _ended(provider: Provider, job: Job, card: ModelCard) -> JobState | None:
    """None where it has not ended by the model's deadline. It is paid for, so a read that fails is tried again."""
    give_up = time.monotonic() + card.deadline
    while time.monotonic() < give_up:
        with suppress(Refused):
            state = await provider.status(job)
            if isinstance(state, Succeeded | Failed | Canceled):
                return state
        await asyncio.sleep(card.looks.quick_pause)
    return None
