"""Record the histories that `tests/workflow/test_replay.py` replays.

`python -m tests.support.record_histories [name ...]` records all, or those named. They stand for the runs that are
under way when a new version is deployed. Record new ones, beside the old, when a change of the workflows is guarded
by `workflow.patched`; never replace one to make a failing replay pass.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError

from domain.plan import ChainPlan
from domain.provider import Looks
from domain.runs import CancelRequested
from temporal.names import after_run_id
from tests.support.orders import chain
from tests.support.receiver import Receiver
from tests.support.sandbox_server import QUICK
from tests.support.serving import serving
from tests.support.stack import Stack, running_stack
from tests.support.temporal_server import running_temporal
from tests.support.waiting import eventually

FOLDER = Path(__file__).parent.parent / "workflow" / "histories"
FLUX, SEEDANCE, SEEDREAM = "bfl/flux-2-pro", "bytedance/seedance-1.5-pro", "bytedance/seedream-4.5"
IMPATIENT = Looks(grace=1.0, quick_window=2.0, quick_pause=0.5, pause=1.0, longest_pause=2.0)
SLOWLY = replace(QUICK, picture_seconds=2.0, video_seconds=2.0)

Record = Callable[[Stack], Awaitable[ChainPlan]]


async def succeeded_by_webhook(stack: Stack) -> ChainPlan:
    return await _finished(stack, chain("chain1", FLUX, SEEDANCE))


async def succeeded_by_polling(stack: Stack) -> ChainPlan:
    await stack.sandbox.put_faults({"kind": "drop", "count": 50})
    plan = chain("chain1", FLUX, SEEDANCE)
    steps = tuple(replace(step, candidates=(replace(step.candidates[0], looks=IMPATIENT),)) for step in plan.steps)
    return await _finished(stack, replace(plan, steps=steps))


async def succeeded_by_adoption(stack: Stack) -> ChainPlan:
    await stack.sandbox.put_faults({"kind": "garbage", "when": "after", "count": 2})
    return await _finished(stack, chain("chain1", FLUX, SEEDANCE))


async def failed(stack: Stack) -> ChainPlan:
    await stack.sandbox.put_faults({"kind": "moderated", "provider": "byteplus"})
    return await _finished(stack, chain("chain1", FLUX, SEEDANCE))


async def failed_unknown(stack: Stack) -> ChainPlan:
    await stack.sandbox.put_faults({"kind": "reset", "when": "after"})
    return await _finished(stack, chain("chain1", SEEDREAM, SEEDANCE))


async def canceled(stack: Stack) -> ChainPlan:
    plan = chain("chain1", FLUX, SEEDANCE)
    handle = await stack.bench.start(plan)
    await eventually(
        lambda: stack.bench.step(plan.run_id, 1), lambda step: bool(step.attempts and step.attempts[0].job)
    )
    await handle.signal("cancel", CancelRequested())
    with suppress(WorkflowFailureError):
        await handle.result()
    return plan


async def refused_thrice(stack: Stack) -> ChainPlan:
    await stack.sandbox.put_faults({"kind": "status", "status": 429, "headers": {"retry-after": "1"}, "count": 3})
    return await _finished(stack, chain("chain1", SEEDREAM, SEEDANCE))


def of_template(slug: str, *models: str) -> Record:
    async def record(stack: Stack) -> ChainPlan:
        return await _finished(stack, chain(slug, *models))

    return record


RECORDS: dict[str, Record] = {
    "chain1.succeeded-by-webhook": succeeded_by_webhook,
    "chain1.succeeded-by-polling": succeeded_by_polling,
    "chain1.succeeded-by-adoption": succeeded_by_adoption,
    "chain1.succeeded-after-refusals": refused_thrice,
    "chain1.failed": failed,
    "chain1.failed-unknown-start": failed_unknown,
    "chain1.canceled": canceled,
    "chain2.succeeded": of_template("chain2", SEEDREAM, SEEDANCE),
    "chain3.succeeded": of_template("chain3", FLUX, SEEDREAM, SEEDANCE),
    "image-to-video.succeeded": of_template("image-to-video", SEEDANCE),
}


CALLBACK = "after-run.delivered-at-the-second-try"


async def record_callback(client: Client) -> None:
    receiver = Receiver(answers=[500])
    async with serving(receiver.app()) as url, _stack(client, trusted_origins=url) as stack:
        plan = await _finished(stack, chain("chain1", SEEDREAM, SEEDANCE, webhook_url=f"{url}/hook"))
        await client.get_workflow_handle(after_run_id(plan.run_id)).result()
    await _save(client, after_run_id(plan.run_id), CALLBACK)


async def record(client: Client, name: str) -> None:
    async with _stack(client) as stack:
        plan = await RECORDS[name](stack)
    await _save(client, plan.run_id, name)


async def main(*names: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    # The usual identity would tell process and host.
    async with running_temporal(identity="recorder") as client:
        for name in names or (*RECORDS, CALLBACK):
            await (record_callback(client) if name == CALLBACK else record(client, name))


@asynccontextmanager
async def _stack(client: Client, **more: Any) -> AsyncIterator[Stack]:
    with tempfile.TemporaryDirectory() as folder:
        async with running_stack(client, Path(folder), config=SLOWLY, **more) as stack:
            yield stack


async def _finished(stack: Stack, plan: ChainPlan) -> ChainPlan:
    await stack.finish(plan)
    return plan


async def _save(client: Client, run_id: str, name: str) -> None:
    history = json.loads((await client.get_workflow_handle(run_id).fetch_history()).to_json())
    (FOLDER / f"{name}.json").write_text(json.dumps(_without_traces(history), indent=1) + "\n")


def _without_traces(value: Any) -> Any:
    """Stack traces show where the recording machine keeps its files."""
    if isinstance(value, dict):
        return {key: _without_traces(child) for key, child in value.items() if key != "stackTrace"}
    if isinstance(value, list):
        return [_without_traces(child) for child in value]
    return value


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
