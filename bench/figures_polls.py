"""Jobs of two minutes whose webhooks are all lost: whether each run ends, and how often we had to look."""

import asyncio
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from bench.figures_cases import NO_JOB, SUBJECTS, Subject
from domain.media import MediaKind
from domain.runs import RunStatus
from sandbox.config import Config
from tests.support.orders import catalogue
from tests.support.sandbox_server import QUICK
from tests.support.stack import Stack, running_babysea_stack, running_stack
from tests.support.trials import trial

MOST_POLLS = 12


async def show(
    console: Console, client: Client, folder: Path, *, runs: int, seconds: float, providers: Collection[str] = ()
) -> bool:
    names = [name for name in SUBJECTS if name not in NO_JOB and (not providers or name in providers)]
    table = Table("provider", "runs", "succeeded", "polls, least", "most", title=f"Jobs of {seconds:g} s, no webhook")
    async with AsyncExitStack() as resources:
        # One after another: a deployment prepares its database, which a process can't do twice at a time.
        stacks = [
            await resources.enter_async_context(
                _deployment(SUBJECTS[name], client, folder / f"polls-{name}", _config(SUBJECTS[name], seconds))
            )
            for name in names
        ]
        found = await asyncio.gather(
            *(_of_one(stack, SUBJECTS[name], runs) for stack, name in zip(stacks, names, strict=True))
        )
    good = True
    for name, (succeeded, polls) in zip(names, found, strict=True):
        good &= succeeded == runs and max(polls) <= MOST_POLLS
        table.add_row(name, str(runs), str(succeeded), str(min(polls)), str(max(polls)))
    console.print(table)
    console.print(f"At most {MOST_POLLS} polls are allowed.\n")
    return good


def _deployment(subject: Subject, client: Client, folder: Path, config: Config) -> AbstractAsyncContextManager[Stack]:
    running = running_babysea_stack if subject.mode == "babysea" else running_stack
    return running(client, folder, config=config)


def _config(subject: Subject, seconds: float) -> Config:
    """A picture is long only where it is the job itself: other jobs start from one."""
    is_picture = catalogue(subject.mode).models[subject.model].kind is MediaKind.IMAGE
    return replace(
        QUICK,
        limits=False,
        picture_seconds=seconds if is_picture else QUICK.picture_seconds,
        video_seconds=seconds,
    )


async def _of_one(stack: Stack, subject: Subject, runs: int) -> tuple[int, list[int]]:
    await stack.sandbox.put_faults({"kind": "drop", "operation": "webhook", "count": 100_000})
    ended = await asyncio.gather(*(stack.finish(trial(subject.model, mode=subject.mode)[0]) for _ in range(runs)))
    raw_id = catalogue(subject.mode).models[subject.model].raw_id
    rows = [row for row in await stack.sandbox.jobs() if row["model"] == raw_id]
    return sum(snapshot.status is RunStatus.SUCCEEDED for snapshot in ended), [row["polls"] for row in rows]
