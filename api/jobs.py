"""Which run a provider's job belongs to, for webhooks whose address names no run."""

import asyncio
import re
from dataclasses import dataclass

from domain.runs import RunStatus
from domain.tokens import AttemptToken
from temporal import names
from temporal.reading import RunReader

# 5 seconds in all: BabySea waits 10 for an answer, and what is not to be seen by then, key and polling make good.
# A Temporal cluster allows few visibility queries a second, so they become rarer.
_PAUSES = (0.0, 0.2, 0.4, 0.8, 1.6, 2.0)
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,200}")


@dataclass(frozen=True)
class JobOfRun:
    attempt: AttemptToken
    status: RunStatus


async def find_job(reader: RunReader, provider: str, job: str, *, patiently: bool) -> JobOfRun | None:
    """`patiently` waits for what will be visible in a moment: the job was just started, or visibility is behind."""
    if not _ID.fullmatch(job):
        return None
    for pause in _PAUSES if patiently else _PAUSES[:1]:
        await asyncio.sleep(pause)
        if (found := await _look(reader, provider, job)) is not None:
            return found
    return None


async def _look(reader: RunReader, provider: str, job: str) -> JobOfRun | None:
    for run in (await reader.find(f"{names.JOB.name} = '{job}'", 1, None)).runs:
        for step in run.snapshot.steps:
            for attempt in step.attempts:
                if attempt.job == job and attempt.provider == provider:
                    return JobOfRun(AttemptToken(run.plan.run_id, step.key, attempt.n), run.snapshot.status)
    return None
