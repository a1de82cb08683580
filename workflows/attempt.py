"""One attempt of a step: submit one paid job, wait for its end, bring its output in."""

from temporalio import workflow

from domain.provider import Finished, Job
from domain.runs import AttemptOutcome
from temporal import names
from workflows.attempting import Attempting, Ended
from workflows.finishing import bring_in, finish
from workflows.starting import start


async def make_attempt(at: Attempting) -> Ended:
    started = await start(at)
    if isinstance(started, Ended):
        return started
    at.attempt.adapted = started.adapted
    if isinstance(started, Finished):
        return await bring_in(at, started)
    _note_job(at, started.job)
    return await finish(at, started.job)


def _note_job(at: Attempting, job: Job) -> None:
    at.attempt.job, at.attempt.outcome = job.id, AttemptOutcome.RUNNING
    at.attempt.cost = job.cost
    workflow.upsert_search_attributes([names.JOB.value_set(job.id)])
    at.run.touch(at.state)
