"""What a job may need besides being watched: to be found, where its start was not answered, and to be stopped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from temporalio import activity

from activities.attempts import keeper, log, named
from activities.calls import AttemptRef, CancelJob, ReconcileStart
from activities.clock import ServerClock
from activities.errors import as_application_error, still_pending
from activities.gate import Gate
from domain.errors import NeverStarted
from domain.provider import Absent, CancelOutcome, Job, JobRequest, Provider, Unsure
from domain.tokens import AttemptToken

_BETWEEN_LOOKS = 3.0
_SURE_DENIALS = 9
"""With the usual pauses between them, 40 seconds."""


@dataclass(frozen=True)
class JobActivities:
    providers: Mapping[str, Provider]
    gate: Gate
    attempt_token: Callable[[AttemptToken], str]

    @activity.defn(name="reconcile")
    async def reconcile(self, call: ReconcileStart) -> Job:
        """Find the job that a lost submit may have started; comes again until it is found or the time is over."""
        clock = ServerClock()
        with as_application_error():
            provider = keeper(self.providers, call.of)
            if call.claimed is None:
                job, how = await self._listed(provider, call), "lost_job_found"
            else:
                job, how = await _confirmed(provider, Job(call.claimed)), "lost_job_confirmed"
            await self.gate.runs_on(call.of, job, clock)
        log.info(how, **named(call.of), job_id=job.id)
        return job

    async def _listed(self, provider: Provider, call: ReconcileStart) -> Job:
        of = call.of
        token = self.attempt_token(AttemptToken(of.run_id, of.step, of.attempt))
        found = await provider.find(JobRequest(of.raw_id, call.params, (), token), call.window)
        if isinstance(found, Absent):
            _raise_when_sure(of)
        if found is None or isinstance(found, Absent):
            raise still_pending(call.pause)
        return found

    @activity.defn(name="cancel_job")
    async def cancel_job(self, call: CancelJob) -> CancelOutcome:
        """Ask the provider to stop. Safe to repeat."""
        clock = ServerClock()
        with as_application_error():
            outcome = await keeper(self.providers, call.of).cancel(call.job)
        if outcome is CancelOutcome.STOPPED:
            await self.gate.leave(call.of, clock)
        else:
            await self.gate.runs_on(call.of, call.job, clock)
        log.info("job_cancel_asked", **named(call.of), job_id=call.job.id, outcome=str(outcome))
        return outcome


async def _confirmed(provider: Provider, job: Job) -> Job:
    """A claim counts once the provider knows the job."""
    if isinstance(await provider.status(job), Unsure):
        raise still_pending(_BETWEEN_LOOKS)
    return job


def _raise_when_sure(of: AttemptRef) -> None:
    """A list may lag behind: only what it has denied again and again was never started."""
    details = activity.info().heartbeat_details
    denials = 1 + (details[0] if details and isinstance(details[0], int) else 0)
    if denials >= _SURE_DENIALS:
        log.info("lost_job_never_started", **named(of))
        raise NeverStarted(f"{of.provider} did not start the job: its list was read {denials} times without it.")
    activity.heartbeat(denials)
